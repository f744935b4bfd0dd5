/**
 * TCP server: answers one client, then stops. The partner of `client.ts`.
 *
 * Start it first:
 *
 *     deno run --allow-net=127.0.0.1 server.ts
 *
 * On the wire: the client's text comes in as UTF-8, "Hello from server!" goes
 * out, and the connection closes.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "12345" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

// Claim the address. From here on the system queues connections to it for us.
let step = `listen on ${hostname}:${port}`;
using listener = Deno.listen({ hostname, port: Number(port) });
console.log(`Server listening on port ${listener.addr.port}...`);

// Wait for a client. accept() returns a second socket, for that client alone.
using connection = await listener.accept();
const client = connection.remoteAddr;
console.log(`Connected by ${client.hostname}:${client.port}`);

// TCP delivers a stream of bytes that may be cut anywhere, and nothing in it
// marks where a message ends. So we take what comes until the client closes its
// side or pauses: 30 s at first, then 200 ms, but 5 s inside a character (half
// of one decodes to U+FFFD), because its other half must be on the way.
step = `hear from ${client.hostname}:${client.port}`;
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
console.log("Client says:", message);

// So short an answer always fits into the system's send buffer: one write() is
// enough. At the end of this file `using` closes both sockets.
step = `answer ${client.hostname}:${client.port}`;
await connection.write(new TextEncoder().encode("Hello from server!"));

function usage(wrong: string): never {
  const line = "Usage: server.ts [--host 127.0.0.1] [--port 12345]";
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
