/**
 * NATS broker: what `udp_broker.ts` does, with workers (`nats_worker.ts`) on
 * any machines instead of two servers. Its clients are the same.
 *
 * With a NATS server running (`nats-server`):
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 nats_broker.ts
 *
 * On the wire, one datagram each: the client sends "toupper:TEXT" or
 * "tolower:TEXT" as UTF-8 and gets the converted text, or "error: …". Over
 * NATS: TEXT goes to the subject "convert.toupper" or "convert.tolower". The
 * answer comes to a subject that only this request has, its inbox.
 */
import { isUtf8 } from "node:buffer";
import { lookup } from "node:dns/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { ConsoleHandler, Logger } from "jsr:@std/log@0.224";
import { connect } from "npm:@nats-io/transport-node@3.4.0";

addEventListener("unhandledrejection", explain);
// A server that refuses us resets the connection. The NATS client tries again.
addEventListener("error", (event) => {
  if (event.error?.code === "ECONNRESET") event.preventDefault();
});
const { host, port, nats } = parseArgs(Deno.args, {
  string: ["host", "port", "nats"],
  default: { host: "127.0.0.1", port: "8082", nats: "nats://127.0.0.1:4222" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

const options = await readNats();
let connection: Awaited<ReturnType<typeof connect>> | undefined;
// NATS chooses a worker by chance. If one of two has vanished, asking 12 times
// reaches only that one for 1 request of 4,096.
const WAIT_MS = 150, TRIES = 12;

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
stayConnected();
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

/** Asks a worker, another one if it does not answer, and returns the answer. */
async function ask(operation: typeof operations[number], text: Uint8Array) {
  const tries = [];
  while (tries.length < TRIES) {
    if (!connection) throw new Error("there is no connection to NATS");
    const long = { timeout: 5_000 }; // an answer to an earlier try counts, too
    tries.push(connection.request(`convert.${operation}`, text, long));
    const any = Promise.any(tries).catch(({ errors: [first] }) => {
      throw first; // none of them can be answered
    });
    const answer = await Promise.race([any, pause(WAIT_MS)]);
    if (answer) return answer.data;
  }
  throw new Error(`no ${operation} worker answers`);
}

/** Connects to NATS, again and again: clients get errors in between. */
async function stayConnected(): Promise<never> {
  const nats = await connect(options);
  connection = nats;
  logger.info(`Connected to nats://${nats.getServer()}`);
  for await (const status of nats.status()) {
    if (status.type === "disconnect") {
      connection = undefined;
      logger.warn(`Lost nats://${status.server}, waiting for it ...`);
    } else if (status.type === "reconnect") {
      connection = nats;
      logger.info(`Connected to nats://${status.server} again`);
    }
  }
  throw await nats.closed() ?? new Error("the connection to NATS ended");
}

/** Reads `--nats`. It is never printed, because a password may be in it. */
async function readNats() {
  const given = Deno.args.filter((arg) => /^--nats\b/.test(arg)).length;
  if (given > 1) usage("--nats twice (it takes several, with commas)");
  const servers: string[] = [];
  let login = {};
  for (const text of nats.split(",")) {
    const url = /^nats:\/\/[^/?#]+\/?$/.test(text) ? URL.parse(text) : null;
    if (!url) usage("this --nats");
    const [user, pass] = [url.username, url.password].map(decodeURIComponent);
    if (user) login = { user, pass };
    const host = `${url.hostname}:${url.port || 4222}`;
    const { state } = await Deno.permissions.request({ name: "net", host });
    const missing = `Requires net access to "${host}", run with --allow-net`;
    if (state !== "granted") throw new Error(missing);
    servers.push(host);
  }
  return {
    servers,
    ...login,
    resolve: false, // names stay names: permissions are for them
    waitOnFirstConnect: true, // NATS may start after us, and end before us
    maxReconnectAttempts: -1,
    timeout: 2_000, // for a server whose machine does not answer
    pingInterval: 2_000, // notices a server that is there but silent
  };
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
  const line = "Usage: nats_broker.ts [--host 127.0.0.1] [--port 8082] " +
    "[--nats nats://127.0.0.1:4222]";
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
    : name === "AuthorizationError"
    ? " NATS wants a user and a password: pass another --nats."
    : "";
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
