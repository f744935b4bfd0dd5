/**
 * UDP broker: takes the requests of many clients (`udp_client.ts`) to the
 * servers (`udp_toupper.ts`, `udp_tolower.ts`), and their answers back.
 *
 * Start it before the clients:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 udp_broker.ts
 *
 * On the wire, a datagram for each: the client sends "toupper:TEXT" or
 * "tolower:TEXT" as UTF-8, the server gets TEXT, its answer goes to the client;
 * "error: …" if there is none. Nothing in an answer says whose it is. So, as in
 * a NAT router, each request leaves from a socket that carries no other: what
 * the server sends there is the answer to it.
 */
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { BaseHandler, Logger } from "jsr:@std/log@0.224";

addEventListener("unhandledrejection", explain);
const { host: hostname, port, ...servers } = parseArgs(Deno.args, {
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

/** Requests in flight to a server, and so sockets towards it. */
const SEATS = 200;
/** How long a server may take: with the check every 100 ms, less than 2 s. */
const PATIENCE_MS = 1500;
/** How many ports where an answer is overdue are remembered. */
const OVERDUE = 5000;

interface Request {
  client: Deno.NetAddr;
  text: string;
  since: number;
}

/** A socket towards a server, and the one request that it carries. */
interface Seat {
  service: Service;
  buffer: Uint8Array;
  socket?: Deno.DatagramConn | undefined;
  request?: Request | undefined;
}

interface Service {
  name: string;
  server: Deno.NetAddr;
  free: Seat[];
  overdue: Set<number>;
}

/** Prints lines many at a time: alone, each costs as much as a datagram. */
class BatchHandler extends BaseHandler {
  #lines: string[] = [];

  override log(line: string): void {
    if (this.#lines.push(line) === 1) setTimeout(() => this.flush(), 20);
    else if (this.#lines.length === 500) this.flush();
  }

  flush(): void {
    if (this.#lines.length > 0) console.log(this.#lines.join("\n"));
    this.#lines = [];
  }
}

const handler = new BatchHandler("INFO");
const logger = new Logger("broker", "INFO", { handlers: [handler] });
addEventListener("unload", () => handler.flush());
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder();

// Claim the address: from now on the system queues requests.
let step = `listen on ${hostname}:${port}`;
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname,
  port: Number(port),
});
const services = new Map<string, Service>();
for (const name of ["toupper", "tolower"] as const) {
  services.set(name, await openService(name, servers[name]));
}
const waiting = new Set<Seat>(); // the one that has waited longest comes first
setInterval(giveUp, 100);
console.log(`Waiting for connections on ${hostname}:${portOf(socket)} ...`);

// Open all sockets that there will ever be: in the middle of the work would be
// a bad time to find out that they are too many.
for (const service of services.values()) openSeats(service);

step = `serve on ${hostname}:${port}`;
const buffer = new Uint8Array(65536); // a datagram has 65,507 bytes at most
while (true) {
  // Windows reports here that a client has gone: on with the next.
  const received = await socket.receive(buffer).catch(() => null);
  if (received?.[1].transport === "udp") {
    await forward(received[0], received[1]);
  }
}

/** Sends a client's text to its server, or an error back to the client. */
async function forward(
  datagram: Uint8Array,
  client: Deno.NetAddr,
): Promise<void> {
  // Servers have no requests. They answer everything, so to answer one would
  // be to talk with it for ever; it takes one datagram with a forged sender.
  for (const { server } of services.values()) {
    if (isSame(client, server)) return;
  }

  const request = { client, text: "", since: performance.now() };
  let seat: Seat | undefined;
  try {
    request.text = utf8.decode(datagram);
    const colon = request.text.indexOf(":");
    const service = services.get(request.text.slice(0, Math.max(colon, 0)));
    if (!service) throw new Error("send 'toupper:text' or 'tolower:text'");
    const text = datagram.subarray(colon + 1);
    // An empty datagram ends the original's servers.
    if (text.length === 0) throw new Error("there is no text to convert");

    // The seat that has been free longest: should the server answer a request
    // twice, the second answer most likely finds nobody waiting for it.
    seat = service.free.shift();
    if (!seat) throw new Error("too many requests in flight, try again");
    seat.request = request;
    waiting.add(seat);
    await (seat.socket ?? openSocket(seat)).send(text, service.server);
  } catch (error) {
    if (seat?.request === request) release(seat);
    await refuse(request, error instanceof Error ? error.message : `${error}`);
  }
}

/** Takes the server's answers to the clients, until the socket is closed. */
async function carry(seat: Seat, socket: Deno.DatagramConn): Promise<void> {
  while (seat.socket === socket) {
    const received = await socket.receive(seat.buffer).catch(() => null);
    const { request, service } = seat;
    // Anyone can send to this socket: believe only the server that was asked,
    // and only when it was asked.
    if (!received || !request || !isSame(received[1], service.server)) continue;
    seat.request = undefined;
    waiting.delete(seat);
    await reply(request, received[0]);
    service.free.push(seat);
    logger.info(`${describe(request)} -> ${show(received[0])}`);
  }
}

/** Gives up on the servers that have had the time to answer. */
function giveUp(): void {
  const limit = performance.now() - PATIENCE_MS;
  for (const seat of waiting) {
    const { request, socket, service } = seat;
    if (!request || !socket || request.since > limit) break;
    // The answer may still come, to this port. Nobody must take it for the
    // answer to another request: away with the socket, and not that port again.
    const [oldest = 0] = service.overdue.add(portOf(socket));
    if (service.overdue.size > OVERDUE) service.overdue.delete(oldest);
    seat.socket = undefined;
    socket.close();
    release(seat);
    refuse(request, `the ${service.name} server does not answer`);
  }
}

function release(seat: Seat): void {
  seat.request = undefined;
  waiting.delete(seat);
  seat.service.free.push(seat);
}

async function refuse(request: Request, problem: string): Promise<void> {
  logger.warn(`${describe(request)} -> error: ${problem}`);
  await reply(request, new TextEncoder().encode(`error: ${problem}`));
}

/** Sends to a client; one that cannot be reached is nobody else's problem. */
async function reply({ client }: Request, bytes: Uint8Array): Promise<void> {
  await socket.send(bytes, client).catch(() => {});
}

async function openService(name: string, place: string): Promise<Service> {
  const [, host = "", port] = /^(.+):(\d+)$/.exec(place) ?? [];
  if (!(Number(port) > 0 && Number(port) < 65536)) usage(`--${name} ${place}`);
  step = `find ${place}`;
  // The module is loaded for a name alone: it takes longer than all the rest.
  const address = /^[\d.]+$/.test(host)
    ? host
    : (await (await import("node:dns/promises")).lookup(host, 4)).address;
  const server = {
    transport: "udp",
    hostname: address,
    port: Number(port),
  } as const;
  return { name, server, free: [], overdue: new Set() };
}

function openSeats(service: Service): void {
  step = `open ${SEATS} sockets towards the ${service.name} server`;
  const memory = new Uint8Array(SEATS * 65536); // the system adds it when used
  for (let start = 0; start < memory.length; start += 65536) {
    const seat = { service, buffer: memory.subarray(start, start + 65536) };
    openSocket(seat);
    service.free.push(seat);
  }
}

/** Gives a seat a socket at a port that expects no answer from before. */
function openSocket(seat: Seat): Deno.DatagramConn {
  const { server, overdue } = seat.service;
  for (let tries = 0;; tries++) {
    const socket = Deno.listenDatagram({
      transport: "udp",
      hostname: server.hostname.startsWith("127.") ? "127.0.0.1" : "0.0.0.0",
      port: 0,
    });
    if (overdue.has(portOf(socket)) && tries < 100) socket.close();
    else {
      seat.socket = socket;
      carry(seat, socket);
      return socket;
    }
  }
}

function isSame(address: Deno.Addr, other: Deno.NetAddr): boolean {
  return address.transport === "udp" && address.port === other.port &&
    address.hostname === other.hostname;
}

function portOf(socket: Deno.DatagramConn): number {
  return socket.addr.transport === "udp" ? socket.addr.port : 0;
}
function describe({ client, text }: Request): string {
  return `${client.hostname}:${client.port} ${show(text)}`;
}

/** The beginning of a text, with everything escaped that could forge a line. */
function show(text: string | Uint8Array): string {
  const start = typeof text === "string"
    ? text.slice(0, 60)
    : lossy.decode(text.subarray(0, 60));
  const shown = /^[ !#-[\]-~]*$/.test(start) // nothing to escape, as a rule
    ? `"${start}"`
    : JSON.stringify(start).replace(
      /[\p{C}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );
  return text.length > 60 ? `${shown} (${text.length})` : shown;
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
  const { name, message } = event.reason;
  const advice = name === "AddrInUse"
    ? " Stop the program that uses it, or pass another --port."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
