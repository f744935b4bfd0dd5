/** Whether `deno task bench` works; how fast anything is does not matter here. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { taskCommand } from "../launch/programs/program.ts";
import { Program } from "./assertions.ts";

async function bench(...args: string[]): Promise<Program & AsyncDisposable> {
  return new Program("bench", [...await taskCommand("bench"), ...args]);
}

Deno.test("bench prints a table that fits, and writes all numbers as JSON", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  const short = ["--rounds", "1", "--seconds", "0.2"];
  await using program = await bench(
    ...short,
    "--only",
    "start-tcp",
    "--json",
    file,
  );
  assertEquals(await program.exits(60_000), 0, program.stderr);
  const lines = program.stdout.split("\n");
  const table = lines.filter((line) => line.startsWith("|"));
  assert(table.every((line) => line.length <= 100), program.stdout);
  assertEquals(new Set(table.map((line) => line.length)).size, 1);
  assertMatch(program.stdout, /ours: tcp\/server +\| +[\d.,]+ \|/);
  const { contests, failed } = JSON.parse(await Deno.readTextFile(file));
  await Deno.remove(file);
  assertEquals(failed, []);
  assertEquals(contests.length, 2);
  assert(contests[0].metrics[0].ours.median > 0);
});

Deno.test("bench and torture say how they are used", async () => {
  for (const task of ["bench", "torture"]) {
    const command = await taskCommand(task);
    await using help = new Program(task, [...command, "--help"]);
    assertEquals(await help.exits(), 0);
    assertMatch(help.stdout, /^Usage: deno task (bench|torture) /);
    await using wrong = new Program(task, [...command, "--only", "nothing"]);
    assertEquals(await wrong.exits(), 2);
    assertMatch(wrong.stderr, /^Cannot use --only nothing\. Usage: [^\n]*\n$/);
  }
});
