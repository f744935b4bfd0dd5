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
const HEAD = 64 * 1024, BODY = 10 * 1024 * 1024; // bytes that we take at most
const lines = keyboard(), buffer = new Uint8Array(65536);
let connection: Deno.TcpConn | null = null;
let reading: Promise<number | null>; // the read that is under way
let received = new Uint8Array(); // what has come and is not yet used
let isQuiet = true, isHeard = false, deadline = 0, again = false;
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
  deadline = Date.now() + 120_000;
  // What came on a kept connection before we ask is no answer to us: its end,
  // or a response that nobody asked for (RFC 9112, 9.2). Then we connect anew,
  // and also when the server closes just now and says nothing.
  let head: string[] | null = null;
  if (connection && isQuiet) {
    head = await begin(connection, request).catch((error) => {
      if (isHeard) throw error;
      return null;
    });
  }
  if (!head) {
    connection?.close();
    const signal = AbortSignal.timeout(10_000);
    const address = { hostname: host, port: Number(port), signal };
    connection = await Deno.connect(address);
    received = new Uint8Array();
    startReading();
    head = await begin(connection, request);
  }

  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for await (const piece of bodyOf(head)) {
      pieces.push(piece);
      length += piece.length;
      if (length > BODY) throw new Error("its body is longer than 10 MiB");
    }
  } finally {
    show(head, await new Blob(pieces).bytes());
  }
  if (isKept(head) && received.length === 0) return;
  connection?.close();
  connection = null;
}

/** Sends a request; returns the head of the response, line by line. */
async function begin(connection: Deno.TcpConn, request: string) {
  let rest = new TextEncoder().encode(request);
  isHeard = false;
  while (rest.length > 0) {
    rest = rest.subarray(await limited(connection.write(rest)));
  }
  let head = await takeHead();
  // "100 Continue" and its like announce the response, which is still to come.
  while (/^\S+ 1(?!01)/.test(head[0] ?? "")) head = await takeHead();
  return head;
}

