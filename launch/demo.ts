/**
 * `deno task demo`: the tour. Runs every example, one after the other, and
 * shows what each program prints under its name.
 *
 *     deno run --allow-run --allow-read=. launch/demo.ts
 *
 * Exit status 0 when all examples ran, 1 when one did not, 130 when stopped.
 */
import { EXAMPLES } from "./examples.ts";
import { interruption } from "./interruption.ts";
import { launch } from "./launch.ts";
import type { Observer } from "./program.ts";

const signal = interruption();
let ran = 0;
for (const [index, example] of EXAMPLES.entries()) {
  const { name, summary, script } = example;
  console.log(`${index + 1} of ${EXAMPLES.length} · ${name}: ${summary}\n`);
  const observer: Observer = {
    line({ name: task }, text, stream) {
      const role = task.slice(name.length + 1);
      const mark = stream === "stdout" ? "│" : "!";
      console.log(`  ${role.padEnd(8)} ${mark} ${text}`);
    },
  };
  try {
    await launch(example, script, observer, signal);
    ran++;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  if (signal.aborted) Deno.exit(130);
  console.log();
}
console.log(`${ran} of ${EXAMPLES.length} examples ran`);
Deno.exit(ran === EXAMPLES.length ? 0 : 1);
