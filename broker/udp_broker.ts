/**
 * UDP broker: takes the requests of many clients (`udp_client.ts`) to two
 * servers (`udp_toupper.ts`, `udp_tolower.ts`), and the answers back.
 *
 * Start it before the clients:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 udp_broker.ts
 *
 * On the wire, one datagram each: the client sends "toupper:TEXT" or
 * "tolower:TEXT" as UTF-8, the server gets TEXT, and its answer goes to the
 * client, or "error: …". Nothing in an answer says which request it is for. So
 * each request leaves from a port of its own, and its answer comes to that port.
 */
import { isUtf8 } from "node:buffer";
import { lookup } from "node:dns/promises";
import { SocketAddress } from "node:net";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { ConsoleHandler, Logger } from "jsr:@std/log@0.224";

addEventListener("unhandledrejection", explain);
const { host, port, toupper, tolower } = parseArgs(Deno.args, {
  string: ["host", "port", "toupper", "tolower"],
  default: {
    host: "127.0.0.1",
    port: "8082",
    toupper: "127.0.0.1:8080",
    tolower: "127.0.0.1:8081",
  },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

/** How long to wait until a server is asked again, and how often it is asked. */
const WAIT_MS = 500, TRIES = 3;
const servers = {
  toupper: await find("--toupper", toupper),
  tolower: await find("--tolower", tolower),
};
// Ports from 49152 to 65535 are for short uses like ours. We begin anywhere.
let lastPort = 49152 + Math.floor(Math.random() * 16384);

/** How many requests may wait for answers, for each operation. */
const LIMIT = 200;
const inFlight = { toupper: 0, tolower: 0 };
const operations = ["toupper", "tolower"] as const;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const handler = new ConsoleHandler("INFO", { useColors: false });
const logger = new Logger("broker", "INFO", { handlers: [handler] });

// Claim the address: from now on the system queues what clients send.
const { address } = await lookup(host);
const here = { hostname: address, port: Number(port) };
const socket = Deno.listenDatagram({ transport: "udp", ...here });
console.log(`Waiting for connections on ${nameOf(socket.addr)} ...`);
const buffer = new Uint8Array(65536); // a datagram has 65,507 bytes at most
while (true) {
  // Windows reports here that a client has gone. Then go on with the next one.
  const received = await socket.receive(buffer).catch(() => null);
  // Nobody waits here for the answer, so that other clients can ask meanwhile.
  if (received) serve(received[0].slice(), received[1]);
}

/** Answers one request. */
async function serve(request: Uint8Array, client: Deno.Addr): Promise<void> {
  const text = utf8.decode(request);
  // Never answer an error: two programs would send each other errors for ever.
  if (text.startsWith("error: ")) return;
  let answer = await convert(request, text).catch(errorOf);
  await socket.send(answer, client).catch((error) => {
    answer = errorOf(error); // it is too large for this system, for example
    return socket.send(answer, client).catch(errorOf);
  });
  const shown = utf8.decode(answer);
  const level = shown.startsWith("error: ") ? "warn" : "info";
  logger[level](escape(`${nameOf(client)} "${text}" -> "${shown}"`));
}

/** Checks a request, and gets its text converted. */
async function convert(request: Uint8Array, text: string) {
  const operation = operations.find((name) => text.startsWith(`${name}:`));
  if (!operation) throw new Error("send 'toupper:text' or 'tolower:text'");
  if (!isUtf8(request)) throw new Error("the text is not UTF-8");
  const rest = request.subarray(operation.length + 1);
  if (rest.length === 0) throw new Error("there is no text to convert");
  if (inFlight[operation] >= LIMIT) {
    throw new Error("too many requests in flight, try again");
  }
  inFlight[operation]++;
  return await ask(operation, rest).finally(() => inFlight[operation]--);
}

/** Asks the server, again if a datagram seems lost, and returns its answer. */
async function ask(operation: typeof operations[number], text: Uint8Array) {
  if (utf8.decode(text).startsWith("error: ")) {
    throw new Error("servers don't answer a text that begins like an error");
  }
  const server = servers[operation];
  const own = openSocket(server.from);
  let tries = 1;
  const timer = setInterval(() => {
    if (tries++ < TRIES) own.send(text, server).catch(() => {});
    else own.close(); // the wait below ends
  }, WAIT_MS);
  try {
    await own.send(text, server);
    // A text takes at most three times the space when its letters are changed.
    const buffer = new Uint8Array(Math.max(1024, text.length * 3) + 1);
    while (true) {
      const [answer, sender] = await own.receive(buffer);
      // Anyone can send to this socket: believe only the server that we asked.
      if (nameOf(sender) !== server.shown) continue;
      if (answer.length < buffer.length) return answer;
      throw new Error("the answer is too large"); // the rest of it is cut off
    }
  } catch (error) {
    if (tries <= TRIES) throw error;
    throw new Error(`the ${operation} server does not answer`);
  } finally {
    clearInterval(timer);
    if (tries <= TRIES) own.close(); // nobody takes what comes later
  }
}

/**
 * Opens a socket for one request, on the next port. A server may answer late,
 * or twice. Then nobody must wait at that port for another answer. The system
 * might choose a port that was closed just now. In turn, each one rests.
 */
function openSocket(hostname: string): Deno.DatagramConn {
  for (let taken = 0;; taken++) {
    lastPort = lastPort < 65535 ? lastPort + 1 : 49152;
    const port = lastPort;
    try {
      return Deno.listenDatagram({ transport: "udp", hostname, port });
    } catch (error) { // as a rule, somebody uses this port
      if (taken === 100) throw error;
    }
  }
}

/** Finds the server that an option names, and where its requests leave from. */
async function find(option: string, place: string) {
  const [, name = "", digits] = /^(\[.+\]|[^:[\]]+):(\d+)$/.exec(place) ?? [];
  const port = Number(digits);
  if (!(port > 0 && port < 65536)) usage(`${option} ${place}`);
  const { address, family } = await lookup(name.replace(/[[\]]/g, ""));
  if (/^[0.:]+$/.test(address)) {
    usage(`${option} ${place}, it is for listening`);
  }
  const { address: hostname } = new SocketAddress({
    address: address.replace(/%.*/, ""),
    family: family === 6 ? "ipv6" : "ipv4",
  });
  // Answers come from fd00::1, even if we are told FD00:0::1%eth0.
  const shown = nameOf({ transport: "udp", hostname, port });
  // A socket on a loopback address reaches this machine alone.
  const any = family === 6 ? "::" : "0.0.0.0";
  const from = /^127\.|^::1$/.test(hostname) ? hostname : any;
  return { transport: "udp" as const, hostname: address, port, shown, from };
}

/** "127.0.0.1:PORT" or "[::1]:PORT". */
function nameOf(address: Deno.Addr): string {
  const { hostname, port } = address as Deno.NetAddr;
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Makes a stranger's text safe to print: it cannot command the terminal. */
function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
}

/** What a client gets. But a missing permission ends the program. */
function errorOf(error: Error): Uint8Array {
  if (error instanceof Deno.errors.NotCapable) throw error;
  return new TextEncoder().encode(`error: ${error.message}`);
}

function usage(wrong: string): never {
  const line = "Usage: udp_broker.ts [--host 127.0.0.1] [--port 8082] " +
    "[--toupper 127.0.0.1:8080] [--tolower 127.0.0.1:8081]";
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
