/**
 * Incrementer server: many clients count at the same time. It gives them their
 * increments and logs every message. The partner of `client.ts`.
 *
 * Start it first:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=server.log --allow-write=server.log server.ts
 *
 * Ctrl-C ends it and prints a table of all clients; SIGUSR2 (on Windows
 * Ctrl-Break) prints that table while it runs.
 *
 * On the wire: messages that end in a blank. A client sends its ID (0 to 10000)
 * and gets the last number that this ID calculated. Then it sends a number every
 * 500 ms, and now and then "odd" or "even", which is answered with such a number
 * (0 to 99). A client that is silent for 30 s has vanished: it is disconnected.
 *
 * In the log: "2026-01-31T12:00:00.000Z INFO Value calculated by client 7: 42",
 * a line for each message. The server reads it back at its start, so that
 * clients go on from their last numbers.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { ConsoleHandler, FileHandler, Logger } from "jsr:@std/log@0.224";

/** How long a client may be silent. It knows this number, too. */
const SILENCE_MS = 30_000;

addEventListener("unhandledrejection", explain);
const { host, port, log } = parseArgs(Deno.args, {
  string: ["host", "port", "log"],
  default: { host: "127.0.0.1", port: "2004", log: "server.log" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (log === "") usage("--log without a name");

/** What the original keeps in three lists, side by side. */
class Row {
  lastRandom = 1;
  lastCalculated = 0;
  online = false;
  constructor(readonly id: number) {}
}
const rows: Row[] = []; // by ID
/** Why a client is disconnected. */
class Refusal extends Error {}

let step = `serve on ${host} port ${port}`;
const listener = Deno.listen({ hostname: host, port: Number(port) });
step = `use ${log}`; // nothing else can fail from here on
await readBack();

// Each line goes to the system at once, which keeps it even if we are killed.
const file = new FileHandler("INFO", {
  filename: log,
  bufferSize: 0,
  formatter: ({ datetime, levelName, msg }) =>
    `${datetime.toISOString()} ${levelName} ${msg}`,
});
file.setup();
const screen = new ConsoleHandler("INFO", {
  useColors: false,
  formatter: ({ msg }) => msg,
});
const logger = new Logger("server", "INFO", { handlers: [file, screen] });

Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);
const look = Deno.build.os === "windows" ? "SIGBREAK" : "SIGUSR2";
Deno.addSignalListener(look, showTable);

const name = host.includes(":") ? `[${host}]` : host; // IPv6
logger.info(`SERVER ONLINE on ${name}:${listener.addr.port}`);
logger.info("Waiting for new connections");
while (true) {
  const connection = await listener.accept().catch(async ({ code }) => {
    // A client that has left already costs nothing. But without a free file
    // descriptor accept() fails at once, again and again: then we wait.
    if (code !== "EMFILE") return;
    logger.warn("Too many open files: clients must wait. See ulimit -n.");
    await pause(1_000);
  });
  if (connection) serve(connection); // and, meanwhile, on to the next one
}

/** Serves a client until it leaves or is refused. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  using _closing = connection;
  const { port } = connection.remoteAddr;
  logger.info(`Connection accepted with port: ${port}`);
  let row: Row | undefined; // once its ID has been accepted
  const name = () => row ? `Client ${row.id}` : `Port ${port}`;
  try {
    for await (const message of receive(connection)) {
      const known = row !== undefined;
      row ??= register(message);
      const answer = known ? take(row, message) : row.lastCalculated;
      if (answer === undefined) continue;
      // It is in the log by now: what a client knows survives a crash.
      const sent = connection.write(new TextEncoder().encode(`${answer} `));
      if (await within(SILENCE_MS, sent.catch(() => 0)) === "late") {
        throw new Refusal("it does not read its answers");
      }
    }
    logger.info(`${name()} disconnected`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    logger.warn(`${name()} refused: ${error.message}`);
  }
  if (row) row.online = false;
}

/**
 * Yields what a client sends, one message at a time, until it closes.
 *
 * TCP delivers a stream of bytes that may be cut and joined anywhere: a blank
 * marks where a message ends. The original sends its ID without one, and then
 * waits for the answer: so the first message also ends when nothing follows.
 */
async function* receive(
  connection: Deno.TcpConn,
): AsyncGenerator<string, void> {
  const buffer = new Uint8Array(64); // small, because there are 10,001
  const read = () => connection.read(buffer).catch(() => null); // was reset
  let first = true, text = "", reading = read();
  while (true) {
    const mayEnd = first && text !== "";
    const size = await within(mayEnd ? 200 : SILENCE_MS, reading);
    if (size === null) return;
    if (size === "late" && !mayEnd) throw new Refusal("it was silent for 30 s");
    if (size === "late") text += " ";
    else {
      text += String.fromCharCode(...buffer.subarray(0, size));
      reading = read();
    }
    const messages = text.split(" ");
    text = messages.pop() ?? "";
    for (const message of messages) {
      if (message === "") continue; // its blank came late
      first = false;
      yield message;
    }
    if (text.length > 32) throw new Refusal(`it sent "${escape(text)}"`);
  }
}

/** Takes an ID; returns its row. */
function register(message: string): Row {
  logger.info(`Received ID from client: ${escape(message)}`);
  const id = /^\d{1,5}$/.test(message) ? Number(message) : NaN;
  if (!(id <= 10_000)) throw new Refusal("no ID from 0 to 10000");
  if (rows[id]?.online) throw new Refusal(`ID ${id} is connected already`);
  logger.info(rows[id] ? "Client already registered" : "New Client");
  const row = rows[id] ??= new Row(id);
  row.online = true;
  logger.info(`Counter sent to client ${id}: ${row.lastCalculated}`);
  return row;
}

/** Takes any other message; returns a number if that was asked for. */
function take(row: Row, message: string): number | undefined {
  if (message === "odd" || message === "even") {
    const [kind, rest] = message === "odd" ? ["Odd", 1] : ["Even", 0];
    logger.info(`Client ${row.id} made an ${message} number requisition`);
    row.lastRandom = 2 * Math.floor(50 * Math.random()) + rest;
    logger.info(`${kind} number sent to client ${row.id}: ${row.lastRandom}`);
    return row.lastRandom;
  }
  const number = /^-?\d{1,16}$/.test(message) ? Number(message) : NaN;
  if (!Number.isSafeInteger(number)) {
    throw new Refusal(`it sent "${escape(message)}"`);
  }
  row.lastCalculated = number;
  logger.info(`Value calculated by client ${row.id}: ${number}`);
}

/** What a promise brings, or "late" when that takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | "late"> {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(resolve, ms, "late");
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}

/**
 * Reads the log of earlier runs, and passes over what is not a line of ours. A
 * last line may be torn: the server was killed while it wrote. It is marked,
 * because half of "23" is "2", and would be believed the next time.
 */
async function readBack(): Promise<void> {
  const old = await Deno.open(log, { read: true, append: true, create: true });
  if (!(await old.stat()).isFile) return; // a device has nothing to tell
  const ours =
    /^\S+Z INFO (?:(Odd|Even) number sent to|Counter sent to|Value calculated by) client (\d{1,5}): (-?\d{1,16})\r?$/;
  let rest = "";
  for await (const text of old.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, random, id, number] = ours.exec(line) ?? [];
      if (id === undefined || Number(id) > 10_000) continue;
      const row = rows[Number(id)] ??= new Row(Number(id));
      row[random ? "lastRandom" : "lastCalculated"] = Number(number);
    }
  }
  if (rest !== "") await Deno.writeTextFile(log, " (torn)\n", { append: true });
}

function stop(): never {
  logger.info("SERVER OFFLINE");
  showTable();
  Deno.exit(); // closes the sockets, and the log
}

function showTable(): void {
  console.log("client ID   last random number   last calculated number");
  rows.forEach(({ id, lastRandom, lastCalculated }) => {
    const cells = [`${id}`.padStart(9), `${lastRandom}`.padStart(18)];
    console.log(`${cells.join("   ")}   ${`${lastCalculated}`.padStart(22)}`);
  });
}

/** Makes a stranger's text safe to print: it cannot command the terminal. */
function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
}

function usage(wrong: string): never {
  const line =
    "Usage: server.ts [--host 127.0.0.1] [--port 2004] [--log server.log]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  const inUse = " Stop the program that uses it, or pass another --port.";
  const advice = name === "AddrInUse" ? inUse : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
