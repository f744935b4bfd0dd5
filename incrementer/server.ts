/**
 * Incrementer server: many clients count at the same time, it gives them their
 * increments and logs every message. The partner of `client.ts`.
 *
 * Start it first:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=server.log --allow-write=server.log server.ts
 *
 * Ctrl-C ends it and prints a table of its clients. It prints one while it runs
 * when it gets SIGUSR2 (`kill -USR2 PID`; on Windows: Ctrl-Break).
 *
 * On the wire: texts that end in a blank. A client sends its ID, 0 to 10000, and
 * gets the last number that this ID calculated. Then it sends numbers, and now
 * and then "odd" or "even", to which a random number of that kind is the answer.
 *
 * In the log: a line for each message, "TIME LEVEL TEXT", for example
 * "2026-01-31T12:00:00.000Z INFO Value calculated by client 7: 42". At its start
 * the server reads it back, so that clients go on from their last numbers.
 */
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { BaseHandler, FileHandler, Logger } from "jsr:@std/log@0.224";

addEventListener("unhandledrejection", explain);
const { host: hostname, port, log } = parseArgs(Deno.args, {
  string: ["host", "port", "log"],
  default: { host: "127.0.0.1", port: "2004", log: "server.log" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (log === "") usage("--log without a file");

/** What the original keeps in three lists, side by side. */
interface Row {
  readonly id: number;
  lastRandom: number;
  lastCalculated: number;
}

interface Client {
  readonly connection: Deno.TcpConn;
  /** Its row in the table, once its ID has come and is accepted. */
  row?: Row;
  /** When it last sent something (ms). */
  heard: number;
}

const rows = new Map<number, Row>();
const clients = new Set<Client>();
const online = new Set<Row>();

let step = `listen on ${hostname}:${port}`;
const tcpBacklog = 4096; // thousands of clients may come at the same time
const listener = Deno.listen({ hostname, port: Number(port), tcpBacklog });
step = `use ${log}`;
readBack();

// This handler gathers lines until flush() gives them to the system, which has
// them even if this process is killed. So: log, flush, and only then answer.
const file = new FileHandler("INFO", {
  filename: log,
  bufferSize: 64 * 1024,
  formatter: ({ datetime, levelName, msg }) =>
    `${datetime.toISOString()} ${levelName} ${msg}`,
});
file.setup();

// The screen gets its lines many at a time, too. If it stands still, it is the
// only one: what it does not take is left out there, and is in the log.
let unseen = "", left = 0, showing: Promise<void> | undefined;
const screen = new class extends BaseHandler {
  log(line: string): void {
    if (unseen.length < 1024 * 1024) unseen += `${line}\n`;
    else left++;
  }
}("INFO", { formatter: ({ msg }) => msg });

const logger = new Logger("server", "INFO", { handlers: [file, screen] });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
const look = Deno.build.os === "windows" ? "SIGBREAK" : "SIGUSR2";
process.on(look, () => unseen += table());
setInterval(tick, 100);

logger.info(`SERVER ONLINE on ${hostname}:${listener.addr.port}`);
logger.info("Waiting for new connections");
while (true) {
  try {
    serve({ connection: await listener.accept(), heard: Date.now() });
  } catch (error) {
    // It left before we came; or this process has too many files open.
    if (error instanceof Deno.errors.NotConnected) continue;
    logger.warn(`Cannot accept a client: ${error}. Is ulimit -n too low?`);
    await pause(1_000);
  }
}

/** Serves a client until it leaves, or sends what is no message. */
async function serve(client: Client): Promise<void> {
  const { connection } = client;
  clients.add(client);
  logger.info(`Connection accepted with port: ${connection.remoteAddr.port}`);
  for await (const message of receive(client)) {
    const answer = client.row
      ? take(client.row, message)
      : register(client, message);
    if (answer === "refused") break;
    if (answer === "none") continue;
    file.flush();
    await connection.write(new TextEncoder().encode(`${answer} `))
      .catch(() => {}); // it has gone, as the next read will tell
  }
  if (clients.delete(client)) connection.close();
  if (!client.row) return;
  online.delete(client.row);
  logger.info(`Client ${client.row.id} disconnected`);
}

/**
 * Yields what a client sends, one message at a time, until it is gone.
 *
 * TCP delivers a stream of bytes that may be cut anywhere; the blank marks where
 * a message ends. Only the ID may come without it, and is taken as complete when
 * nothing follows for 200 ms. More than 32 bytes are a message without a blank,
 * too, though never a right one.
 */
async function* receive(client: Client): AsyncGenerator<string, void> {
  const buffer = new Uint8Array(128); // small, because there are 10,001
  let text = "", late = false;
  while (true) {
    const read = client.connection.read(buffer).catch(() => null);
    if (text !== "" && !client.row) {
      late = await Promise.race([read, pause(200, 0, { ref: false })]) === 0;
      if (late) yield text;
      if (late) text = "";
    }
    const count = await read;
    if (count === null) return;
    client.heard = Date.now();
    text += String.fromCharCode(...buffer.subarray(0, count));
    if (late && text.startsWith(" ")) text = text.slice(1); // the ID's blank
    late = false;
    const messages = text.split(" ");
    text = messages.pop() ?? "";
    yield* messages;
    if (text.length > 32) yield text;
  }
}

/** Takes a client's ID. Answers with the last number that it calculated. */
function register(client: Client, message: string): number | "refused" {
  const { port } = client.connection.remoteAddr;
  logger.info(`Received ID from client: ${quote(message)}`);
  const id = /^\d{1,5}$/.test(message) ? Number(message) : Infinity;
  if (id > 10_000) {
    logger.warn(`Port ${port} refused: its ID is not a number from 0 to 10000`);
    return "refused";
  }
  logger.info(rows.has(id) ? "Client already registered" : "New Client");
  const row = rowOf(id);
  if (online.has(row)) {
    logger.warn(`Port ${port} refused: client ${id} is connected already`);
    return "refused";
  }
  online.add(row);
  client.row = row;
  logger.info(`Counter sent to client ${id}: ${row.lastCalculated}`);
  return row.lastCalculated;
}

/** Takes a message. Answers "odd" and "even" with such a number. */
function take(row: Row, message: string): number | "none" | "refused" {
  if (message === "odd" || message === "even") {
    logger.info(`Client ${row.id} made an ${message} number requisition`);
    const odd = message === "odd";
    row.lastRandom = 2 * Math.floor(50 * Math.random()) + Number(odd);
    const kind = odd ? "Odd" : "Even";
    logger.info(`${kind} number sent to client ${row.id}: ${row.lastRandom}`);
    return row.lastRandom;
  }
  const number = /^-?\d{1,16}$/.test(message) ? Number(message) : NaN;
  if (!Number.isSafeInteger(number)) {
    logger.warn(`Client ${row.id} refused: it sent ${quote(message)}`);
    return "refused";
  }
  row.lastCalculated = number;
  logger.info(`Value calculated by client ${row.id}: ${number}`);
  return "none";
}

/** Ten times a second: writes, shows, and closes what has fallen silent. */
async function tick(): Promise<void> {
  file.flush();
  for (const client of clients) {
    const { row, connection, heard } = client;
    const limit = row ? 30_000 : 10_000;
    if (Date.now() - heard < limit) continue;
    const who = row ? `Client ${row.id}` : `Port ${connection.remoteAddr.port}`;
    logger.warn(`${who} closed: it said nothing for ${limit / 1000} s`);
    clients.delete(client);
    connection.close();
  }
  await show();
}

function show(): Promise<void> {
  return showing ??= write().finally(() => showing = undefined);
}

/** Writes to the screen what has gathered; nobody there to see it is no error. */
async function write(): Promise<void> {
  if (left > 0) unseen += `(${left} more lines are in ${log})\n`;
  let bytes = new TextEncoder().encode(unseen);
  unseen = "";
  left = 0;
  while (bytes.length > 0) {
    const count = await Deno.stdout.write(bytes).catch(() => bytes.length);
    bytes = bytes.subarray(count);
  }
}

/**
 * Reads the log of earlier runs, line by line. What is not a line of ours is
 * passed over. A last line that was torn gets marked, so that neither it nor the
 * next one is taken for what it is not.
 */
function readBack(): void {
  using log_ = Deno.openSync(log, { read: true, append: true, create: true });
  if (!log_.statSync().isFile) return;
  const ours =
    /^[-\d]+T[:.\d]+Z INFO (?:(Odd|Even) number sent to|Counter sent to|Value calculated by) client (\d{1,5}): (-?\d{1,16})$/;
  const buffer = new Uint8Array(1024 * 1024);
  const decoder = new TextDecoder("latin1"); // each byte is a character
  let rest = "";
  for (let count; (count = log_.readSync(buffer)) !== null;) {
    const lines = (rest + decoder.decode(buffer.subarray(0, count))).split(
      "\n",
    );
    rest = lines.pop() ?? "";
    if (rest.length > 1000) rest = "?"; // no line of ours, however it ends
    for (const line of lines) {
      const [, random, id, number] = ours.exec(line) ?? [];
      if (id === undefined || Number(id) > 10_000) continue;
      if (random) rowOf(Number(id)).lastRandom = Number(number);
      else rowOf(Number(id)).lastCalculated = Number(number);
    }
  }
  if (rest !== "") log_.writeSync(new TextEncoder().encode(" (torn)\n"));
}

function rowOf(id: number): Row {
  const row = rows.get(id) ?? { id, lastRandom: 1, lastCalculated: 0 };
  rows.set(id, row);
  return row;
}

function table(): string {
  const sorted = [...rows.values()].sort((a, b) => a.id - b.id);
  return [
    ["client ID", "last random number", "last calculated number"],
    ...sorted.map((row) => [row.id, row.lastRandom, row.lastCalculated]),
  ].map(([id, random, calculated]) =>
    `${id}`.padStart(9) + `${random}`.padStart(21) +
    `${calculated}`.padStart(25) + "\n"
  ).join("");
}

/** A text that a stranger chose, so that it can harm neither log nor terminal. */
function quote(text: string): string {
  const harmless = text.slice(0, 32).replace(
    /[^ -~]|["\\]/g,
    (character) =>
      `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${harmless}"${text.length > 32 ? " and more" : ""}`;
}

async function stop(): Promise<void> {
  logger.info("SERVER OFFLINE");
  unseen += `\n${table()}`;
  const shown = (showing ?? Promise.resolve()).then(show);
  await Promise.race([shown, pause(5_000)]); // a terminal may stand still
  Deno.exit(); // closes the sockets, and the log
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
  const advice = name === "AddrInUse"
    ? " Stop the program that uses it, or pass another --port."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
