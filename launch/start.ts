/**
 * `deno task start`: the way in. Shows what can be launched and launches what is
 * chosen, until somebody leaves.
 *
 *     deno run --allow-run launch/start.ts
 *
 * Each line that it reads is a number or a name, perhaps with options behind it.
 * Exit status 0 when somebody left, 2 when used wrongly, 130 when stopped.
 */
import process from "node:process";
import config from "../deno.json" with { type: "json" };
import { EXAMPLES } from "./programs/examples.ts";
import { onceAlone } from "./programs/interruption.ts";

/** In the order of `deno.json`, which is the order of study. */
const tasks = new Map<string, { description: string; command: string }>(
  Object.entries(config.tasks),
);
const examples = [...tasks.keys()].filter((task) =>
  EXAMPLES.some(({ name }) => name === task)
);
const others = ["demo", "exercise", "lab", "wire", "test"]
  .filter((name) => tasks.has(name));
const choices = [...examples, ...others];

const [argument] = Deno.args;
if (argument === "--help") {
  console.log(`${menu("What deno task NAME launches")}

deno task NAME:ROLE runs one of its programs alone (deno task tcp:server).
deno task lists all tasks; deno task start is this list as a menu.`);
  Deno.exit(0);
}
if (argument !== undefined) {
  console.error(`Cannot use ${argument}. Usage: deno task start`);
  Deno.exit(2);
}

let running: Deno.ChildProcess | undefined;

// In a terminal Ctrl-C reaches the program that runs, too: it ends that one.
process.on("SIGINT", () => running ?? leave(130));
process.on("SIGTERM", () => leave(130));
process.on("SIGHUP", () => leave(130));
// `deno task` does not pass a `kill` on to what it runs, but it ends.
onceAlone(() => leave(130));

const isTerminal = Deno.stdin.isTerminal();
const ASK = "A number or a name (exit leaves): ";
let prompt = ASK;
console.log(menu("Launch an example, and see what goes over the wire"));
while (true) {
  write(`\n${prompt}`);
  prompt = ASK;
  const line = await readLine();
  if (line === null || /^(exit|quit|q)$/i.test(line)) break;
  if (!isTerminal) console.log(line);
  if (line !== "") {
    const [choice = "", ...options] = line.match(/"[^"]*"|\S+/g) ?? [];
    const name = choices[Number(choice) - 1] ?? choice;
    const command = tasks.get(name)?.command;
    if (command === undefined || name === "start") {
      console.log(
        `There is no ${JSON.stringify(choice)} here. Type a number from 1 to ` +
          `${choices.length}, or a name.`,
      );
      continue;
    }
    await run(command, options.map((word) => word.replaceAll('"', "")));
    if (isTerminal) { // What it showed stays in sight.
      prompt = `Enter shows the menu. ${ASK}`;
      continue;
    }
  }
  console.log(
    `\n${menu("Launch an example, and see what goes over the wire")}`,
  );
}
leave(0);

/** What can be launched, a line each. */
function menu(title: string): string {
  const width = Math.max(...choices.map((name) => name.length));
  const lines = choices.map((name, index) =>
    `  ${`${index + 1}`.padStart(2)}  ${name.padEnd(width)}  ` +
    `${tasks.get(name)?.description}`
  );
  lines.splice(examples.length, 0, "");
  return [`${title}:`, "", ...lines].join("\n");
}

/** Runs a task's command until it ends; in a pipe, lines are for the menu. */
async function run(command: string, options: string[]): Promise<void> {
  const [, ...args] = command.split(" ");
  running = new Deno.Command(Deno.execPath(), {
    args: [...args, ...options],
    stdin: isTerminal ? "inherit" : "null",
  }).spawn();
  await running.status;
  running = undefined;
}

/** A line; null at the end of input. Takes no byte that is not for the menu. */
async function readLine(): Promise<string | null> {
  const bytes: number[] = [];
  const byte = new Uint8Array(1);
  while (await Deno.stdin.read(byte) !== null) {
    if (byte[0] === 10) return decode(bytes);
    bytes.push(...byte);
  }
  return bytes.length > 0 ? decode(bytes) : null;
}

function decode(bytes: number[]): string {
  return new TextDecoder().decode(Uint8Array.from(bytes)).trim();
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function leave(status: number): never {
  try {
    running?.kill("SIGTERM");
  } catch {
    // It has just ended. Windows then says that one may not.
  }
  write("\n");
  Deno.exit(status);
}
