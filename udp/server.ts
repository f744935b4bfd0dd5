/**
 * UDP server: answers one datagram, then stops. The partner of `client.ts`.
 *
 * Start it first:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 server.ts
 *
 * On the wire: the client's text comes in as one datagram of UTF-8, and "Hello
 * from server!" goes back to where it came from. There is no connection.
 */
import { lookup } from "node:dns/promises";
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

// Claim the address. A name may stand for several: the client, too, takes the
// one that lookup() returns.
const { address } = await lookup(host);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: address,
  port: Number(port),
});
console.log(
  `Server listening on port ${(socket.addr as Deno.NetAddr).port}...`,
);

// Wait for a datagram. It comes whole or not at all, with its sender's address.
const [datagram, client] = await socket.receive(new Uint8Array(65_536));
const message = new TextDecoder().decode(datagram);
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
console.log("Client says:", message.replace(control, "\uFFFD"));

// Answer to that address. Nobody tells us whether the datagram arrives.
await socket.send(new TextEncoder().encode("Hello from server!"), client);
socket.close();

function usage(wrong: string): never {
  const line = "Usage: server.ts [--host 127.0.0.1] [--port 12345]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { code, name, message } = event.reason;
  let advice = code === "EPERM" ? ` It needs --allow-net=${host}.` : "";
  if (name === "AddrInUse") {
    advice = " Stop the program that uses it, or pass another --port.";
  }
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
