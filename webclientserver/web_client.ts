/**
 * Web client: asks for a link, prints what comes back. The partner of
 * `web_server.ts`; any HTTP server will do.
 *
 * With the server running:
 *
 *     deno run --allow-net=127.0.0.1 web_client.ts
 *
 * A link as argument, as in `web_client.ts /page2.html`, is asked for each time.
 *
 * On the wire: HTTP, written and read by hand. "Connection: Keep-Alive" asks to
 * leave the connection open for the next request, "Connection: Close" to end it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const links: string[] = [];
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "8080" },
  unknown: (word) => word.startsWith("-") ? usage(word) : links.push(word),
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`--host ${host}, it is for servers`);
if (links.length > 1) usage(`${links.length} links`);

const name = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
const EMPTY = /(^|\r?\n)\r?\n/; // an empty line: the end of a head
const lines = keyboard();
let connection: Deno.TcpConn | null = null; // kept for the next request
let reading: Promise<Uint8Array<ArrayBuffer>>; // the read that is under way
let received = new Uint8Array(); // what has come and is not used yet
let again = false;
do {
  const link = links[0] ?? await ask("Enter the link (e.g., /index.html): ");
  if (link === null) break;
  const answer = await ask("Do you want to run the program again? (y/n): ");
  again = /^\s*y(es)?\s*$/i.test(answer ?? "n");
  await get(pathOf(link), again ? "Keep-Alive" : "Close");
} while (again);
Deno.exit(); // closes the connection, too

/** What to ask for: "/" first, ASCII without blanks, no fragment. */
function pathOf(link: string): string {
  const path = link.trim().replace(`http://${name}`, "").replace(/#.*/s, "")
    .toWellFormed().replace(/[^!-~]/gu, encodeURIComponent);
  return path.startsWith("/") ? path : `/${path}`;
}

/** Asks for a path and prints the response. */
async function get(path: string, wish: string): Promise<void> {
  const request =
    `GET ${path} HTTP/1.1\r\nHost: ${name}\r\nConnection: ${wish}\r\n\r\n`;
  // The server may close a kept connection at any time, even now, without a
  // response. Then we connect again.
  if (!connection || await hasSpoken() || !await send(connection, request)) {
    connection?.close();
    const signal = AbortSignal.timeout(10_000);
    const address = { hostname: host, port: Number(port), signal };
    connection = await Deno.connect(address);
    received = new Uint8Array();
    readOn(connection);
    const isHeard = await send(connection, request);
    if (!isHeard) throw new Error("it left without a word");
  }
  const { head, status, headers, isKept } = await takeHead();
  console.log(`${escape(head)}\n`);
  const type = headers.get("content-type") ?? "";
  const isText = /^(text\/|$)|json|xml/i.test(type); // an image is none
  const utf8 = new TextDecoder();
  let length = 0;
  try {
    for await (const piece of takeBody(status, headers)) {
      length += piece.length;
      if (isText) await print(escape(utf8.decode(piece, { stream: true })));
    }
  } finally {
    console.log(isText ? "" : `(${length} bytes that are not text)`);
  }
  if (isKept) return;
  connection.close();
  connection = null;
}

/** Whether something came before our request: then it is no answer to it. */
async function hasSpoken(): Promise<boolean> {
  const speaks = reading.then(() => true, () => true); // or has left
  return received.length > 0 || await Promise.race([speaks, pause(0, false)]);
}

/** Sends a request; false if the server leaves before it says a word. */
async function send(connection: Deno.TcpConn, text: string): Promise<boolean> {
  try {
    await connection.write(new TextEncoder().encode(text)); // short, so whole
    return await receive();
  } catch (error) {
    if (error instanceof Deno.errors.TimedOut) throw error;
    return false; // the connection was reset
  }
}

/** Takes the head of a response: the status line, then a line for each field. */
async function takeHead() {
  // A line that begins with a blank goes on with the field before it.
  const head = (await takeText(EMPTY)).replace(/[ \t]*\n[ \t]+/g, " ");
  const [first = "", ...fields] = head.split("\n");
  const form = /^HTTP\/1\.(\d) ([1-9]\d\d)( .*)?$/s;
  const [, minor, status = ""] = form.exec(first) ?? [];
  if (status === "") throw new Error("it does not speak HTTP");
  // "100 Continue" and its like announce the response, which is still to come.
  if (/^1(?!01)/.test(status)) return await takeHead();
  const headers = new Headers(); // which refuses names that are none
  for (const field of fields) {
    const [, name = "", value = ""] = /^(.*?):(.*)$/s.exec(field) ?? [];
    headers.append(name, value.replace(/[^\t -~]/gu, "?"));
  }
  const options = headers.get("connection")?.toLowerCase().split(/\s*,\s*/);
  const isKept = !options?.includes("close") &&
    (minor !== "0" || options?.includes("keep-alive"));
  return { head, status: Number(status), headers, isKept };
}

/** Yields the bytes of the body as they come. */
async function* takeBody(status: number, headers: Headers) {
  if (status === 204 || status === 304) return; // these have none
  const coding = headers.get("transfer-encoding");
  const lengths = headers.get("content-length"); // "5", or "5, 5"
  if (coding === null && lengths !== null) {
    const [, length] = /^(\d{1,15})(\s*,\s*\1)*$/.exec(lengths) ?? [];
    if (!length) throw new Error("its Content-Length is not one number");
    return yield* takeBytes(Number(length));
  }
  if (!/(^|,)\s*chunked$/i.test(coding ?? "")) {
    return yield* takeBytes(Infinity);
  }
  // In chunks: each has its size in a line before it, and 0 is the last.
  for (let size = Infinity; size > 0;) {
    const line = /^([\da-f]{1,12})[ \t]*(;.*)?$/is.exec(await takeText());
    if (!line) throw new Error("a chunk begins without its size");
    size = parseInt(line[1] ?? "", 16);
    yield* takeBytes(size);
    const isOver = size > 0 && await takeText() !== "";
    if (isOver) throw new Error("a chunk is longer than its size");
  }
  await takeText(EMPTY); // what may follow the last chunk: more fields
}

/** Yields so many bytes; with Infinity all, to the end of the connection. */
async function* takeBytes(count: number) {
  while (count > 0) {
    if (received.length === 0 && !await receive()) {
      if (count === Infinity) return;
      throw new Error(`its body ended early, ${count} bytes are missing`);
    }
    const piece = received.subarray(0, count);
    received = received.subarray(piece.length);
    count -= piece.length;
    yield piece;
  }
}

/** Takes the text up to an end, by default that of a line: CR LF, or just LF. */
async function takeText(end = /\r?\n/): Promise<string> {
  const bytes = new TextDecoder("latin1"); // a character for each byte
  let found;
  while (!(found = end.exec(bytes.decode(received)))) {
    if (received.length > 65536) throw new Error("its head is over 64 KiB");
    if (!await receive()) throw new Error("it left too early");
  }
  const text = new TextDecoder().decode(received.subarray(0, found.index))
    .replaceAll("\r\n", "\n");
  received = received.subarray(found.index + found[0].length);
  if (/[\r\0]/.test(text)) throw new Error("a line has a CR or NUL in it");
  return text;
}

/** Waits for more bytes, 10 s at most; false when the connection has ended. */
async function receive(): Promise<boolean> {
  const bytes = await Promise.race([reading, pause(10_000, null)]);
  if (!bytes) throw new Deno.errors.TimedOut("it takes too long");
  received = await new Blob([received, bytes]).bytes();
  if (connection) readOn(connection);
  return bytes.length > 0;
}

/** Reads, also while nobody waits for it: so we see what comes unasked. */
function readOn(connection: Deno.TcpConn): void {
  const buffer = new Uint8Array(65536);
  const bytesOf = (count: number | null) => buffer.subarray(0, count ?? 0);
  reading = connection.read(buffer).then(bytesOf);
  reading.catch(() => {}); // who waits for it sees the error
}

/** Makes a stranger's text safe to print: it cannot command the terminal. */
function escape(text: string): string {
  const control = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
  return text.replace(control, (c) => c === "\r" ? "" : "\uFFFD");
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(text));
}

/** What is typed; null at the end of the input. */
async function ask(prompt: string): Promise<string | null> {
  await print(prompt);
  const { value, done } = await lines.next();
  if (done) console.log(); // ends the prompt's line
  return done ? null : value;
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
  const line = "Usage: web_client.ts [--host 127.0.0.1] [--port 8080] [LINK]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  const isAlone = name === "ConnectionRefused" || name === "TimeoutError";
  const advice = isAlone ? " Is the server running?" : "";
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
