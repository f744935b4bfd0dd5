/**
 * NATS broker: what `udp_broker.ts` does, with workers (`nats_worker.ts`) on
 * any machines instead of two servers. Its clients are the same (`udp_client.ts`).
 *
 * With a NATS server running (`nats-server`):
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 nats_broker.ts
 *
 * On the wire, a datagram for each: the client sends "toupper:TEXT" or
 * "tolower:TEXT" as UTF-8 and gets the converted text, or "error: …". Over NATS:
 * TEXT goes to the subject "convert.toupper" or "convert.tolower", and the reply
 * comes to a subject of this request alone; so there is no mistaking it.
 */
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { BaseHandler, Logger } from "jsr:@std/log@0.224";
import {
  connect,
  type NatsConnection,
} from "npm:@nats-io/transport-node@3.4.0";

addEventListener("unhandledrejection", explain);
const { host: hostname, port, nats } = parseArgs(Deno.args, {
  string: ["host", "port", "nats"],
  default: { host: "127.0.0.1", port: "8082", nats: "nats://127.0.0.1:4222" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (!/^nats:\/\/[^\s/]+$/.test(nats)) usage(`--nats ${nats}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

/** Requests in flight. */
const LIMIT = 800;
/** How long a worker may take; clients ask again after 2 s. */
const PATIENCE_MS = 1500;

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

let step = `listen on ${hostname}:${port}`;
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname,
  port: Number(port),
});
const { addr } = socket;
const bound = addr.transport === "udp" ? addr.port : port;
console.log(`Waiting for connections on ${hostname}:${bound} ...`);

// NATS may start after us and end before us. Meanwhile the clients get errors.
step = `work with ${nats}`;
let connection: NatsConnection | undefined; // while it is there
stayConnected();

let inFlight = 0;
const buffer = new Uint8Array(65536); // a datagram has 65,507 bytes at most
while (true) {
  // Windows reports here that a client has gone: on with the next.
  const received = await socket.receive(buffer).catch(() => null);
  if (received?.[1].transport === "udp") {
    serve(received[0].slice(), received[1]); // many at a time
  }
}

/** Answers a client. */
async function serve(request: Uint8Array, client: Deno.NetAddr): Promise<void> {
  const who = `${client.hostname}:${client.port}`;
  let text = "";
  let answer: Uint8Array;
  inFlight++;
  try {
    text = utf8.decode(request);
    const operation = /^(toupper|tolower):/.exec(text)?.[1];
    if (!operation) throw new Error("send 'toupper:text' or 'tolower:text'");
    const rest = request.subarray(operation.length + 1);
    if (rest.length === 0) throw new Error("there is no text to convert");
    if (inFlight > LIMIT) throw new Error("too many requests in flight");
    if (!connection) throw new Error("there is no connection to NATS");

    // NATS says at once when no worker has subscribed; if one takes the request
    // and vanishes, nobody does.
    const limit = { timeout: PATIENCE_MS };
    const reply = await connection.request(`convert.${operation}`, rest, limit);
    if (reply.data.length > 65507) throw new Error("the answer is too large");
    answer = reply.data;
    logger.info(`${who} ${show(text)} -> ${show(answer)}`);
  } catch (error) {
    const problem = error instanceof Error ? error.message : `${error}`;
    answer = new TextEncoder().encode(`error: ${problem}`);
    logger.warn(`${who} ${show(text)} -> error: ${problem}`);
  }
  inFlight--;
  await socket.send(answer, client).catch(() => {}); // it may not be reachable
}

async function stayConnected(): Promise<never> {
  const first = await connect({
    servers: nats,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    pingInterval: 2_000, // notices, too, that NATS is there but silent
  });
  connection = first;
  logger.info(`Connected to ${nats}`);
  for await (const { type } of first.status()) {
    if (type === "disconnect") {
      connection = undefined;
      logger.warn(`Lost ${nats}, waiting for it ...`);
    } else if (type === "reconnect") {
      connection = first;
      logger.info(`Connected to ${nats} again`);
    }
  }
  throw await first.closed() ?? new Error("the connection ended");
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
  const line = "Usage: nats_broker.ts [--host 127.0.0.1] [--port 8082] " +
    "[--nats nats://127.0.0.1:4222]";
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
