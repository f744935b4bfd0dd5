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
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "12345" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

// Claim the address. From here on the system queues connections to it for us.
using listener = Deno.listen({ hostname: host, port: Number(port) });
console.log(`Server listening on port ${listener.addr.port}...`);

// Wait for a client. accept() returns a second socket, for that client alone.
using connection = await listener.accept();
const { hostname, port: from } = connection.remoteAddr;
const name = hostname.includes(":") ? `[${hostname}]` : hostname; // IPv6
console.log(`Connected by ${name}:${from}`);

// TCP delivers a stream of bytes. Nothing in it marks where a message ends, so
// we take what one read returns: what has arrived by now and fits the buffer.
const buffer = new Uint8Array(1024);
const length = await connection.read(buffer);
if (length === null) throw new Error("the client left without a word");
const message = new TextDecoder().decode(buffer.subarray(0, length));
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
console.log("Client says:", message.replace(control, "\uFFFD"));

// Text travels as bytes, in UTF-8. At the end `using` closes both sockets.
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
    ? " Stop the program that uses it, wait a minute, or pass another --port."
    : "";
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
