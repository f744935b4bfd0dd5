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
 * On the wire: HTTP, written and read by hand. "Connection: keep-alive" asks to
 * leave the connection open for the next request, "Connection: close" to end it.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port, _: links } = parseArgs(Deno.args, {
  string: ["host", "port", "_"],
  default: { host: "127.0.0.1", port: "8080" },
  unknown: (wrong) => !wrong.startsWith("-") || usage(wrong),
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (links.length > 1) usage(`${links.length} links`);

const address = `${hostname.replace(/^.*:.*$/, "[$&]")}:${port}`; // [::1]:8080
const HEAD = 64 * 1024, BODY = 10 * 1024 * 1024; // bytes that we take at most
const lines = createInterface({ input: process.stdin });
const keyboard = lines[Symbol.asyncIterator]();
let step = "", again = false, heard = false, deadline = 0;
let connection: Deno.TcpConn | null = null;
let received = new Uint8Array(); // what has come and is not yet used
do {
  const link = links[0] ?? await ask("Enter the link (e.g., /index.html): ");
  if (link === null) break;
  const answer = await ask("Do you want to run the program again? (y/n): ");
  again = /^\s*y(es)?\s*$/i.test(answer ?? "n");
  await get(pathOf(String(link)), again ? "keep-alive" : "close");
} while (again);
Deno.exit(); // closes the connection, too

/** What to ask for: "/" first, ASCII without blanks, no fragment. */
function pathOf(link: string): string {
  const path = link.trim().replace(`http://${address}`, "").replace(/#.*/s, "")
    .replace(/[^!-~]/gu, encodeURIComponent);
  return path.startsWith("/") ? path : `/${path}`;
}

/** Asks for a path and prints the response. */
async function get(path: string, wish: string): Promise<void> {
  const request =
    `GET ${path} HTTP/1.1\r\nHost: ${address}\r\nConnection: ${wish}\r\n\r\n`;
  deadline = Date.now() + 120_000;
  heard = false;
  // A server may close a kept connection at any time, also just now. If it says
  // nothing on it, we connect anew and ask once more.
  let head = connection && await begin(connection, request).catch((error) => {
    if (heard) throw error;
  });
  if (!head) {
    connection?.close();
    step = `connect to ${address}`;
    const signal = AbortSignal.timeout(10_000);
    connection = await Deno.connect({ hostname, port: Number(port), signal });
    step = `get the answer of ${address}`;
    received = new Uint8Array();
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
    show(head, new Uint8Array(await new Blob(pieces).arrayBuffer()));
  }
  const options = valueOf(head, "connection");
  const stays = head[0]?.startsWith("HTTP/1.1")
    ? !/\bclose\b/i.test(options)
    : /\bkeep-alive\b/i.test(options);
  if (stays && !isToEnd(head) && received.length === 0) return;
  connection?.close();
  connection = null;
}

/** Sends a request; returns the head of the response, line by line. */
async function begin(
  connection: Deno.TcpConn,
  request: string,
): Promise<string[]> {
  let rest = new TextEncoder().encode(request);
  while (rest.length > 0) {
    rest = rest.subarray(await limited(connection.write(rest)));
  }
  let head = await takeLines();
  // "100 Continue" and its like announce the response; it is still to come.
  while (/^HTTP\/1\.\d 1(?!01)/.test(head[0] ?? "")) head = await takeLines();
  if (!/^HTTP\/1\.\d \d{3}/.test(head[0] ?? "")) {
    throw new Error("it does not speak HTTP");
  }
  return head;
}

/** What a head says of this name; all of it, with commas, if it does so twice. */
function valueOf(head: string[], name: string): string {
  const field = new RegExp(`^${name}:[ \t]*(.*?)[ \t]*$`, "i");
  return head.flatMap((line) => field.exec(line)?.[1] ?? []).join(", ");
}

/** Whether the end of the connection is the only mark of the body's end. */
function isToEnd(head: string[]): boolean {
  if (/^\S+ (204|304)/.test(head[0] ?? "")) return false;
  const coding = valueOf(head, "transfer-encoding");
  if (coding !== "") return !/(^|,)\s*chunked$/i.test(coding);
  return valueOf(head, "content-length") === "";
}

/** Yields the body's bytes as they come. */
async function* bodyOf(
  head: string[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (/^\S+ (204|304)/.test(head[0] ?? "")) return; // never have a body
  if (isToEnd(head)) return yield* take(Infinity);
  if (valueOf(head, "transfer-encoding") === "") {
    const [length = "", ...others] = new Set(
      valueOf(head, "content-length").split(/\s*,\s*/),
    );
    if (!/^\d+$/.test(length) || others.length > 0) {
      throw new Error("its Content-Length is not one number");
    }
    return yield* take(Number(length));
  }
  // In chunks: each has its size in a line before it, and 0 is the last.
  for (let size = Infinity; size > 0;) {
    const [, digits] = /^([0-9a-f]{1,12})\s*(;.*)?$/i.exec(await takeLine()) ??
      [];
    if (digits === undefined) {
      throw new Error("a chunk begins without its size");
    }
    size = parseInt(digits, 16);
    yield* take(size);
    if (size > 0 && await takeLine() !== "") {
      throw new Error("a chunk is longer than its size");
    }
  }
  await takeLines(); // what may follow the last chunk: more headers
}

/** Yields so many bytes; with Infinity all, to the end of the connection. */
async function* take(length: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  while (length > 0) {
    if (received.length === 0 && !await receive()) {
      if (length === Infinity) return;
      throw new Error(`the body ended early, ${length} bytes are missing`);
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
      throw new Error(heard ? "it left too early" : "it left without a word");
    }
  }
  const end = received.indexOf(10);
  const line = new TextDecoder().decode(received.subarray(0, end));
  received = received.subarray(end + 1);
  return line.replace(/\r$/, "");
}

/** Waits for more bytes; false when the connection has ended. */
async function receive(): Promise<boolean> {
  const buffer = new Uint8Array(received.length + 65536);
  buffer.set(received);
  const read = connection?.read(buffer.subarray(received.length)) ?? null;
  const count = await limited(Promise.resolve(read));
  if (count === null) return false;
  received = buffer.subarray(0, received.length + count);
  return heard = true;
}

/** Limits a wait to 30 s, and all waits for one response to 2 minutes. */
async function limited<T>(promise: Promise<T>): Promise<T> {
  const ms = Math.min(30_000, deadline - Date.now());
  const result = await Promise.race([
    promise,
    pause(ms, limited, { ref: false }),
  ]);
  if (result === limited) throw new Error("it takes too long");
  return result as T;
}

/** Prints a response. Its control characters must not control the terminal. */
function show(head: string[], body: Uint8Array<ArrayBuffer>): void {
  const isText = /^(text\/|$)/i.test(valueOf(head, "content-type"));
  let text = `(${body.length} bytes that are not text)`;
  try {
    text = new TextDecoder("utf-8", { fatal: !isText, ignoreBOM: true })
      .decode(body);
  } catch {
    // Not text: an image, perhaps.
  }
  const escape = (control: string) =>
    `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
  const response = `${head.join("\n")}\n\n${text}`;
  console.log(response.replace(/(?!\r\n|\n|\t)\p{Cc}/gu, escape));
}

/** What is typed; null at the end of the input. */
async function ask(prompt: string): Promise<string | null> {
  await Deno.stdout.write(new TextEncoder().encode(prompt));
  const { value, done } = await keyboard.next();
  if (done) console.log(); // ends the prompt's line
  return done ? null : value;
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
  const advice = name === "ConnectionRefused" ? " Is the server running?" : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
