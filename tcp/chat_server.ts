/**
 * TCP chat server: talks with one client, in turns. The partner of
 * `chat_client.ts`.
 *
 * Start it first:
 *
 *     deno run --allow-net=127.0.0.1 chat_server.ts
 *
 * On the wire: UTF-8 text without framing; the client speaks first. "exit" from
 * either side ends the chat, and a client's "exit" is answered with
 * "Goodbye! Closing connection."
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "23456" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => close("\nServer closed."));
}

let step = `listen on ${hostname}:${port}`;
const listener = Deno.listen({ hostname, port: Number(port) });
const address = `${hostname}:${listener.addr.port}`;
console.log(`TCP Chat Server listening on ${address} ...`);

// One client is all we serve. With the listener closed, the system turns the
// next one away, who would otherwise wait in its queue for nothing.
const connection = await listener.accept();
listener.close();
const client = connection.remoteAddr;
console.log(`Client connected from ${client.hostname}:${client.port}`);
step = `talk with ${client.hostname}:${client.port}`;

const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const lines = createInterface({ input: process.stdin });
const keyboard = lines[Symbol.asyncIterator]();
const messages = receive();
const writer = connection.writable.getWriter();
let next = messages.next();
while (true) {
  const { value: message, done } = await next;
  if (done) {
    console.log("Client disconnected");
    break;
  }
  console.log(`Client: ${message.trim()}`);
  if (isExit(message)) {
    await send("Goodbye! Closing connection.");
    break;
  }

  // Reading goes on while the operator types: so we see when the client leaves.
  next = messages.next();
  const reply = await ask(next);
  if (reply === null) continue;
  await send(reply);
  if (isExit(reply)) break;
}
// Announce the end (FIN) before the socket closes: closing it while words of
// the client wait unread would be a reset (RST), which is an error over there.
await connection.closeWrite().catch(() => {});
close("Server closed.");

/**
 * Yields what the client says, one message at a time, until it is gone.
 *
 * TCP delivers a stream of bytes that may be cut anywhere, and nothing in it
 * marks where a message ends, so we take a pause for the end: 200 ms, but 5 s
 * inside a character (half of one decodes to U+FFFD), because its other half
 * must be on the way. What exceeds 1 MiB becomes the next message.
 */
async function* receive(): AsyncGenerator<string, void> {
  const buffer = new Uint8Array(4096);
  let read = connection.read(buffer).catch(() => null);
  for (let count = await read; count !== null; count = await read) {
    const bytes: number[] = [];
    let text = "";
    do {
      bytes.push(...buffer.subarray(0, count));
      text = new TextDecoder().decode(Uint8Array.from(bytes));
      const wait = text.endsWith("\uFFFD") ? 5_000 : 200;
      read = connection.read(buffer).catch(() => null); // a reset is an end, too
      count = await Promise.race([read, pause(wait, 0, { ref: false })]);
    } while (count && bytes.length < 1024 * 1024);
    yield text;
  }
}

/** Sends a text whole, however long it is, to a client that takes it. */
async function send(text: string): Promise<void> {
  const sent = writer.write(new TextEncoder().encode(text));
  const stalled = pause(30_000, "stalled", { ref: false });
  if (await Promise.race([sent, stalled]) === "stalled") {
    throw new Error("it has taken no bytes for 30 s");
  }
}

/** Asks until something is typed; null when the client leaves meanwhile. */
async function ask(
  next: Promise<IteratorResult<string, void>>,
): Promise<string | null> {
  const gone = next.then(({ done }) =>
    done ? null : new Promise<never>(() => {})
  );
  while (true) {
    await Deno.stdout.write(new TextEncoder().encode("You (server): "));
    const line = await Promise.race([keyboard.next(), gone]);
    if (line === null || line.done) console.log(); // ends the prompt's line
    if (line === null) return null;
    if (line.done) return "exit"; // Ctrl-D, or the end of a pipe
    if (line.value.trim() !== "") return line.value;
  }
}

function close(farewell: string): never {
  console.log(farewell);
  Deno.exit(); // closes the socket, too
}

function usage(wrong: string): never {
  const line = "Usage: chat_server.ts [--host 127.0.0.1] [--port 23456]";
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
