/** `deno task exercise`, as a learner uses it. */
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { dirname, join } from "@std/path";
import { Program, ROOT } from "../../launch/programs/program.ts";
import { LADDER } from "./exercise.ts";

/** Runs `deno task exercise` with a record of its own; returns what it printed. */
async function exercise(progress: string, ...args: string[]) {
  const flags = ["--allow-run", "--allow-read", "--allow-write"];
  await using program = new Program("exercise", [
    ...["run", "--quiet", "--no-check", ...flags, "--allow-net=127.0.0.1"],
    ...["launch/exercise.ts", ...args, "--progress", progress],
  ]);
  const status = await program.exits(60_000);
  return { status, out: program.stdout, err: program.stderr };
}

async function withProgress(act: (file: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "progress-" });
  try {
    await act(join(folder, "done.json"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ECHO = `${Deno.execPath()} run --allow-net=127.0.0.1 `;

Deno.test("exercise: the list says what is done and what comes next", () =>
  withProgress(async (file) => {
    const before = await exercise(file);
    assertEquals(before.status, 0, before.err);
    assertEquals(
      before.out.split("\n").filter((line) => / {2}\w+\//.test(line))
        .length,
      LADDER.length,
    );
    assertStringIncludes(before.out, "0 of 21 done.");
    assertStringIncludes(
      before.out,
      "Next: deno task exercise tcp/first-client",
    );

    const run = `${ECHO}${ROOT}tcp/exercises/echo/solution.ts {port}`;
    const passed = await exercise(file, "echo", "--run", run);
    assertEquals(passed.status, 0, passed.out + passed.err);
    assertStringIncludes(passed.out, "✓ 1 of 6  It sends back one byte.");
    assertStringIncludes(passed.out, "tcp/exercises/echo/solution.ts");
    assertStringIncludes(
      passed.out,
      "Next: deno task exercise tcp/many-clients",
    );

    const after = await exercise(file);
    assertStringIncludes(after.out, "1 of 21 done.");
    assertMatch(after.out, /✓ +2 {2}tcp\/echo/);
  }));

Deno.test("exercise: what is not right yet is shown, with status 1", () =>
  withProgress(async (file) => {
    const wrong = `${ROOT}tests/exercises/wrong/tcp_echo/text.ts`;
    const { status, out } = await exercise(file, "2", "--run", ECHO + wrong);
    assertEquals(status, 1, out);
    assertStringIncludes(out, "✓ 1 of 6");
    assertStringIncludes(out, "not yet: We sent the bytes 0 to 255");
    assertMatch(
      out,
      /expected +256 bytes.*\n +came +512 bytes.*\n +\^ byte 129/,
    );
    assertMatch(out, /#\d+ +\d\.\d{3} s {2}check → program {2}256 bytes/);
    assertStringIncludes(out, "deno task wire tcp 7001 127.0.0.1:7000");
    assertStringIncludes((await exercise(file)).out, "0 of 21 done.");
  }));

Deno.test("exercise: what cannot be told has status 2", () =>
  withProgress(async (file) => {
    const cases: [string[], RegExp][] = [
      [["echo", "--run", "no-such-program-here"], /cannot tell: Cannot start/],
      [
        ["echo", "--run", `${Deno.execPath()} eval Deno.exit(3)`],
        /cannot tell: .*status 3 before it listened/,
      ],
      [["nothing"], /there is no such exercise/],
      [["echo", "--run", "'open"], /Cannot use --run/],
      [["echo", "--nonsense"], /Cannot use --nonsense/],
    ];
    for (const [args, expected] of cases) {
      const { status, out, err } = await exercise(file, ...args);
      assertEquals(status, 2, out + err);
      assertMatch(out + err, expected);
    }
  }));

Deno.test("exercise: --hint shows one more each time", () =>
  withProgress(async (file) => {
    const first = await exercise(file, "echo", "--hint");
    assertEquals(first.out.match(/^Hint/gm)?.length, 1);
    const second = await exercise(file, "echo", "--hint");
    assertEquals(second.out.match(/^Hint/gm)?.length, 2);
    const third = await exercise(file, "echo", "--hint");
    assertEquals(third.out, second.out);
  }));

Deno.test({
  name: "exercise: a script that starts others ends together with them",
  ignore: Deno.build.os === "windows", // there is no sh
  fn: () =>
    withProgress(async (file) => {
      const folder = dirname(file);
      const script = join(folder, "starts.sh");
      await Deno.writeTextFile(
        script,
        `sleep 1000 &\necho $! >${folder}/pid\necho listening\nwait\n`,
      );
      const { status, out } = await exercise(
        file,
        ...["echo", "--run", `sh ${script} {port}`],
      );
      assertEquals(status, 1, out);
      assertStringIncludes(out, "nobody listens at 127.0.0.1");
      const pid = Number(await Deno.readTextFile(join(folder, "pid")));
      const end = performance.now() + 20_000;
      while (isRunning(pid) && performance.now() < end) await pause(50);
      assert(!isRunning(pid), "it is still running");
    }),
});

Deno.test("exercise: --watch tries again when a file is saved", () =>
  withProgress(async (file) => {
    const mine = join(dirname(file), "mine.ts");
    const wrong = `${ROOT}tests/exercises/wrong/tcp_echo/one_read.ts`;
    await Deno.copyFile(wrong, mine);
    const flags = ["--allow-run", "--allow-read", "--allow-write"];
    await using program = new Program("exercise", [
      ...["run", "--quiet", "--no-check", ...flags, "--allow-net=127.0.0.1"],
      ...["launch/exercise.ts", "echo", "--progress", file, "--watch"],
      ...["--run", `${ECHO}${mine}`],
    ]);
    await program.prints("Waiting until", { ms: 60_000 });
    assertStringIncludes(program.stdout, "2 of 6  It goes on after its first");
    // As many editors do: a new file in the place of the old one.
    await Deno.copyFile(`${ROOT}tcp/exercises/echo/solution.ts`, `${mine}.new`);
    await Deno.rename(`${mine}.new`, mine);
    await program.prints("Right!", { ms: 60_000 });
  }));

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0); // only looks
  } catch {
    return false;
  }
}
