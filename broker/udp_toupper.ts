/**
 * UDP server: answers each datagram with its text in capitals. A partner of
 * `udp_broker.ts`.
 *
 * Start it before the broker's clients:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 udp_toupper.ts
 *
 * On the wire: a datagram with any UTF-8 text comes in, one with the converted
 * text goes back to its sender; "error: …" if there is no such answer.
 */
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "8080" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

// Claim the address. There are no connections: all datagrams come to this one
// socket, whoever sends them, and wait in its queue until we take them out.
let step = `listen on ${hostname}:${port}`;
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname,
  port: Number(port),
});
step = `serve on ${hostname}:${port}`;
const address = socket.addr.transport === "udp" ? socket.addr.port : port;
console.log(`Waiting for connections on ${hostname}:${address} ...`);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const buffer = new Uint8Array(65536); // a datagram has 65,507 bytes at most
const lines: string[] = [];
addEventListener("unload", printLines);
while (true) {
  // Windows reports here that a client has gone: on with the next.
  const received = await socket.receive(buffer).catch(() => null);
  if (received?.[1].transport !== "udp") continue;
  const [datagram, client] = received;

  // An empty datagram is a datagram, too: its answer is empty.
  const answer = convert(datagram);
  await socket.send(answer, client).catch(() => {}); // it may not be reachable

  // Many lines at a time: alone, each would cost as much as its datagram.
  const line = `Connection established with ${client.hostname}:${client.port}`;
  if (lines.push(line) === 1) setTimeout(printLines, 20);
}

function convert(datagram: Uint8Array): Uint8Array {
  let text: string;
  try {
    text = utf8.decode(datagram);
  } catch {
    return new TextEncoder().encode("error: the text is not UTF-8");
  }
  // Not only letters change: "ß" becomes "SS", and "ΐ" from 2 bytes 6.
  const answer = new TextEncoder().encode(text.toUpperCase());
  return answer.length <= 65507
    ? answer
    : new TextEncoder().encode("error: the answer is larger than a datagram");
}

function printLines(): void {
  if (lines.length > 0) console.log(lines.splice(0).join("\n"));
}

function usage(wrong: string): never {
  const line = "Usage: udp_toupper.ts [--host 127.0.0.1] [--port 8080]";
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
