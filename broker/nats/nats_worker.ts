/**
 * NATS worker: converts texts, along with any number of others like it. A
 * partner of `nats_broker.ts`.
 *
 * With a NATS server running (`nats-server`), one for each operation or more:
 *
 *     deno run --allow-net=127.0.0.1 nats_worker.ts
 *
 * That one converts to upper case; --operation tolower makes it the other.
 *
 * Over NATS: a request with a UTF-8 text comes on the subject "convert.toupper"
 * (or tolower). The workers of the queue group "converters" share them: each
 * goes to one of them, which replies with the converted text, or "error: …".
 */
import { isUtf8 } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { connect } from "npm:@nats-io/transport-node@3.4.0";

addEventListener("unhandledrejection", explain);
// A server that refuses us resets the connection. The NATS client tries again.
addEventListener("error", (event) => {
  if (event.error?.code === "ECONNRESET") event.preventDefault();
});
const { nats, operation } = parseArgs(Deno.args, {
  string: ["nats", "operation"],
  default: { nats: "nats://127.0.0.1:4222", operation: "toupper" },
  unknown: usage,
});
if (!/^to(upper|lower)$/.test(operation)) usage(`--operation ${operation}`);
Deno.addSignalListener("SIGINT", leave);
Deno.addSignalListener("SIGTERM", leave);

const options = await readNats();
console.log(`Connecting to nats://${options.servers.join(" or nats://")} ...`);
const connecting = connect(options);
const connection = await connecting;
console.log(`Connected to nats://${connection.getServer()}`);
reportOutages();

// The subject's name is all that a broker needs to know: not where we are, nor
// how many. When NATS comes back, the client subscribes again by itself.
const subject = `convert.${operation}`;
const requests = connection.subscribe(subject, { queue: "converters" });
console.log(`Waiting for requests on ${subject} ...`);
for await (const request of requests) {
  try {
    request.respond(new TextEncoder().encode(convert(request.data)));
  } catch (error) { // not UTF-8, or more than this NATS server takes
    const problem = `error: ${error instanceof Error ? error.message : error}`;
    request.respond(new TextEncoder().encode(problem));
  }
}
const error = await connection.closed();
if (error) throw error;

function convert(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Error("the text is not UTF-8");
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return operation === "toupper" ? text.toUpperCase() : text.toLowerCase();
}

async function reportOutages(): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect") {
      console.log(`Lost nats://${status.server}, waiting for it ...`);
    } else if (status.type === "reconnect") {
      console.log(`Connected to nats://${status.server} again`);
    }
  }
}

/** Answers what has come already, but takes no more. */
async function leave(): Promise<void> {
  const drained = connecting.then((connection) => connection.drain());
  await Promise.race([drained, pause(1_000)]).catch(() => {});
  Deno.exit();
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

function usage(wrong: string): never {
  const line = "Usage: nats_worker.ts [--operation toupper|tolower] " +
    "[--nats nats://127.0.0.1:4222]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  const advice = name === "AuthorizationError"
    ? " NATS wants a user and a password: pass another --nats."
    : "";
  console.error(`Cannot work with NATS: ${message}.${advice}`);
  Deno.exit(1);
}
