/**
 * `deno task demo`: the tour. Runs every example, one after the other, and shows
 * its programs and what goes over the wire between them.
 *
 *     deno run --allow-run --allow-read=. --allow-write=.run --allow-net=127.0.0.1 launch/demo.ts
 *
 * Exit status 0 when all examples ran, 1 when one did not, 130 when stopped. An
 * example whose program the system lacks (nats-server) is skipped by name.
 */
import { EXAMPLES } from "./programs/examples.ts";
import { interruption } from "./programs/interruption.ts";
import { scripted } from "./programs/keyboard.ts";
import { launch, Missing } from "./launch.ts";
import { screen } from "./show/screen.ts";
import { View } from "./show/view.ts";

/** How long an example may take, in ms. */
const LIMIT = 60_000;

const stop = new AbortController();
const signal = AbortSignal.any([interruption(), stop.signal]);
const output = screen(() => stop.abort());
const colours = !Deno.noColor && Deno.stdout.isTerminal();
const failed: string[] = [], skipped: string[] = [];
for (const [index, example] of EXAMPLES.entries()) {
  const title = `${index + 1} of ${EXAMPLES.length} · `;
  try {
    await launch(example, {
      presenter: new View(output, { colours, title }),
      keyboard: scripted(example.script, output.print),
      signal,
      limit: LIMIT,
    });
  } catch (error) {
    if (signal.aborted) Deno.exit(130);
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
Deno.exit(failed.length === 0 ? 0 : 1);
