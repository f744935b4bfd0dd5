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
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "12345" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);

// The system shakes hands with the server's system (SYN, SYN-ACK, ACK); that
// takes one round trip, and the bound is for a machine that does not answer.
let step = `connect to ${hostname}:${port}`;
const signal = AbortSignal.timeout(10_000);
using connection = await Deno.connect({ hostname, port: Number(port), signal });

// Text travels as bytes. So few always fit into the system's send buffer, and
// one write() is enough; a longer text would need a loop.
step = `talk to ${hostname}:${port}`;
await connection.write(new TextEncoder().encode("Hello from client!"));

// TCP delivers a stream of bytes that may be cut anywhere, and nothing in it
// marks where a message ends. So we take what comes until the server closes its
// side or pauses: 30 s at first, then 200 ms, but 5 s inside a character (half
// of one decodes to U+FFFD), because its other half must be on the way.
const buffer = new Uint8Array(1024 * 1024);
let length = 0, wait = 30_000, message = "";
while (length < buffer.length) {
  const read = connection.read(buffer.subarray(length));
  const count = await Promise.race([read, pause(wait, null, { ref: false })]);
  if (count === null) break;
  length += count;
  message = new TextDecoder().decode(buffer.subarray(0, length));
  wait = message.endsWith("\uFFFD") ? 5_000 : 200;
}
if (length === 0) throw new Error("it left, or said nothing for 30 s");
console.log("Server says:", message);

function usage(wrong: string): never {
  const line = "Usage: client.ts [--host 127.0.0.1] [--port 12345]";
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
