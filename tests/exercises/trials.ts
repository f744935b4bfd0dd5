/**
 * Tests of exercises: each check passes with its solution, and fails with `start.ts` and with wrong
 * programs that people really write: at the step, and with the line, that the
 * first line of each names.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  denoCommand,
  type Outcome,
  tryStep,
} from "../../launch/exercises/run.ts";
import { pause } from "./workplace.ts";
import { hintsOf, taskOf } from "../../launch/exercises/readme.ts";
import { ROOT } from "../assertions.ts";
import { type Exercise, folderOf, LADDER, load } from "./exercise.ts";

/** What each README says, because the check looks at it. */
const PROMISES = [
  "Started with",
  "Who begins",
  "A message ends",
  "The connection ends",
  "Connections",
  "Encoding",
  "Sizes",
  "What is wrong",
];

const WRONG = "tests/exercises/wrong";

/** Defines the tests of some exercises of the ladder. */
export function testExercises(...names: string[]): void {
  for (const name of names) {
    if (!LADDER.includes(name)) throw new Error(`${name} is not on the ladder`);
    testExercise(name);
  }
}

function testExercise(name: string): void {
  const folder = folderOf(name);
  const id = name.replaceAll("/", "_").replaceAll("-", "_");

  Deno.test(`exercise ${name}: its text promises what is checked`, async () => {
    const readme = await Deno.readTextFile(join(ROOT, folder, "README.md"));
    const task = taskOf(readme);
    const [, first = ""] = task.split("\n\n");
    assertStringIncludes(first, "`start.ts` is meant to fail");
    for (const promise of PROMISES) assertStringIncludes(task, `**${promise}`);
    const words = task.split(/\s+/).length;
    assert(60 <= words && words <= 230, `${words} words`);
    assert(hintsOf(readme).length > 0, "no hints");
    const solution = await Deno.readTextFile(
      join(ROOT, folder, "solution.ts"),
    );
    const lines = solution.trimEnd().split("\n").length;
    assert(20 <= lines && lines <= 80, `the solution has ${lines} lines`);
  });

  Deno.test(`exercise ${name}: the solution is right`, async () => {
    const exercise = await load(name);
    assertEquals(exercise.name, name);
    await inTurns(exercise.steps, async (step) => {
      const outcome = await attempt(exercise, step, `${folder}/solution.ts`);
      assertEquals(outcome.verdict, "right", `${step.title}: ${tell(outcome)}`);
    });
  });

  Deno.test(`exercise ${name}: start.ts is not right yet`, async () => {
    const exercise = await load(name);
    for (const step of exercise.steps) {
      const outcome = await attempt(exercise, step, `${folder}/start.ts`);
      if (outcome.verdict === "right") continue;
      assertEquals(outcome.verdict, "not yet", tell(outcome));
      return;
    }
    throw new Error("start.ts is right");
  });

  Deno.test(`exercise ${name}: wrong programs are found out`, async () => {
    const exercise = await load(name);
    const files = Array.from(
      Deno.readDirSync(join(ROOT, WRONG, id)),
      (f) => f.name,
    );
    assert(files.length >= 3, "fewer than three wrong programs");
    await inTurns(files, async (file) => {
      const path = `${WRONG}/${id}/${file}`;
      const text = await Deno.readTextFile(join(ROOT, path));
      const [, number, line = ""] = /^\/\/ fails at (\d+): (.+)$/m.exec(text) ??
        [];
      const step = exercise.steps[Number(number) - 1];
      assert(step, `${path} does not say where it fails`);
      const outcome = await attempt(exercise, step, path);
      assertEquals(outcome.verdict, "not yet", `${path}: ${tell(outcome)}`);
      assertStringIncludes(tell(outcome), line, path);
    });
  });
}

/** Does something with all of them, four at a time: most of them wait. */
async function inTurns<T>(all: T[], act: (each: T) => Promise<void>) {
  const rest = [...all];
  const work = async () => {
    for (let each = rest.shift(); each !== undefined; each = rest.shift()) {
      await act(each);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
}

async function attempt(
  exercise: Exercise,
  step: Exercise["steps"][number],
  file: string,
): Promise<Outcome> {
  const command = denoCommand(exercise, join(ROOT, file));
  const trial = { command, cwd: ROOT, seed: 1 };
  // On a busy machine a check may say that it cannot tell. Then it is asked again.
  for (let tries = 1; tries < 6; tries++) {
    const outcome = await tryStep(exercise, step, trial);
    if (outcome.verdict !== "cannot tell") return outcome;
    await pause(500 * tries);
  }
  return await tryStep(exercise, step, trial);
}

function tell(outcome: Outcome): string {
  return outcome.verdict === "right"
    ? "right"
    : outcome.verdict === "cannot tell"
    ? outcome.why
    : outcome.finding.property;
}
