/**
 * Incrementer server: many clients count at the same time, it gives them their
 * increments and logs every message. The partner of `client.ts`.
 *
 * Start it first:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=server.log --allow-write=server.log server.ts
 *
 * Ctrl-C ends it and prints a table of all clients. SIGUSR2 (`kill -USR2 PID`; on
 * Windows Ctrl-Break) prints that table while it runs.
 *
 * On the wire: messages that end in a blank. A client sends its ID (0 to 10000)
 * and gets the last number that this ID calculated. Then it sends numbers, and
 * now and then "odd" or "even", which is answered with such a number (0 to 99).
 *
 * In the log: a line for each message, "TIME LEVEL TEXT", for example
 * "2026-01-31T12:00:00.000Z INFO Value calculated by client 7: 42". At its start
 * the server reads it back, so that clients go on from their last numbers.
 */
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
if (log === "") usage("--log without a name");

/** What the original keeps in three lists, side by side. */
class Row {
  lastRandom = 1;
  lastCalculated = 0;
  online = false;
  constructor(readonly id: number) {}
}
const rows: Row[] = []; // by ID

class Client {
  row?: Row; // once its ID has been accepted
  text = ""; // the beginning of a message
  bare = false; // whether its ID came without a blank, which may still follow
  heard = Date.now(); // when it last sent something
  constructor(readonly connection: Deno.TcpConn) {}
}
const clients = new Set<Client>();

let step = `listen on ${hostname}:${port}`;
const tcpBacklog = 4096; // thousands may come at the same time
const listener = Deno.listen({ hostname, port: Number(port), tcpBacklog });
step = `use ${log}`;
readBack();

// The handler gathers lines until flush() hands them to the system, which keeps
// them even if this process is killed. So: log, flush, and only then answer.
const file = new FileHandler("INFO", {
  filename: log,
  bufferSize: 64 * 1024,
  formatter: ({ datetime, levelName, msg }) =>
    `${datetime.toISOString()} ${levelName} ${msg}`,
});
file.setup();

// The screen gets its lines many at a time, too. When it stands still the service
// goes on: what does not fit into 1 MiB then is in the log alone.
let unseen = "", left = 0, showing = false;
const screen = new class extends BaseHandler {
  override log(line: string): void {
    if (unseen.length < 1024 * 1024) unseen += `${line}\n`;
    else left++;
  }
}("INFO", { formatter: ({ msg }) => msg });

const logger = new Logger("server", "INFO", { handlers: [file, screen] });
Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);
const look = Deno.build.os === "windows" ? "SIGBREAK" : "SIGUSR2";
Deno.addSignalListener(look, () => unseen += table());

logger.info(`SERVER ONLINE on ${hostname}:${listener.addr.port}`);
logger.info("Waiting for new connections");
tick(); // shows these at once
setInterval(tick, 100);
while (true) {
  try {
    serve(new Client(await listener.accept()));
  } catch (error) {
    // It left before we came; or this process may not open more files.
    if (error instanceof Deno.errors.NotConnected) continue;
    logger.warn(`Cannot accept a client: ${error}. Is ulimit -n too low?`);
    await pause(1_000);
  }
}

/** Serves a client until it leaves or is refused. */
async function serve(client: Client): Promise<void> {
  const { connection } = client;
  clients.add(client);
  logger.info(`Connection accepted with port: ${connection.remoteAddr.port}`);
  const buffer = new Uint8Array(128); // small, because there are 10,001
  while (clients.has(client)) {
    let size: number | null = null;
    try {
      size = await connection.read(buffer);
    } catch {
      // It was reset; or we have closed it.
    }
    if (size === null) close(client, "disconnected");
    else await take(client, String.fromCharCode(...buffer.subarray(0, size)));
  }
}

/**
 * Takes what came from a client, and answers.
 *
 * TCP delivers a stream of bytes that may be cut anywhere: a blank marks where a
 * message ends, and what has none yet waits for the rest, up to 32 bytes.
 */
async function take(client: Client, received: string): Promise<void> {
  if (client.bare && received.startsWith(" ")) received = received.slice(1);
  client.bare = false;
  client.heard = Date.now();
  const messages = (client.text + received).split(" ");
  client.text = messages.pop() ?? "";
  if (client.text.length > 32) messages.push(client.text);

  let answers = "", refusal = "";
  for (const message of messages) {
    if (refusal !== "") break;
    const { row } = client;
    const answer = row ? count(row, message) : register(client, message);
    if (typeof answer === "number") answers += `${answer} `;
    else refusal = answer;
  }
  if (answers !== "") {
    file.flush();
    const bytes = new TextEncoder().encode(answers);
    await client.connection.write(bytes).catch(() => {}); // read() will tell
  }
  if (refusal !== "") close(client, `refused: ${refusal}`);
}

