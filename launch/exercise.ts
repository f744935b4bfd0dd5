/**
 * `deno task exercise`: the list of exercises, and what is done.
 * `deno task exercise NAME`: tries the learner's program, step by step.
 *
 * Exit status 0 when the program is right, 1 when it is not yet, 2 when nothing
 * can be told or the command was used wrongly.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import {
  type Exercise,
  folderOf,
  LADDER,
  load,
  type Step,
} from "../tests/exercises/exercise.ts";
import { FILE, keep, readProgress } from "./exercises/progress.ts";
import { hintsOf, taskOf } from "./exercises/readme.ts";
import { report } from "./exercises/report.ts";
import { Saves } from "./exercises/saves.ts";
import { denoCommand, tryStep } from "./exercises/run.ts";
import { type Command, parseCommand } from "./programs/command.ts";
import { interruption } from "./programs/interruption.ts";
import { ROOT } from "./programs/program.ts";
import { Reaper } from "./programs/reaper_client.ts";

/** The data of a check, unless fresh ones are asked for. */
const SEED = 1;

/** So often a step is tried on a machine that is too busy. */
const TRIES = 3;

const options = parseArgs(Deno.args, {
  string: ["run", "progress", "port"],
  boolean: ["watch", "hint", "reset", "fresh", "lab", "no-open", "help"],
  unknown: (argument, key) => key === undefined || usage(argument),
});
if (options.help) usage("--help");
const PROGRESS = options.progress ?? join(ROOT, FILE);
if (PROGRESS === "") usage("--progress without a file");
const [name, ...more] = options._.map(String);
if (more.length > 0) usage(more.join(" "));
if (name === undefined) await list();
else await exercise(name);

/** Prints the ladder: what is done, and what comes next. */
async function list(): Promise<never> {
  const progress = await readProgress(PROGRESS);
  const next = LADDER.find((name) => !progress[name]?.passed);
  for (const [index, name] of LADDER.entries()) {
    const { title } = await load(name);
    const mark = progress[name]?.passed ? "✓" : name === next ? "▸" : " ";
    const number = `${index + 1}`.padStart(2);
    console.log(`${mark} ${number}  ${name.padEnd(26)}${title}`);
  }
  const done = LADDER.filter((name) => progress[name]?.passed).length;
  console.log(`\n${done} of ${LADDER.length} done.`);
  if (next) console.log(`Next: deno task exercise ${next}`);
  Deno.exit(0);
}

/** Does with one exercise what the options say. */
async function exercise(asked: string): Promise<never> {
  const name = LADDER.find((name, index) =>
    name === asked || `${index + 1}` === asked || name.endsWith(`/${asked}`)
  );
  if (!name) return usage(`${asked}: there is no such exercise`);
  const folder = join(ROOT, folderOf(name));
  const readme = await Deno.readTextFile(join(folder, "README.md"));
  const mine = join(folder, "my.ts");
  const shownMine = `${folderOf(name)}/my.ts`;
  if (options.hint) await hint(name, readme);
  if (options.reset) await reset(folder, mine, shownMine);
  const own = options.run !== undefined;
  if (!own && !await exists(mine)) {
    await Deno.copyFile(join(folder, "start.ts"), mine);
    console.log(`${taskOf(readme)}\n`);
    console.log(`Your program is ${shownMine}. It begins as start.ts.\n`);
  }
  const check = await load(name);
  let command: Command;
  try {
    command = own ? parseCommand(options.run ?? "") : denoCommand(check, mine);
  } catch (error) {
    return usage(`--run: ${error instanceof Error ? error.message : error}`);
  }
  if (options.watch && options.lab) usage("--watch together with --lab");
  const files = own ? await filesIn(command) : [mine];
  if (options.watch && files.length === 0) {
    usage("--watch: --run names no file of this folder");
  }
  const saves = options.watch ? new Saves(files) : undefined;
  const text = own
    ? command.text
    : command.text.replace(mine, shownMine).replaceAll("{folder}", ".");
  // Each program of a check ends first, then this process.
  const stop = interruption();
  const leave = () => setTimeout(() => Deno.exit(130));
  stop.addEventListener("abort", leave);
  let { status, failed } = await attempt(check, command, text, stop);
  if (options.lab) {
    const { port = "", "no-open": closed } = options;
    if (!/^\d{0,5}$/.test(port)) usage(`--port ${port}`);
    console.log("");
    stop.removeEventListener("abort", leave); // the lab has its own end
    const { openInLab } = await import("./exercises/lab.ts");
    await openInLab(check, failed, command, {
      opens: !closed,
      ...port ? { port: Number(port) } : {},
    });
    Deno.exit(status);
  }
  while (saves) {
    const shown = own ? files.join(" or ") : shownMine;
    console.log(`\nWaiting until ${shown} is saved ... (Ctrl-C ends)`);
    await saves.next();
    ({ status, failed } = await attempt(check, command, text, stop));
  }
  Deno.exit(status);
}

