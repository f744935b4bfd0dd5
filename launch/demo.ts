/**
 * `deno task demo`: the tour. Runs every example, one after the other, and shows
 * its programs and what goes over the wire between them.
 *
 *     deno run --allow-run --allow-read=. --allow-write=.run --allow-env=TERM --allow-net=127.0.0.1 launch/demo.ts
 *
 * Exit status 0 when all examples ran, 1 when one did not, 2 when used wrongly, 130
 * when stopped. An example whose program the system lacks (nats-server) is skipped
 * by name.
 */
import { launch, Missing } from "./launch.ts";
import { EXAMPLES } from "./programs/examples.ts";
import { interruption } from "./programs/interruption.ts";
import { scripted } from "./programs/keyboard.ts";
import { Reaper } from "./programs/reaper_client.ts";
import { screen } from "./show/screen.ts";
import { View } from "./show/view.ts";

/** How long an example may take, in ms. */
const LIMIT = 60_000;

if (Deno.args.length > 0) {
  const line = "Usage: deno task demo. It has no options.";
  const wrong = Deno.args[0] ?? "";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}
const stop = new AbortController();
const signal = AbortSignal.any([interruption(), stop.signal]);
const output = screen(() => stop.abort());
const colours = !Deno.noColor && Deno.stdout.isTerminal();
const failed: string[] = [], skipped: string[] = [];
const reaper = new Reaper();
for (const [index, example] of EXAMPLES.entries()) {
  const title = `${index + 1} of ${EXAMPLES.length} · `;
  try {
    await launch(example, {
      presenter: new View(output, { colours, title, caption: true }),
      keyboard: scripted(example.script),
      reaper,
      signal,
      limit: LIMIT,
    });
  } catch (error) {
    if (signal.aborted) {
      await reaper[Symbol.asyncDispose]();
      Deno.exit(130);
    }
    console.error(error instanceof Error ? error.message : error);
    (error instanceof Missing ? skipped : failed).push(example.name);
  }
  output.print([""]);
}
const ran = EXAMPLES.length - failed.length - skipped.length;
const notes = [
  failed.length > 0 ? `; failed: ${failed.join(", ")}` : "",
  skipped.length > 0 ? `; skipped: ${skipped.join(", ")}` : "",
];
output.print([
  `${ran} of ${EXAMPLES.length} examples ran${notes.join("")}`,
]);
await reaper[Symbol.asyncDispose]();
Deno.exit(failed.length === 0 ? 0 : 1);
