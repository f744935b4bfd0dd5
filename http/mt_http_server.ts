/**
 * HTTP server by hand, threaded: one page for every request, many connections
 * at a time, on all cores. Compare `http_server.ts`.
 *
 * Start it, then open the address that it prints in a browser:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 --allow-read=mt_http_server.ts mt_http_server.ts
 *
 * On the wire: a head comes in over TCP (request line, a line for each header,
 * an empty line; at most 16 KiB, within 5 s); a head and the page go out, and
 * the connection closes.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, Worker, workerData } from "node:worker_threads";

const PAGE = `<html>
<head><title>Mini Server</title></head>
<body>
<h1>Hello from Deno Mini HTTP Server</h1>
<p>This is a threaded, raw socket HTTP response!</p>
</body>
</html>
`;
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ [!-~\x80-\xff]+ HTTP\/1\.\d\r?\n/;
const HEADERS = /(?:[\w!#$%&'*+.^`|~-]+:[\t -~\x80-\xff]*\r?\n)*\r?\n/;
const HEAD = new RegExp(REQUEST_LINE.source + HEADERS.source);
const USUAL = answer("200 OK", false);

addEventListener("unhandledrejection", explain);
let step = "start";
/** A connection, when it began, and what has come over it and been answered. */
interface Client {
  connection: Deno.TcpConn;
  since: number;
  head: string;
  status: string;
}
const clients = new Set<Client>();
const spare: Buffer[] = []; // making a buffer takes longer than reading into it
let unwritten = "", unshown = 0, writing: Promise<void> | undefined;

// Every thread runs this file. The first one starts the others, writes what
// they print, and stops them; they serve.
if (parentPort) await work(workerData);
else await lead();

async function lead(): Promise<void> {
  // Imported here, since only the first thread may without --allow-read.
  const { parseArgs } = await import("jsr:@std/cli@1/parse-args");
  const { host: hostname, port } = parseArgs(Deno.args, {
    string: ["host", "port"],
    default: { host: "127.0.0.1", port: "8080" },
    unknown: usage,
  });
  if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);

  // The threads share the port, which another server of that kind could do as
  // well, unnoticed: so first make sure that it is free.
  step = `listen on ${hostname}:${port}`;
  const listener = Deno.listen({ hostname, port: Number(port) });
  const address = { hostname, port: listener.addr.port };
  listener.close();

  step = "start threads";
  const file = new URL(import.meta.url);
  Deno.statSync(file); // they need to read it
  const linux = Deno.build.os === "linux";
  const length = linux ? navigator.hardwareConcurrency : 1;
  const threads = Array.from(
    { length },
    () => new Worker(file, { workerData: address }),
  );
  const ends = threads.map(async (thread) => {
    const [status] = await once(thread, "exit");
    if (status !== 0) Deno.exit(status); // it has said why
  });
  const stdout = Deno.stdout.writable.getWriter();
  const write = (text: string) =>
    stdout.write(new TextEncoder().encode(text)).catch(() => {});
  for (const thread of threads) {
    thread.on("message", async (text) => {
      await write(text);
      thread.postMessage("written");
    });
  }

  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
      for (const thread of threads) thread.postMessage("stop");
      await Promise.race([Promise.all(ends), pause(2_000)]);
      const farewell = write("\nServer is shutting down...\n");
      await Promise.race([farewell, pause(2_000)]);
      Deno.exit();
    });
  }

  await Promise.race(threads.map((thread) => once(thread, "message")));
  write(`Threaded HTTP Server running on http://${hostname}:${address.port}\n`);
  if (!linux) {
    write("This system cannot share a port: serving in one thread.\n");
  }
}

/** Serves: each of the threads accepts connections from the one port. */
async function work(address: Deno.TcpListenOptions): Promise<void> {
  step = `listen on ${address.hostname}:${address.port}`;
  const listener = Deno.listen({ ...address, reusePort: true });
  parentPort?.postMessage("");
  parentPort?.on("message", (word) => {
    if (word !== "stop") return;
    parentPort?.postMessage(unwritten);
    process.exit(); // ends this thread and closes its sockets
  });
  setInterval(sweep, 250);
  while (true) {
    // accept() fails for a client that has left by now, and when the system
    // has no more sockets for us: on to the next one.
    const connection = await listener.accept().catch(() => pause(1, null));
    // Not awaited: while this one is served, we accept the next.
    if (connection) serve(connection).catch(() => {}); // it vanished
  }
}

