/**
 * TCP client: says hello, prints the answer. The partner of `server.ts`.
 *
 * With the server running:
 *
 *     deno run --allow-net=127.0.0.1 client.ts
 *
 * On the wire: "Hello from client!" goes out as UTF-8, the server's text comes
 * in, and the server closes the connection.
 */
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "12345" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`--host ${host}, it is for servers`);

// The two systems shake hands (SYN, SYN-ACK, ACK). That takes one round trip.
// A machine that does not answer at all costs us 10 s.
using connection = await Deno.connect({
  hostname: host,
  port: Number(port),
  signal: AbortSignal.timeout(10_000),
});

// Text travels as bytes, in UTF-8. So few bytes fit in the system's send
// buffer, and one write() is enough.
await connection.write(new TextEncoder().encode("Hello from client!"));

// TCP delivers a stream of bytes. Nothing in it marks where a message ends, so
// we take what one read returns: what has arrived by now and fits the buffer.
const buffer = new Uint8Array(1024);
const length = await connection.read(buffer);
if (length === null) throw new Error("the server left without a word");
const message = new TextDecoder().decode(buffer.subarray(0, length));
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
console.log("Server says:", message.replace(control, "\uFFFD"));

function usage(wrong: string): never {
  const line = "Usage: client.ts [--host 127.0.0.1] [--port 12345]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  let advice = name === "ConnectionRefused" ? " Is the server running?" : "";
  if (name === "TimeoutError") advice = " Is the address right? A firewall?";
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
