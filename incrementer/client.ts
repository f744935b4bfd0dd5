/**
 * Incrementer client: counts while you type. The partner of `server.ts`.
 *
 * With the server running (`--connect` starts connected):
 *
 *     deno run --allow-net=127.0.0.1 client.ts
 *
 * On the wire: messages that end in a blank. An ID goes out (0 to 10000, `--id`),
 * and the last number that it calculated comes in. Then the next number goes out
 * every 500 ms (`--tick`), and "odd" or "even" every 3 to 5 s (`--pause`, in ms).
 * The server answers with such a number (0 to 99), the client's new increment.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

/** The server takes a client that is silent for so long for dead. */
const SILENCE_MS = 30_000;

addEventListener("unhandledrejection", explain);
const { host, port, tick, ...options } = parseArgs(Deno.args, {
  string: ["host", "port", "id", "tick", "pause"],
  boolean: ["connect"],
  default: { host: "127.0.0.1", port: "2004", tick: "500", pause: "3000-5000" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`--host ${host}, it is for servers`);
const anyId = () => `${Math.floor(Math.random() * 10_001)}`;
let id = options.id ?? anyId(), isOurs = Boolean(options.id); // or was taken
if (!/^(\d{1,4}|10000)$/.test(id)) usage(`--id ${id}`);
if (!/^\d{1,8}$/.test(tick)) usage(`--tick ${tick}`);
const [, least, most] = /^(\d{1,8})-(\d{1,8})$/.exec(options.pause) ?? [];
if (!(Number(least) <= Number(most))) usage(`--pause ${options.pause}`);

const PROMPT = "What do you want to do? ";
let running: AbortController | undefined; // while the client is running
print("c - connect to server\ns - shutdown client\n");
print(`exit - exit client terminal\n\n${PROMPT}`);
if (options.connect) run();
for await (const line of keyboard()) {
  const command = line.trim();
  if (command === "exit") Deno.exit(); // closes the socket, too
  else if (command === "c" && running) print("Client already running!\n");
  else if (command === "c") run(); // and, meanwhile, on to the next line
  else if (command === "s" && running) {
    running.abort();
    running = undefined;
    print("Client is OFFLINE\n");
  } else if (command === "s") print("Client isn't running!\n");
  else print("Type c to connect, s to shut down, or exit\n");
  print(PROMPT);
}
print("\n"); // at Ctrl-D, or at the end of a pipe
Deno.exit();

/** Is connected until it is shut down, or something goes wrong. */
async function run(): Promise<void> {
  const { signal } = running = new AbortController();
  await connect(signal).catch((error) => {
    if (error.name === "NotCapable") throw error; // for explain()
    if (signal.aborted) return; // by s, which has said so
    running = undefined;
    const refused = error.name === "ConnectionRefused";
    const advice = refused ? ". Is the server running?" : "";
    say(`Client is OFFLINE: ${error.message}${advice}`);
  });
}

type Numbers = AsyncGenerator<number, void>;

/** Connects with an ID that the server accepts, and counts. */
async function connect(signal: AbortSignal): Promise<never> {
  const end = Date.now() + SILENCE_MS + 5_000;
  while (Date.now() < end) {
    const either = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
    const server = { hostname: host, port: Number(port), signal: either };
    using connection = await Deno.connect(server);
    signal.addEventListener("abort", () => connection[Symbol.dispose]());
    // So few bytes fit in the system's send buffer: one write() is enough.
    const send = (text: string) =>
      connection.write(new TextEncoder().encode(text));
    const numbers = receive(connection);
    // The original server takes all that its first read brings for the ID. So
    // the blank follows alone, for a server that waits for it.
    await send(id);
    const first = numbers.next();
    if (!await Promise.race([first, pause(100)])) await send(" ");
    const answer = await Promise.race([first, pause(SILENCE_MS)]);
    if (!answer) throw new Error("the server does not answer");
    if (!answer.done) return await count(answer.value, numbers, send);
    // It closed instead: this ID is connected. Perhaps that is us: when a network
    // fails, the server needs SILENCE_MS to notice that we have gone.
    say(`ID ${id} is refused, trying ${isOurs ? "again" : "another"}`);
    if (!isOurs) id = anyId();
    await pause(1_000, undefined, { signal });
  }
  throw new Error(`the server refuses ID ${id}. Is it in use?`);
}

/** Counts on from a number, and asks for increments, until that fails. */
async function count(
  last: number,
  numbers: Numbers,
  send: (text: string) => Promise<number>,
): Promise<never> {
  isOurs = true;
  say(`Connected with ID ${id}, last number: ${last}`);
  const span = Number(most) - Number(least);
  const later = () => Date.now() + Number(least) + Math.random() * span;
  let increment = 1, due = later(), asked = Infinity; // when; not yet
  const listen = async () => {
    for await (increment of numbers) {
      say(`New increment: ${increment}`);
      asked = Infinity;
    }
    throw new Error("the server closed the connection");
  };
  const talk = async () => {
    while (Date.now() - asked < SILENCE_MS) {
      await pause(Number(tick));
      last += increment;
      await send(`${last} `);
      say(`Number: ${last}`);
      if (asked < Infinity || Date.now() < due) continue;
      const kind = Math.random() < 0.5 ? "odd" : "even";
      asked = Date.now();
      due = later();
      await send(`${kind} `);
      say(`Request for an ${kind} number`);
    }
    throw new Error("the server does not answer");
  };
  return await Promise.race([listen(), talk()]);
}

/**
 * Yields what the server sends, one number at a time, until it is gone.
 *
 * TCP delivers a stream of bytes that may be cut anywhere: a blank marks where a
 * number ends. Without one (as from the original), a pause of 200 ms does.
 */
async function* receive(connection: Deno.TcpConn): Numbers {
  const buffer = new Uint8Array(64);
  const read = () => connection.read(buffer).catch(() => null); // was reset
  let text = "", reading = read();
  while (true) {
    const paused = text === "" ? [] : [pause(200, 0)];
    const size = await Promise.race([reading, ...paused]);
    if (size === null) return;
    text += String.fromCharCode(...buffer.subarray(0, size)) || " ";
    if (size > 0) reading = read();
    const messages = text.split(" ");
    text = messages.pop() ?? "";
    for (const message of messages) {
      if (message === "") continue; // its blank came late
      if (!/^-?\d{1,16}$/.test(message)) {
        throw new Error("what the server sent is no number");
      }
      yield Number(message);
    }
  }
}

/** Prints a line; on a terminal above the prompt and what is being typed. */
function say(line: string): void {
  // Make room below, remember where the cursor is, insert a line, go one lower.
  const above = `\x1bD\x1b[A\x1b7\r\x1b[L${line}\x1b8\x1b[B`;
  print(Deno.stdout.isTerminal() ? above : `\n${line}\n${PROMPT}`);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

/** Yields what is typed, line by line, from a terminal or a pipe. */
async function* keyboard(): AsyncGenerator<string, undefined> {
  const typed = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of typed) {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function usage(wrong: string): never {
  const line = "Usage: client.ts [--host 127.0.0.1] [--port 2004] " +
    "[--connect] [--id 7] [--tick 500] [--pause 3000-5000]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { message } = event.reason;
  console.error(`Cannot talk with ${host} port ${port}: ${message}.`);
  Deno.exit(1);
}
