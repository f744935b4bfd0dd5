/**
 * Incrementer client: counts while you type. The partner of `server.ts`.
 *
 * With the server running:
 *
 *     deno run --allow-net=127.0.0.1 client.ts
 *
 * For tests and the impatient: `--connect` starts connected, `--id 7` chooses the
 * ID, `--tick 500` and `--pause 3000-5000` set the times below (in ms).
 *
 * On the wire: messages that end in a blank. The ID (0 to 10000) goes out and the
 * last number that it calculated comes in. Then every 500 ms the next number goes
 * out, and every 3 to 5 s "odd" or "even". The server answers with such a number
 * (0 to 99), by which the client counts from then on; at first it counts by 1.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port, ...options } = parseArgs(Deno.args, {
  string: ["host", "port", "id", "tick", "pause"],
  boolean: ["connect"],
  default: { host: "127.0.0.1", port: "2004", tick: "500", pause: "3000-5000" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
const { tick, id: chosen = anyId() } = options;
if (!/^(\d{1,4}|10000)$/.test(chosen)) usage(`--id ${chosen}`);
if (!/^\d{1,8}$/.test(tick)) usage(`--tick ${tick}`);
const [, least, most] = /^(\d{1,8})-(\d{1,8})$/.exec(options.pause) ?? [];
if (!(Number(least) <= Number(most))) usage(`--pause ${options.pause}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, exit);

let id = chosen, keepsId = options.id !== undefined;
let session: AbortController | undefined; // while the client is running
let ended = Promise.resolve();

const step = "show the prompt";
const PROMPT = "What do you want to do? ";
const terminal = Deno.stdout.isTerminal();
let asking = false;

print("c - connect to server\ns - shutdown client\n");
print("exit - exit client terminal\n\n");
ask();
if (options.connect) ended = run();
for await (const line of createInterface({ input: process.stdin })) {
  asking = false;
  const command = line.trim();
  if (command === "exit") break;
  if (command === "c" && session) say("Client already running!");
  if (command === "c" && !session) ended = run();
  if (command === "s" && !session) say("Client isn't running!");
  if (command === "s") session?.abort();
  if (command === "s") await ended;
  // Without a terminal the next number brings the prompt: so Enter waits for it.
  if (!asking && (terminal || !session)) ask();
}
exit(); // as at Ctrl-D, or at the end of a pipe

/** Is connected until it is shut down, or something goes wrong. */
async function run(): Promise<void> {
  const { signal } = session = new AbortController();
  let why = "";
  try {
    await connect(signal);
  } catch (error) {
    if (!signal.aborted && error instanceof Error) why = `: ${error.message}`;
    if (error instanceof Deno.errors.ConnectionRefused) {
      why += ". Is the server running?";
    }
  }
  session.abort();
  session = undefined;
  say(`Client is OFFLINE${why}`);
}

/** Connects with an ID that the server accepts, and counts. */
async function connect(signal: AbortSignal): Promise<void> {
  for (let tries = keepsId ? 5 : 100; tries > 0; tries--) {
    using connection = await Deno.connect({
      hostname,
      port: Number(port),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    signal.addEventListener("abort", () => connection[Symbol.dispose]());
    const messages = receive(connection);
    await send(connection, id);
    const late = pause(10_000, null, { signal, ref: false });
    const first = await Promise.race([messages.next(), late]);
    if (first === null) throw new Error("the server said nothing for 10 s");
    if (!first.done) {
      keepsId = true;
      return await count(connection, messages, number(first.value), signal);
    }
    // Closed instead of answered: somebody else is connected with this ID. Or it
    // is us, a moment ago: the server may still be about to notice that we left.
    if (keepsId) await pause(200, undefined, { signal });
    else say(`ID ${id} is refused, trying another`);
    if (!keepsId) id = anyId();
  }
  throw new Error(`the server refuses ID ${id}. Is it in use?`);
}

/** Counts on from a number, and asks for increments. */
async function count(
  connection: Deno.TcpConn,
  messages: AsyncGenerator<string, void>,
  last: number,
  signal: AbortSignal,
): Promise<void> {
  say(`Connected with ID ${id}, last number: ${last}`);
  let increment = 1, asked = 0, due = later();
  const listen = async () => {
    for await (const message of messages) {
      increment = number(message);
      asked = 0;
      say(`New increment: ${increment}`);
    }
    throw new Error("the server closed the connection");
  };
  const talk = async () => {
    while (true) {
      await pause(Number(tick), undefined, { signal });
      last += increment;
      await send(connection, `${last}`);
      say(`Number: ${last}`);
      if (asked > 0 && Date.now() - asked > 10_000) {
        throw new Error("the server has not answered for 10 s");
      }
      if (asked > 0 || Date.now() < due) continue;
      const kind = Math.random() < 0.5 ? "odd" : "even";
      asked = Date.now();
      due = later();
      await send(connection, kind);
      say(`Request for an ${kind} number`);
    }
  };
  await Promise.race([listen(), talk()]);
}

/**
 * Yields what the server sends, one message at a time, until it is gone.
 *
 * TCP delivers a stream of bytes that may be cut anywhere; a blank marks where a
 * message ends. Without one (as from the original), a pause of 200 ms does.
 */
async function* receive(
  connection: Deno.TcpConn,
): AsyncGenerator<string, void> {
  const buffer = new Uint8Array(128);
  let text = "";
  let read = connection.read(buffer).catch(() => null);
  while (true) {
    const size = text === ""
      ? await read
      : await Promise.race([read, pause(200, 0, { ref: false })]);
    if (size === null) return;
    if (size === 0) {
      yield text;
      text = "";
      continue;
    }
    text += new TextDecoder().decode(buffer.subarray(0, size));
    read = connection.read(buffer).catch(() => null); // a reset is an end, too
    const messages = text.split(" ");
    text = messages.pop() ?? "";
    yield* messages.filter((message) => message !== ""); // a blank that was late
    if (text.length > 32) yield text;
  }
}

/** So few bytes always fit into the system's send buffer: one write is enough. */
async function send(connection: Deno.TcpConn, message: string): Promise<void> {
  await connection.write(new TextEncoder().encode(`${message} `));
}

function number(message: string): number {
  if (/^-?\d{1,16}$/.test(message)) return Number(message);
  throw new Error("what the server sent is no number");
}

function anyId(): string {
  return `${Math.floor(Math.random() * 10_001)}`;
}

function later(): number {
  return Date.now() + Number(least) +
    Math.random() * (Number(most) - Number(least));
}

/** Prints a line, and leaves alone what the user is typing. */
function say(line: string): void {
  // On a terminal: make room below the cursor (if it is at the bottom), remember
  // where it is, insert a line above, and go back: one line lower by now.
  if (asking && terminal) print(`\x1bD\x1b[A\x1b7\r\x1b[L${line}\x1b8\x1b[B`);
  else {
    print(`${asking ? "\n" : ""}${line}\n`);
    ask();
  }
}

function ask(): void {
  asking = true;
  print(PROMPT);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function exit(): never {
  if (asking) print("\n"); // ends the prompt's line
  Deno.exit(); // closes the socket, too
}

function usage(wrong: string): never {
  const line =
    "Usage: client.ts [--host 127.0.0.1] [--port 2004] [--connect] [--id 7] [--tick 500] [--pause 3000-5000]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { message } = event.reason;
  console.error(`Cannot ${step}: ${message}.`);
  Deno.exit(1);
}