/** Takes a head: the status line, then a line for each field. */
async function takeHead(): Promise<string[]> {
  // A line that begins with a blank goes on with the field before it.
  const text = (await takeLines()).join("\n").replace(/[ \t]*\n[ \t]+/g, " ");
  const [status = "", ...fields] = text.split("\n");
  if (!/^HTTP\/1\.\d [1-9]\d\d( .*)?$/s.test(status)) {
    throw new Error("it does not speak HTTP");
  }
  const isNamed = fields.every((line) => /^[\w!#$%&'*+.^`|~-]+:/.test(line));
  if (!isNamed) throw new Error("a line of its head has no name");
  return [status, ...fields];
}

/** What a head says of this name: with commas, if it does so more than once. */
function valueOf(head: string[], name: string): string | undefined {
  const field = new RegExp(`^${name}:[ \t]*([^]*?)[ \t]*$`, "i");
  const values = head.flatMap((line) => field.exec(line)?.[1] ?? []);
  return values.length > 0 ? values.join(",") : undefined;
}

/** Whether the connection stays for the next request (RFC 9112, 9.3). */
function isKept(head: string[]): boolean {
  const options = valueOf(head, "connection") ?? "";
  const isAsked = again && !head[0]?.startsWith("HTTP/1.0") ||
    /(^|,)[ \t]*keep-alive[ \t]*(,|$)/i.test(options);
  const isRefused = /(^|,)[ \t]*close[ \t]*(,|$)/i.test(options);
  return lengthOf(head) !== Infinity && isAsked && !isRefused;
}

/** The bytes of the body; "chunked", or Infinity: up to the connection's end. */
function lengthOf(head: string[]): number | "chunked" {
  if (/^\S+ (204|304)/.test(head[0] ?? "")) return 0; // never have a body
  const coding = valueOf(head, "transfer-encoding");
  if (coding !== undefined) {
    return /(^|,)[ \t]*chunked$/i.test(coding) ? "chunked" : Infinity;
  }
  const text = valueOf(head, "content-length");
  if (text === undefined) return Infinity;
  const [length = "", ...others] = new Set(text.split(/[ \t]*,[ \t]*/));
  if (/^\d{1,15}$/.test(length) && others.length === 0) return Number(length);
  throw new Error("its Content-Length is not one number");
}

/** Yields the body's bytes as they come. */
async function* bodyOf(head: string[]) {
  const length = lengthOf(head);
  if (length !== "chunked") return yield* take(length);
  // In chunks: each has its size in a line before it, and 0 is the last.
  for (let size = Infinity; size > 0;) {
    const line = /^([\da-f]{1,12})[ \t]*(;.*)?$/is.exec(await takeLine());
    if (!line) throw new Error("a chunk begins without its size");
    size = parseInt(line[1] ?? "", 16);
    yield* take(size);
    if (size > 0 && await takeLine() !== "") {
      throw new Error("a chunk is longer than its size");
    }
  }
  await takeLines(); // what may follow the last chunk: more fields
}

/** Yields so many bytes; with Infinity all, to the end of the connection. */
async function* take(length: number) {
  while (length > 0) {
    if (received.length === 0 && !await receive()) {
      if (length === Infinity) return;
      throw new Error(`its body ended early, ${length} bytes are missing`);
    }
    const piece = received.subarray(0, length);
    received = received.subarray(piece.length);
    length -= piece.length;
    yield piece;
  }
}

/** Takes lines up to an empty one. */
async function takeLines(): Promise<string[]> {
  const lines: string[] = [];
  let size = 0;
  for (let line = await takeLine(); line !== ""; line = await takeLine()) {
    lines.push(line);
    size += line.length;
    if (size > HEAD) throw new Error("its head is longer than 64 KiB");
  }
  return lines;
}

/** Takes a line; its end is CR LF, or just LF. */
async function takeLine(): Promise<string> {
  while (!received.includes(10)) {
    if (received.length > HEAD) throw new Error("a line is longer than 64 KiB");
    if (!await receive()) {
      throw new Error(isHeard ? "it left too early" : "it left without a word");
    }
  }
  const end = received.indexOf(10);
  const line = new TextDecoder().decode(received.subarray(0, end))
    .replace(/\r$/, "");
  received = received.subarray(end + 1);
  if (/[\r\0]/.test(line)) throw new Error("a line has a CR or NUL in it");
  return line;
}

/** Waits for more bytes; false when the connection has ended. */
async function receive(): Promise<boolean> {
  const count = await limited(reading);
  if (count === null) return false;
  const both = new Uint8Array(received.length + count);
  both.set(received);
  both.set(buffer.subarray(0, count), received.length);
  received = both;
  startReading();
  return isHeard = true;
}

/** Reads on, also while nobody waits for it: so we see what comes unasked. */
function startReading(): void {
  isQuiet = true;
  const stop = () => void (isQuiet = false);
  reading = connection?.read(buffer) ?? Promise.resolve(null);
  reading.then(stop, stop);
}

/** Limits a wait to 30 s, and all waits for one response to 2 minutes. */
async function limited<T>(promise: Promise<T>): Promise<T> {
  const late = pause(Math.min(30_000, deadline - Date.now()), limited, {
    ref: false,
  });
  const result = await Promise.race([promise, late]);
  if (result === limited) throw new Error("it takes too long");
  return result as T;
}

/** Prints a response. Its control characters must not control the terminal. */
function show(head: string[], body: Uint8Array<ArrayBuffer>): void {
  const isText = /^(text\/|$)/i.test(valueOf(head, "content-type") ?? "");
  const text = new TextDecoder().decode(body);
  const isShown = isText || !text.includes("\uFFFD"); // an image is no text
  const shown = isShown ? text : `(${body.length} bytes that are not text)`;
  console.log(`${head.map(escape).join("\n")}\n\n${escape(shown)}`);
}

/** Makes a stranger's text safe to print: it cannot command the terminal. */
function escape(text: string): string {
  const control = /(?!\r\n|\n|\t)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
  return text.replace(control, "\uFFFD");
}

/** What is typed; null at the end of the input. */
async function ask(prompt: string): Promise<string | null> {
  await Deno.stdout.write(new TextEncoder().encode(prompt));
  const { value, done } = await lines.next();
  if (done) console.log(); // ends the prompt's line
  return done ? null : value;
}

/** Yields what is typed, line by line, from a terminal or a pipe. */
async function* keyboard(): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
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