/** Takes an ID; returns the last number that it calculated, or a refusal. */
function register(client: Client, message: string): number | string {
  logger.info(`Received ID from client: ${quote(message)}`);
  const id = Number(message);
  if (!/^\d{1,5}$/.test(message) || id > 10_000) return "no ID from 0 to 10000";
  if (rows[id]?.online) return `ID ${id} is connected already`;
  logger.info(rows[id] ? "Client already registered" : "New Client");
  client.row = rows[id] ??= new Row(id);
  client.row.online = true;
  logger.info(`Counter sent to client ${id}: ${client.row.lastCalculated}`);
  return client.row.lastCalculated;
}

/** Takes a message; returns a number if that was asked for, "", or a refusal. */
function count(row: Row, message: string): number | string {
  if (message === "odd" || message === "even") {
    const [kind, rest] = message === "odd" ? ["Odd", 1] : ["Even", 0];
    logger.info(`Client ${row.id} made an ${message} number requisition`);
    row.lastRandom = 2 * Math.floor(50 * Math.random()) + rest;
    logger.info(`${kind} number sent to client ${row.id}: ${row.lastRandom}`);
    return row.lastRandom;
  }
  const number = /^-?\d{1,16}$/.test(message) ? Number(message) : NaN;
  if (!Number.isSafeInteger(number)) return `it sent "${quote(message)}"`;
  row.lastCalculated = number;
  logger.info(`Value calculated by client ${row.id}: ${number}`);
  return "";
}

/** Ends a connection, once. */
function close(client: Client, why: string): void {
  if (!clients.delete(client)) return;
  const { row, connection } = client;
  const name = row ? `Client ${row.id}` : `Port ${connection.remoteAddr.port}`;
  logger[why === "disconnected" ? "info" : "warn"](`${name} ${why}`);
  connection.close();
  if (row) row.online = false;
}

/** What is due ten times a second. */
async function tick(): Promise<void> {
  file.flush();
  for (const client of clients) {
    const silence = Date.now() - client.heard;
    if (!client.row && client.text !== "" && silence > 200) {
      take(client, " "); // an ID as the original sends it
      client.bare = true;
    } else if (silence > (client.row ? 30_000 : 10_000)) {
      close(client, "closed: it has been silent for too long");
    }
  }
  if (showing || unseen === "") return;
  showing = true;
  if (left > 0) unseen += `(${left} more lines: see ${log})\n`;
  let bytes = new TextEncoder().encode(unseen);
  unseen = "";
  left = 0;
  while (bytes.length > 0) {
    const shown = Deno.stdout.write(bytes).catch(() => bytes.length); // no reader
    bytes = bytes.subarray(await shown);
  }
  showing = false;
}

/** Prints the table, for at most 5 s if the screen stands still, and ends. */
async function stop(): Promise<void> {
  if (logger.handlers.length === 1) Deno.exit(); // told so once more
  logger.info("SERVER OFFLINE");
  logger.handlers = [file];
  unseen += table();
  for (let i = 0; i < 50 && (unseen !== "" || showing); i++) await pause(100);
  Deno.exit(); // closes the sockets, and the log
}

/**
 * Reads the log of earlier runs. Passes over what is not a line of ours, and
 * marks a last line that was torn off, so that none ever takes it for a whole.
 */
function readBack(): void {
  using old = Deno.openSync(log, { read: true, append: true, create: true });
  if (!old.statSync().isFile) return; // /dev/null has nothing to tell
  const ours = new RegExp(
    "^[-0-9]+T[0-9:.]+Z INFO (?:(Odd|Even) number sent to|Counter sent to|" +
      "Value calculated by) client ([0-9]{1,5}): (-?[0-9]{1,16})$",
  );
  const buffer = new Uint8Array(1024 * 1024);
  const decoder = new TextDecoder("latin1"); // a byte is a character
  let rest = "";
  for (let size; (size = old.readSync(buffer)) !== null;) {
    const lines = (rest + decoder.decode(buffer.subarray(0, size))).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > 1000) rest = "?"; // whatever that is, it is not a line
    for (const line of lines) {
      const [, random, id, number] = ours.exec(line) ?? [];
      if (id === undefined || Number(id) > 10_000) continue;
      const row = rows[Number(id)] ??= new Row(Number(id));
      row[random ? "lastRandom" : "lastCalculated"] = Number(number);
    }
  }
  if (rest !== "") old.writeSync(new TextEncoder().encode(" (torn)\n"));
}

function table(): string {
  let text = "client ID   last random number   last calculated number\n";
  rows.forEach(({ id, lastRandom, lastCalculated }) => {
    const cells = [`${id}`.padStart(9), `${lastRandom}`.padStart(18)];
    text += `${cells.join("   ")}   ${`${lastCalculated}`.padStart(22)}\n`;
  });
  return text;
}

/** What a stranger sent, so that it can harm neither the log nor a terminal. */
function quote(text: string): string {
  const escape = (character: string) =>
    `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  const start = text.slice(0, 32).replace(/[^ -~]|["\\]/g, escape);
  return text.length > 32 ? `${start}...` : start;
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
  addEventListener("error", (event) => event.preventDefault()); // a full disk
  Deno.exit(1);
}
