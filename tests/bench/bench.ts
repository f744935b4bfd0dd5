/**
 * `deno task bench`: measures our programs and their peers in turn, on this
 * machine, and prints a table with ratios.
 *
 *     deno run --allow-run --allow-read --allow-write --allow-net=127.0.0.1 --allow-sys=osRelease,cpus,systemMemoryInfo tests/bench/bench.ts --help
 *
 * Exit status 0 when everything was measured, 1 when something failed, 2 when
 * used wrongly, 130 when stopped. Times do not decide: a missed target is shown
 * in the table, and that is all.
 */
import { parseArgs } from "@std/cli/parse-args";
import { interruption } from "../../launch/programs/interruption.ts";
import { type Contest, type Progress, type Result, run } from "./contest.ts";
import { machine } from "./machine.ts";
import { files } from "./rows/files.ts";
import { incrementer } from "./rows/incrementer.ts";
import { libraryContests } from "./rows/library.ts";
import { pages } from "./rows/pages.ts";
import { relayContests } from "./rows/relay.ts";
import { roundTripContests } from "./rows/round_trips.ts";
import { starts } from "./rows/start.ts";
import { killAll, usePython } from "./servers.ts";
import { json, table } from "./table.ts";

const CONTESTS: Contest[] = [
  ...pages,
  ...files,
  ...roundTripContests,
  ...libraryContests,
  ...incrementer,
  ...relayContests,
  ...starts,
];

const options = parseArgs(Deno.args, {
  string: ["only", "rounds", "seconds", "json", "python"],
  boolean: ["help"],
  default: { only: "", rounds: "5", seconds: "2", python: "python3" },
  unknown: usage,
});
if (options.help) usage("--help");
const rounds = Number(options.rounds), seconds = Number(options.seconds);
if (!Number.isInteger(rounds) || rounds < 1) usage(`--rounds ${rounds}`);
if (!(seconds > 0)) usage(`--seconds ${seconds}`);
const chosen = CONTESTS.filter(({ id }) => id.startsWith(options.only));
if (chosen.length === 0) usage(`--only ${options.only}`);
usePython(options.python);

// Whatever ends this, no server stays behind.
const signal = interruption();
signal.addEventListener("abort", () => {
  showProgress("");
  killAll();
  Deno.exit(130);
});

const results: Result[] = [], left = new Set<string>(), failed: string[] = [];
for (const [index, contest] of chosen.entries()) {
  const progress = ({ entry, round }: Progress) => {
    const step = round === 0 ? "starting" : `round ${round} of ${rounds}`;
    showProgress(
      `${
        index + 1
      } of ${chosen.length} · ${contest.id} · ${step} · ${entry.name}`,
    );
  };
  const missing = (why: string) => left.add(why);
  try {
    const result = await run(contest, { rounds, seconds, progress, missing });
    if (result) results.push(result);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    failed.push(`${contest.id}: ${why}`);
  }
}
showProgress("");

const on = await machine();
for (const line of table(results)) console.log(line);
console.log(`\n${on.summary}\n${rounds} rounds of ${seconds} s, in turn.`);
for (const why of left) console.log(`Left out: ${why}.`);
for (const why of failed) console.error(`Failed: ${why}`);
if (options.json !== undefined) {
  await Deno.writeTextFile(
    options.json,
    JSON.stringify(
      {
        machine: on,
        date: new Date().toISOString(),
        rounds,
        seconds,
        contests: json(results),
        leftOut: [...left],
        failed,
      },
      null,
      2,
    ) + "\n",
  );
}
killAll();
Deno.exit(failed.length > 0 ? 1 : 0);

/** Shows where it stands, in one line of a terminal. */
function showProgress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

function usage(wrong: string): never {
  const lines = [
    "Usage: deno task bench [--only ID] [--rounds 5] [--seconds 2] [--json FILE]",
    "                       [--python PROGRAM]",
    `IDs, or how they begin: ${CONTESTS.map(({ id }) => id).join(", ")}`,
  ];
  if (wrong === "--help") console.log(lines.join("\n"));
  else console.error(`Cannot use ${wrong}. ${lines[0]}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}
