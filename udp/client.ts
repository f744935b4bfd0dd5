/**
 * UDP client: sends one datagram, prints the answer. The partner of `server.ts`.
 *
 * With the server running:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 client.ts
 *
 * On the wire: one datagram of UTF-8 each way, no connection. Either may get
 * lost, and nobody tells us, so the client waits 3 s for an answer.
 */
import { lookup } from "node:dns/promises";
import { SocketAddress } from "node:net";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "12345" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`--host ${host}, it is for servers`);
const { address, family } = await lookup(host); // a name stands for a number

// Our own socket. On a loopback address it reaches this machine alone.
const any = family === 6 ? "::" : "0.0.0.0";
const hostname = /^127\.|^::1$/.test(address) ? address : any;
const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });

// There is nothing to connect: a datagram just goes to an address.
const to = { transport: "udp", hostname: address, port: Number(port) } as const;
await socket.send(new TextEncoder().encode("Hello from client!"), to);
const late = new Deno.errors.TimedOut("no reply within 3 s");
setTimeout(() => Promise.reject(late), 3_000);

// Anyone can send to our socket: believe only the server that we asked. Its
// address must be in the form that Deno shows (fd00::1, not FD00:0::1%eth0).
const asked = new SocketAddress({
  address: address.replace(/%.*/, ""),
  family: family === 6 ? "ipv6" : "ipv4",
});
for await (const [datagram, sender] of socket) {
  const { hostname, port } = sender as Deno.NetAddr;
  if (hostname !== asked.address || port !== to.port) continue;
  const message = new TextDecoder().decode(datagram);
  const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
  console.log("Server says:", message.replace(control, "\uFFFD"));
  Deno.exit(); // closes the socket, too
}

function usage(wrong: string): never {
  const line = "Usage: client.ts [--host 127.0.0.1] [--port 12345]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { code, name, message } = event.reason;
  let advice = /TimedOut|Reset/.test(name) ? " Is the server running?" : "";
  if (code === "EPERM") advice = ` It needs --allow-net=${host}.`;
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
