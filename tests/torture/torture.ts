/**
 * `deno task torture`: attacks each server, looks whether it holds, and prints
 * what was tried and what was seen.
 *
 *     deno run --allow-run --allow-read --allow-write --allow-net=127.0.0.1 tests/torture/torture.ts --help
 *
 * Exit status 0 when all hold, 1 when one does not, 2 when used wrongly, 130
 * when stopped.
 */
import { parseArgs } from "@std/cli/parse-args";
import { interruption } from "../../launch/programs/interruption.ts";
import { Missing } from "../bench/contest.ts";
import { killAll } from "../bench/servers.ts";
import type { Force, Outcome } from "./attack.ts";
import { torture } from "./run.ts";
import { TARGETS } from "./targets.ts";

const options = parseArgs(Deno.args, {
  string: ["seed", "seconds", "only", "crowd"],
  boolean: ["help"],
  default: { seconds: "60", only: "", crowd: "2000" },
  unknown: usage,
});
if (options.help) usage("--help");
const seconds = Number(options.seconds), crowd = Number(options.crowd);
if (!(seconds > 0)) usage(`--seconds ${options.seconds}`);
if (!Number.isInteger(crowd) || crowd < 1) usage(`--crowd ${options.crowd}`);
const targets = TARGETS.filter(({ name }) => name.startsWith(options.only));
if (targets.length === 0) usage(`--only ${options.only}`);
const seed = options.seed ?? `${Math.floor(Math.random() * 1e9)}`;

// Whatever ends this, no server stays behind.
const signal = interruption();
signal.addEventListener("abort", () => {
  showProgress("");
  killAll();
  Deno.exit(130);
});

// Starting, warming up and looking take as long as the attacks.
const attacks = targets.reduce((sum, { attacks }) => sum + attacks.length, 0);
const force: Force = { seed, time: seconds * 1000 / attacks / 3, crowd };

console.log(`Seed ${seed}, ${attacks} attacks`);
const WIDTHS = [18, 26, 7, 7, 11, 9, 9];
const HEAD = ["server", "attack", "tried", "served", "MB", "sockets", "files"];
const line = (cells: string[]) =>
  cells.map((cell, column) =>
    column < 2
      ? cell.padEnd(WIDTHS[column] ?? 0)
      : cell.padStart(WIDTHS[column] ?? 0)
  ).join(" ").trimEnd();
console.log(line(HEAD));
let failed = 0, done = 0;
for (const target of targets) {
  showProgress(`${done} of ${attacks} · starting ${target.name}`);
  try {
    for await (const outcome of torture(target, force)) {
      done++;
      report(outcome);
      showProgress(`${done} of ${attacks} · ${target.name}`);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    showProgress("");
    if (error instanceof Missing) {
      console.log(`${target.name} is left out: ${why}`);
    } else {
      complain(target.name, why);
    }
  }
}
showProgress("");
console.log(failed === 0 ? "All hold" : `${failed} did not hold`);
killAll();
Deno.exit(failed === 0 ? 0 : 1);

function report({ wrong, before, after, ...seen }: Outcome): void {
  const span = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? "–" : `${from}→${to}`;
  const megabytes = (bytes: number | undefined) =>
    bytes === undefined ? undefined : Math.round(bytes / 2 ** 20);
  showProgress("");
  console.log(line([
    seen.target,
    seen.attack,
    `${seen.tried}`,
    `${seen.served}`,
    span(megabytes(before?.memory), megabytes(after?.memory)),
    span(before?.sockets, after?.sockets),
    span(before?.files, after?.files),
  ]));
  if (wrong !== "") complain(seen.target, `${seen.attack}: ${wrong}`);
}

function complain(target: string, why: string): void {
  failed++;
  const again = `--seed ${seed} --only ${target} --crowd ${crowd}`;
  console.log(`FAILED ${target}: ${why}`);
  console.log(`Repeat: deno task torture ${again} --seconds ${seconds}`);
}

/** Shows where it stands, in one line of a terminal. */
function showProgress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

function usage(wrong: string): never {
  const lines = [
    "Usage: deno task torture [--seed TEXT] [--seconds 60] [--only NAME]",
    "                         [--crowd 2000]",
    `Names, or how they begin: ${TARGETS.map(({ name }) => name).join(", ")}`,
  ];
  if (wrong === "--help") console.log(lines.join("\n"));
  else console.error(`Cannot use ${wrong}. ${lines[0]}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}
