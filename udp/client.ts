/**
 * UDP client: sends one datagram, prints the answer. The partner of `server.ts`.
 *
 * With the server running:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 client.ts
 *
 * On the wire: "Hello from client!" goes out as one datagram of UTF-8, and one
 * comes back. Either may get lost without anyone being told, so the client
 * waits 3 s for the answer.
 */
import { lookup } from "node:dns/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "12345" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);

// Senders are known by their numbers, so we need the server's, not its name.
const step = `talk to ${hostname}:${port}`;
const { address } = await lookup(hostname, 4);
const server = {
  transport: "udp",
  hostname: address,
  port: Number(port),
} as const;

// A socket of our own, on a port that the system picks: answers come to it. One
// on a loopback address reaches this machine alone, one on "any" all others.
const any = address.includes(":") ? "::" : "0.0.0.0";
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: /^127\.|^::1$/.test(address) ? address : any,
  port: 0,
});

// There is nothing to connect: a datagram just goes to an address.
await socket.send(new TextEncoder().encode("Hello from client!"), server);

// Nobody reports a lost datagram, so the wait needs a bound.
pause(3_000, null, { ref: false }).then(() => {
  throw new Deno.errors.TimedOut("no reply within 3 s");
});

// Anyone can send to our socket: believe only the server that we asked.
for await (const [datagram, sender] of socket) {
  if (name(sender) !== name(server)) continue;
  console.log("Server says:", new TextDecoder().decode(datagram));
  break;
}
socket.close();

/** HOST:PORT; Deno's type has room for addresses that are not UDP, too. */
function name(address: Deno.Addr): string {
  if (address.transport !== "udp") throw new Error("not a UDP address");
  return `${address.hostname}:${address.port}`;
}

function usage(wrong: string): never {
  const line = "Usage: client.ts [--host 127.0.0.1] [--port 12345]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message, code } = event.reason;
  const advice = /TimedOut|ConnectionReset/.test(name) // a reset on Windows
    ? " Is the server running?"
    : code === "EPERM" // Deno may not look the name up
    ? " Run it with --allow-net."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
