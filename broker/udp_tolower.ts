/**
 * UDP server: answers each datagram with its text in small letters. A partner of
 * `udp_broker.ts`.
 *
 * Start it before the broker's clients:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 udp_tolower.ts
 *
 * On the wire: a datagram with any UTF-8 text comes in, one with the converted
 * text goes back to its sender; "error: …" if there is no such answer.
 */
import { isUtf8 } from "node:buffer";
import { lookup } from "node:dns/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "8081" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

// Claim the address. There are no connections: all datagrams come to this one
// socket, whoever sends them, and wait in its queue until we take them out.
const { address } = await lookup(host);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: address,
  port: Number(port),
});
console.log(`Waiting for connections on ${nameOf(socket.addr)} ...`);

const buffer = new Uint8Array(65536); // a datagram has 65,507 bytes at most
while (true) {
  // Windows reports here that a client has gone. Then go on with the next one.
  const received = await socket.receive(buffer).catch(() => null);
  if (!received) continue;
  const [datagram, client] = received;
  console.log(`Connection established with ${nameOf(client)}`);
  // An empty datagram is a datagram, too, and its answer is empty.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(datagram);
  // Never answer an error: two programs would send each other errors for ever.
  if (text.startsWith("error: ")) continue;
  try {
    if (!isUtf8(datagram)) throw new Error("the text is not UTF-8");
    // It may be longer than the text: "Ⱥ" takes 2 bytes, "ⱥ" 3.
    const answer = text.toLowerCase();
    await socket.send(new TextEncoder().encode(answer), client);
  } catch (error) {
    const problem = `error: ${error instanceof Error ? error.message : error}`;
    await socket.send(new TextEncoder().encode(problem), client)
      .catch(throwIfForbidden); // a client that cannot be reached gets nothing
  }
}

/** "127.0.0.1:PORT" or "[::1]:PORT". */
function nameOf(address: Deno.Addr): string {
  const { hostname, port } = address as Deno.NetAddr;
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** A missing permission ends the program. Other errors concern one client. */
function throwIfForbidden(error: unknown): void {
  if (error instanceof Deno.errors.NotCapable) throw error;
}

function usage(wrong: string): never {
  const line = "Usage: udp_tolower.ts [--host 127.0.0.1] [--port 8081]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, code, message } = event.reason;
  const advice = name === "AddrInUse"
    ? " Stop the program that uses it, or pass another --port."
    : code === "EPERM"
    ? " It needs --allow-net for that name."
    : "";
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
