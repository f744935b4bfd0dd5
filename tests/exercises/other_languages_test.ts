/**
 * Right programs in another language and another style pass: a check forbids
 * nothing that its text does not.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { tryStep } from "../../launch/exercises/run.ts";
import { parseCommand } from "../../launch/programs/command.ts";
import { ROOT } from "../assertions.ts";
import { find, needs } from "../needs.ts";
import { load } from "./exercise.ts";

for (const name of ["tcp/echo", "tcp/lines", "udp/time", "http/one-page"]) {
  Deno.test(needs(["python3"], {
    name: `exercise ${name}: a solution in Python is right`,
    async fn() {
      const file = `${name.replaceAll(/[/-]/g, "_")}.py`;
      const path = join(ROOT, "tests/exercises/other_languages", file);
      const python = find("python3") ?? "python3";
      const command = parseCommand(`"${python}" "${path}" {port}`);
      const exercise = await load(name);
      for (const step of exercise.steps) {
        const trial = { command, cwd: ROOT, seed: 2 };
        let outcome = await tryStep(exercise, step, trial);
        if (outcome.verdict === "cannot tell") {
          outcome = await tryStep(exercise, step, trial);
        }
        const why = outcome.verdict === "not yet"
          ? outcome.finding.property
          : "";
        assertEquals(outcome.verdict, "right", `${step.title}: ${why}`);
      }
    },
  }));
}
