/**
 * HTTP server by hand: one page for every request, one connection after the
 * other. Compare `mt_http_server.ts`, which serves many at a time.
 *
 * Start it, then open the address that it prints in a browser:
 *
 *     deno run --allow-net=127.0.0.1 http_server.ts
 *
 * On the wire: a head comes in over TCP (request line, a line for each header,
 * an empty line; at most 16 KiB, within 5 s); a head and the page go out, and
 * the connection closes.
 */
import { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

const PAGE = `<html>
<head><title>Mini Server</title></head>
<body>
<h1>Hello!</h1>
</body>
</html>
`;
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ [!-~\x80-\xff]+ HTTP\/1\.\d\r?\n/;
const HEADERS = /(?:[\w!#$%&'*+.^`|~-]+:[\t -~\x80-\xff]*\r?\n)*\r?\n/;
const HEAD = new RegExp(REQUEST_LINE.source + HEADERS.source);

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "8080" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

const step = `listen on ${hostname}:${port}`;
const listener = Deno.listen({ hostname, port: Number(port) });
console.log(`HTTP Server running on http://${hostname}:${listener.addr.port}`);

while (true) {
  // Whoever connects while we serve waits in the system's queue. accept()
  // fails for a client that has left it again: on to the next one.
  const connection = await listener.accept().catch(() => pause(1, null));
  if (connection) await serve(connection).catch(() => {}); // it vanished
}

/** Reads a request, answers it and takes leave, all of it within 5 s. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  using _closing = connection;
  const client = connection.remoteAddr;
  console.log(`Connection from ${client.hostname}:${client.port}`);

  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(late.resolve, 5_000, "late");
  const buffer = Buffer.alloc(4096);
  const read = () => Promise.race([connection.read(buffer), late.promise]);
  try {
    // TCP may cut a request anywhere: read until it is clear what to answer.
    let head = "", status = "";
    while (status === "") {
      const count = await read();
      if (count === null && head === "") return; // it had nothing to ask
      if (count === "late") status = "408 Request Timeout";
      else {
        head += buffer.toString("latin1", 0, count ?? 0); // a byte, a character
        status = judge(head, count === null);
      }
    }

    console.log("----- HTTP REQUEST -----");
    console.log(printable(head));
    console.log("------------------------");
    await connection.write(answer(status, head.startsWith("HEAD ")));

    // Announce our end (FIN), then wait for the client's. Closing while it
    // still sends would be a reset (RST), which may destroy the answer.
    await connection.closeWrite();
    while (Number(await read()) > 0);
  } finally {
    clearTimeout(timer);
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

function usage(wrong: string): never {
  const line = "Usage: http_server.ts [--host 127.0.0.1] [--port 8080]";
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
