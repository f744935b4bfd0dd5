/**
 * HTTP server by hand, threaded: one page for every request, many connections
 * at a time, on all cores. Compare `http_server.ts`.
 *
 * Start it, then open the address that it prints in a browser:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 --allow-read=mt_http_server.ts mt_http_server.ts
 *
 * On the wire: a head comes in (request line, a line for each header, an empty
 * line); a head and a page go out, and the connection closes.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util"; // threads may not read what "jsr:" means
import { parentPort, Worker, workerData } from "node:worker_threads";

const HELLO = `<h1>Hello from Deno Mini HTTP Server</h1>
<p>This is a threaded, raw socket HTTP response!</p>`;
const pageOf = (text: string) =>
  `<!DOCTYPE html>
<html lang="en">
<head><title>Mini Server</title>
<meta name="color-scheme" content="light dark"></head>
<body><main>
${text}
</main></body>
</html>
`;
// What a head looks like (RFC 9112). Each byte of it is a character here.
const START = /^([\w!#$%&'*+.^`|~-]+) [!-~\x80-\xff]+ HTTP\/1\.(\d)\r?\n/;
const HEADERS = /(?:[\w!#$%&'*+.^`|~-]+:[\t -~\x80-\xff]*\r?\n)*\r?\n/;
const HEAD = new RegExp(START.source + HEADERS.source);
const HOST = /^host:[\t ]*(\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?[\t ]*$/i;

addEventListener("unhandledrejection", explain);
const { host, port } = options();
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);

// Every thread runs this file. All but the first stay at this line and serve.
if (workerData) await serveAll(workerData);
Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);

// Claim the address for a moment. Threads that share a port would share it with
// another server of this kind, too. This also makes a port out of 0.
const listener = Deno.listen({ hostname: host, port: Number(port) });
const address = listener.addr;
listener.close();

// One thread for each core, so that they compute at the same time.
const file = new URL(import.meta.url);
Deno.statSync(file); // threads need the permission to read it
const linux = Deno.build.os === "linux";
const threads = Array.from(
  { length: linux ? navigator.hardwareConcurrency : 1 },
  () => new Worker(file, { workerData: address.port, env: {} }),
);
for (const thread of threads) thread.on("exit", Deno.exit); // it has said why
await Promise.all(threads.map((thread) => once(thread, "message")));
console.log(`Threaded HTTP Server running on http://${nameOf(address)}`);
if (!linux) console.log("This system cannot share a port: one thread serves.");

/** Accepts connections from the shared port, as every thread does. */
async function serveAll(port: number): Promise<never> {
  const listener = Deno.listen({ hostname: host, port, reusePort: true });
  parentPort?.postMessage("listening");
  while (true) {
    // Others wait in the system's queue. accept() fails for a client that has
    // left it, and while too many files are open. Either passes: try again.
    const connection = await listener.accept().catch(() => pause(100, null));
    // Not awaited: while this one is served, we accept the next.
    if (connection) serve(connection).catch(() => {}); // it vanished
  }
}

/** Reads a request, answers it and closes, all of it within 5 s. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  using client = connection; // closed at the end, whatever happens
  const from = nameOf(client.remoteAddr);
  const buffer = Buffer.alloc(4096);
  const late = pause(5_000, "late" as const);
  const read = () => Promise.race([client.read(buffer), late]);

  // TCP may cut a request anywhere: read until it is clear what to answer.
  let text = "", status = "";
  while (status === "") {
    const count = await read();
    if (count === null && text === "") return; // it asks nothing
    const piece = buffer.toString("latin1", 0, Number(count) || 0);
    text = (text + piece).replace(/^(\r?\n)+/, ""); // empty lines before it
    status = statusOf(text, count);
  }
  const [head = text] = HEAD.exec(text) ?? [];
  console.log( // in one piece: other threads print, too
    `----- HTTP REQUEST from ${from} -----\n${escape(head)}\n` +
      "-----------------------------------",
  );
  await client.write(answer(status, head.startsWith("HEAD ")));

  // Lingering close: say that we send no more (FIN), and read on until the client
  // closes, too. Closing at once may cause a reset (RST) that destroys the answer.
  await client.closeWrite();
  while (typeof await read() === "number");
}

/** The status for what has come so far; "" while it may become a request. */
function statusOf(text: string, count: number | null | "late"): string {
  const [head = text, method, minor] = HEAD.exec(text) ?? [];
  if (head.length > 16 * 1024) return "431 Request Header Fields Too Large";
  if (method) { // the head is complete
    const hosts = head.match(/^host:.*/gim)?.join("\n");
    const valid = hosts === undefined ? minor === "0" : HOST.test(hosts);
    if (!valid) return "400 Bad Request";
    return method === "CONNECT" ? "405 Method Not Allowed" : "200 OK";
  }
  const firstLine = !head.includes("\n") || START.test(head);
  const wrong = /[^\t\r\n -~\x80-\xff]|\n\r?\n/.test(head);
  if (count === null || wrong || !firstLine) return "400 Bad Request";
  return count === "late" ? "408 Request Timeout" : "";
}

/** The bytes to send: a head and, unless only that is wanted, a page. */
function answer(status: string, headOnly: boolean): Uint8Array {
  const page = pageOf(status === "200 OK" ? HELLO : `<h1>${status}</h1>`);
  const allow = status.startsWith("405") ? "Allow: GET, HEAD, POST\r\n" : "";
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/html\r\n` +
    `Content-Length: ${page.length}\r\n` + // in bytes: the page is ASCII
    `${allow}Connection: close\r\n\r\n`;
  return new TextEncoder().encode(headOnly ? head : head + page);
}

/** Makes a stranger's text safe to print: it cannot command the terminal. */
function escape(head: string): string {
  const text = Buffer.from(head, "latin1").toString(); // the bytes are UTF-8
  const kept = HEAD.test(head) ? "\t\r\n" : ""; // others could imitate our lines
  const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
  return text.replace(control, (c) => kept.includes(c) ? c : "\uFFFD");
}

/** An address to type: IPv6 in brackets, this machine in place of all. */
function nameOf({ hostname, port }: Deno.NetAddr): string {
  const host = hostname.replace(/^(0\.0\.0\.0|::)$/, "localhost");
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function options() {
  const host = { type: "string", default: "127.0.0.1" } as const;
  const port = { type: "string", default: "8080" } as const;
  try {
    return parseArgs({ args: Deno.args, options: { host, port } }).values;
  } catch (error) { // Unknown option '--x', Unexpected argument 'x'
    return usage(String(error).split("'")[1] ?? "this");
  }
}

function stop(): never {
  console.log("\nServer is shutting down...");
  Deno.exit(); // this ends the threads, too
}

function usage(wrong: string): never {
  const line = "Usage: mt_http_server.ts [--host 127.0.0.1] [--port 8080]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  const inUse = " Stop the program that uses it, or pass another --port.";
  const advice = name === "AddrInUse" ? inUse : "";
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
