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
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { connect } from "npm:@nats-io/transport-node@3.4.0";

addEventListener("unhandledrejection", explain);
const { nats, operation } = parseArgs(Deno.args, {
  string: ["nats", "operation"],
  default: { nats: "nats://127.0.0.1:4222", operation: "toupper" },
  unknown: usage,
});
if (!/^nats:\/\/[^\s/]+$/.test(nats)) usage(`--nats ${nats}`);
if (!/^to(upper|lower)$/.test(operation)) usage(`--operation ${operation}`);
Deno.addSignalListener("SIGINT", leave);
Deno.addSignalListener("SIGTERM", leave);

// NATS may start after us and end before us: we wait for it, at any time.
const step = `work with ${nats}`;
console.log(`Connecting to ${nats} ...`);
const connecting = connect({
  servers: nats,
  waitOnFirstConnect: true,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  pingInterval: 2_000, // notices, too, that NATS is there but silent
});
const connection = await connecting;
(async () => {
  for await (const { type } of connection.status()) {
    if (type === "disconnect") console.log(`Lost ${nats}, waiting for it ...`);
    if (type === "reconnect") console.log(`Connected to ${nats} again`);
  }
})();

// The subject's name is all that a broker needs to know: not where we are, nor
// how many. When NATS comes back, the client subscribes again by itself.
const subject = `convert.${operation}`;
const requests = connection.subscribe(subject, { queue: "converters" });
console.log(`Waiting for requests on ${subject} ...`);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
for await (const request of requests) request.respond(convert(request.data));
const error = await connection.closed();
if (error) throw error;

function convert(bytes: Uint8Array): Uint8Array {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return new TextEncoder().encode("error: the text is not UTF-8");
  }
  const converted = operation === "toupper"
    ? text.toUpperCase()
    : text.toLowerCase();
  // It may be longer: "ß" becomes "SS". The broker needs it in one datagram.
  const answer = new TextEncoder().encode(converted);
  return answer.length <= 65507
    ? answer
    : new TextEncoder().encode("error: the answer is larger than a datagram");
}

/** Answers what has come already, but takes no more. */
async function leave(): Promise<void> {
  const drained = connecting.then((connection) => connection.drain());
  await Promise.race([drained, pause(1_000)]).catch(() => {});
  Deno.exit();
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
  console.error(`Cannot ${step}: ${event.reason.message}.`);
  Deno.exit(1);
}