/** Reads a request and answers it, then waits for the client to close. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  using _closing = connection;
  const client: Client = {
    connection,
    since: Date.now(),
    head: "",
    status: "",
  };
  clients.add(client);
  const buffer = spare.pop() ?? Buffer.alloc(2048);
  try {
    for (let ended = false; !ended;) {
      const count = await connection.read(buffer);
      ended = count === null;
      if (client.status !== "" || (ended && client.head === "")) continue;
      // TCP may cut a request anywhere: collect until it is clear what to answer.
      client.head += buffer.toString("latin1", 0, count ?? 0); // byte by byte
      const status = judge(client.head, ended);
      if (status !== "") await reply(client, status);
    }
  } finally {
    clients.delete(client);
    spare.push(buffer);
  }
}

async function reply(client: Client, status: string): Promise<void> {
  const { connection, head } = client;
  client.status = status;
  const { hostname, port } = connection.remoteAddr;
  print(
    `----- HTTP REQUEST from ${hostname}:${port} -----\n${printable(head)}\n` +
      "-----------------------------------\n",
  );
  const headOnly = head.startsWith("HEAD ");
  const isUsual = status === "200 OK" && !headOnly;
  await connection.write(isUsual ? USUAL : answer(status, headOnly));
  // Announce our end (FIN), but do not close yet: while the client still sends,
  // that would be a reset (RST), which may destroy the answer on its way.
  await connection.closeWrite();
}

/** Ends what has lasted 5 s. One timer for all costs less than one for each. */
function sweep(): void {
  for (const client of clients) { // the oldest first
    if (Date.now() - client.since < 5_000) return;
    if (client.status !== "") client.connection.close();
    else reply(client, "408 Request Timeout").catch(() => {});
  }
}

/** The status for what has come so far; "" while it may become a request. */
function judge(head: string, ended: boolean): string {
  const [whole] = HEAD.exec(head) ?? [];
  if ((whole ?? head).length > 16 * 1024) {
    return "431 Request Header Fields Too Large";
  }
  if (whole) return "200 OK";
  const wrong = ended || /[^\t\r\n -~\x80-\xff]|\n\r?\n/.test(head) ||
    (head.includes("\n") && !REQUEST_LINE.test(head));
  return wrong ? "400 Bad Request" : "";
}

/**
 * The head as UTF-8, with what could command a terminal escaped (%1B), and
 * line ends too unless it is HTTP, lest it imitate what we print around it.
 */
function printable(head: string): string {
  const [whole] = HEAD.exec(head) ?? [];
  if (whole && /^[\t\r\n -~]*$/.test(whole)) return whole;
  const text = Buffer.from(whole ?? head, "latin1").toString();
  const risk = whole ? /(?![\t\r\n])\p{C}/gu : /\p{C}/gu;
  return text.replace(risk, encodeURIComponent);
}

/** The bytes to send: a head and, unless only that is wanted, the page. */
function answer(status: string, headOnly: boolean): Uint8Array {
  const page = status === "200 OK" ? PAGE : `<h1>${status}</h1>\n`;
  const head = `HTTP/1.1 ${status}\r\n` +
    "Content-Type: text/html\r\n" +
    `Content-Length: ${page.length}\r\n` + // in bytes: the page is ASCII
    "Connection: close\r\n\r\n";
  return new TextEncoder().encode(headOnly ? head : head + page);
}

/** Has a text written, unless too much of it waits already. */
function print(text: string): void {
  if (unwritten.length > 8 * 1024 * 1024) {
    unshown++; // nobody reads it: serving goes on
    return;
  }
  unwritten += unshown > 0 ? `(${unshown} not shown)\n${text}` : text;
  unshown = 0;
  writing ??= flush();
}

/** Hands over what gathers in 50 ms at once: one by one would cost too much. */
async function flush(): Promise<void> {
  while (unwritten !== "") {
    await pause(50);
    parentPort?.postMessage(unwritten);
    unwritten = "";
    if (parentPort) await once(parentPort, "message"); // it is written
  }
  writing = undefined;
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
  const advice = name === "AddrInUse"
    ? " Stop the program that uses it, or pass another --port."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
