/**
 * UDP server: answers one datagram, then stops. The partner of `client.ts`.
 *
 * Start it first:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 server.ts
 *
 * On the wire: the client's text comes in as one datagram of UTF-8, and
 * "Hello from server!" goes back to where it came from. No connection is made.
 */
import { lookup } from "node:dns/promises";
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

// Claim the address. From here on the system queues datagrams to it for us.
let step = `listen on ${hostname}:${port}`;
const { address } = await lookup(hostname, 4);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: address,
  port: Number(port),
});
console.log(`Server listening on port ${inet(socket.addr).port}...`);

// A datagram arrives whole or not at all, so there is nothing to put together.
// The buffer has room for the largest: what does not fit would be cut off.
const [datagram, sender] = await socket.receive(new Uint8Array(65_536));
console.log("Client says:", new TextDecoder().decode(datagram));

// Without a connection each answer says where it goes. Whether it arrives,
// nobody tells us.
step = `answer ${inet(sender).hostname}:${inet(sender).port}`;
await socket.send(new TextEncoder().encode("Hello from server!"), sender);
socket.close();

/** The address of a UDP socket; Deno's type has room for other kinds, too. */
function inet(address: Deno.Addr): Deno.NetAddr {
  if (address.transport !== "udp") throw new Error("not a UDP address");
  return address;
}

function usage(wrong: string): never {
  const line = "Usage: server.ts [--host 127.0.0.1] [--port 12345]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message, code } = event.reason;
  const advice = name === "AddrInUse"
    ? " Stop the program that uses it, or pass another --port."
    : code === "EPERM" // Deno may not look the name up
    ? " Run it with --allow-net."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