/** Tries all steps; returns the exit status, and the step that has failed. */
async function attempt(
  exercise: Exercise,
  command: Command,
  text: string,
  stop: AbortSignal,
): Promise<{ status: number; failed: Step | undefined }> {
  const { name, title, steps } = exercise;
  const seed = options.fresh
    ? crypto.getRandomValues(new Uint32Array(1))[0] ?? SEED
    : SEED;
  console.log(`${name}: ${title}${options.fresh ? ` (data ${seed})` : ""}`);
  await using reaper = new Reaper({ ownSession: true });
  for (const [index, step] of steps.entries()) {
    const trial = { command, cwd: Deno.cwd(), seed, reaper, stop };
    const number = `${index + 1} of ${steps.length}`;
    let outcome = await tryStep(exercise, step, trial);
    for (let i = 1; i < TRIES; i++) {
      if (outcome.verdict !== "cannot tell" || !outcome.busy) break;
      console.log(`  … ${number}  ${outcome.why} Once more.`);
      outcome = await tryStep(exercise, step, trial);
    }
    if (outcome.verdict === "right") {
      console.log(`  ✓ ${number}  It ${step.title}.`);
      continue;
    }
    const { verdict } = outcome;
    console.log(`  ✗ ${number}  It ${step.title}: ${verdict}.`);
    const lines = report(exercise, step, outcome, text);
    console.log(lines.join("\n"));
    return { status: outcome.verdict === "not yet" ? 1 : 2, failed: step };
  }
  await keep(PROGRESS, name, { passed: new Date().toISOString() });
  const next = LADDER[LADDER.indexOf(name) + 1];
  console.log(`Right! What we would write: ${folderOf(name)}/solution.ts`);
  if (next) console.log(`Next: deno task exercise ${next}`);
  return { status: 0, failed: undefined };
}

/** Prints one hint more than last time. */
async function hint(name: string, readme: string): Promise<never> {
  const hints = hintsOf(readme);
  const seen = (await readProgress(PROGRESS))[name]?.hints ?? 0;
  const count = Math.min(seen + 1, hints.length);
  await keep(PROGRESS, name, { hints: count });
  for (const [index, text] of hints.slice(0, count).entries()) {
    console.log(`Hint ${index + 1} of ${hints.length}: ${text}`);
  }
  Deno.exit(0);
}

/** Puts start.ts in the place of the learner's program, if that is confirmed. */
async function reset(
  folder: string,
  mine: string,
  shownMine: string,
): Promise<never> {
  const answer = await exists(mine)
    ? prompt(`Replace ${shownMine} by start.ts? What you wrote is lost (y/n):`)
    : "y";
  if (!/^y(es)?$/i.test(answer?.trim() ?? "")) {
    console.log("Nothing was changed.");
    Deno.exit(1);
  }
  await Deno.copyFile(join(folder, "start.ts"), mine);
  console.log(`${shownMine} is start.ts again.`);
  Deno.exit(0);
}

/** The words of a command that are files, from where it runs. */
async function filesIn({ words }: Command): Promise<string[]> {
  const found: string[] = [];
  for (const word of words) {
    const isFile = await Deno.stat(word).then((s) => s.isFile, () => false);
    if (isFile) found.push(word);
  }
  return found;
}

async function exists(file: string): Promise<boolean> {
  return await Deno.stat(file).then(() => true, () => false);
}

function usage(wrong: string): never {
  const line = "Usage: deno task exercise [NAME [--run COMMAND] [--watch] " +
    "[--hint] [--reset] [--fresh] [--lab] [--progress FILE]]";
  if (wrong === "--help") {
    console.log(`${line}
  (no NAME)  lists the exercises, what is done and what comes next
  NAME       tries your program: echo, tcp/echo or its number
  --run      tries another program, in any language: --run "python3 echo.py {port}"
  --watch    tries it again each time that it is saved
  --hint     shows a hint; one more each time
  --reset    begins again with start.ts; asks first
  --fresh    draws new data for the check
  --lab      opens the lab with it afterwards, and the network of what failed;
             takes --port and --no-open, as deno task lab does
  --progress keeps what is done in another file than .exercises.json`);
  } else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}
