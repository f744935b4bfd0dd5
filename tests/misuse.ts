/**
 * Runs scripts with many command lines in one process, for `scripts_test.ts`:
 * starting a process for each of some 170 would take most of its time. Only for
 * command lines that a script answers with its usage line, because everything
 * else needs a process, and permissions, of its own.
 *
 * The argument is a list of {@linkcode Use} as JSON; a list of
 * {@linkcode Outcome} is printed.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Program } from "../launch/programs/program.ts";

/** A script, as a URL, and its arguments. */
export interface Use {
  script: string;
  args: string[];
}

/** What it printed, and its exit status; none if it did not end. */
export interface Outcome {
  stdout: string;
  stderr: string;
  status?: number;
}

/**
 * Runs them in one process, which has these permissions; their outcomes in the
 * same order.
 */
export async function outcomesOf(
  uses: Use[],
  permissions: string[],
): Promise<Outcome[]> {
  const words = [...permissions, "tests/misuse.ts", JSON.stringify(uses)];
  await using all = new Program("misuse", ["run", ...words]);
  assertEquals(await all.exits(60_000), 0, all.stderr);
  return JSON.parse(all.stdout.trim().split("\n").at(-1) ?? "");
}

if (import.meta.main) {
  const uses: Use[] = JSON.parse(Deno.args[0] ?? "[]");
  const { log: print } = console, { exit } = Deno;
  const outcomes: Outcome[] = [];
  for (const use of uses) outcomes.push(await run(use, outcomes.length));
  print(JSON.stringify(outcomes));
  exit(); // whatever a script may have begun
}

async function run({ script, args }: Use, index: number): Promise<Outcome> {
  const outcome: Outcome = { stdout: "", stderr: "" };
  const print = (stream: "stdout" | "stderr") => (text: unknown) => {
    // Once it has ended it says nothing more, whatever catches our error.
    if (outcome.status === undefined) outcome[stream] += `${text}\n`;
  };
  console.log = print("stdout");
  console.error = print("stderr");
  Object.defineProperty(Deno, "args", { value: args, configurable: true });
  Deno.exit = (status = 0) => {
    outcome.status ??= status;
    throw new Error("ended");
  };
  // A query makes it another module, which runs once more.
  const module = import(`${script}?${index}`).catch((error) => {
    if (outcome.status === undefined) outcome.stderr += `${error}\n`;
  });
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, 5_000);
  await Promise.race([module, late]);
  clearTimeout(timer);
  return outcome;
}
