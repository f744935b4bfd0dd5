/**
 * UDP chat server: talks with one client, in turns. The partner of
 * `chat_client.ts`.
 *
 * Start it first:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 chat_server.ts
 *
 * On the wire: UTF-8 text, one datagram a message; the client speaks first.
 * "exit" from either side ends the chat, and a client's "exit" is answered with
 * "Goodbye! Closing session." Others are told "Server is busy with another
 * client." Nobody tells us that a datagram is lost or that the client has
 * vanished: so after 10 s without a message we offer to send our reply again,
 * after 10 minutes we take the next client, and Ctrl-C says "exit", too.
 */
import { lookup } from "node:dns/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "23457" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
let client: Deno.Addr | null = null;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await send("exit");
    close("\nServer closed.");
  });
}

let step = `listen on ${hostname}:${port}`;
const { address } = await lookup(hostname, 4);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: address,
  port: Number(port),
});
console.log(`UDP Chat Server listening on ${name(socket.addr)} ...`);

const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const lines = createInterface({ input: process.stdin });
const keyboard = lines[Symbol.asyncIterator]();
let typed = keyboard.next();
let asking = false;
let said = ""; // our last reply
let heard = Promise.withResolvers<void>();
receive();
await heard.promise; // however long it takes until a client comes
while (!isExit(said)) {
  said = await ask();
  heard = Promise.withResolvers();
  if (await send(said) && !isExit(said)) await hear();
}
close("Server closed.");

/**
 * Shows what the client says, at once: that gives us the turn, if we don't have
 * it. A queue would let a datagram that comes twice or late stand for the next
 * message, and our reply to it for the reply to that one.
 */
async function receive(): Promise<never> {
  const buffer = new Uint8Array(65_536); // room for the largest datagram
  while (true) {
    const received = await socket.receive(buffer).catch((error) => {
      // Windows reports that somebody whom we answered is gone, but not who.
      if (error.name !== "ConnectionReset") throw error;
    });
    if (!received) continue;
    const [datagram, sender] = received;
    const text = new TextDecoder().decode(datagram).trim();
    if (client === null) {
      client = sender;
      step = `talk with ${name(client)}`;
      console.log(`Client connected from ${name(client)}`);
    } else if (name(sender) !== name(client)) {
      await turnAway(sender, text);
      continue;
    }
    if (asking) console.log(); // ends the prompt's line
    console.log(`Client: ${text}`);
    if (isExit(text)) {
      await send("Goodbye! Closing session.");
      close("Server closed.");
    }
    if (asking) showPrompt();
    heard.resolve();
  }
}

/** Tells a second client, but no second server: they would go on for ever. */
async function turnAway(sender: Deno.Addr, text: string): Promise<void> {
  const answer = "Server is busy with another client.";
  if (text === answer) return;
  await socket.send(new TextEncoder().encode(answer), sender).catch(() => {});
}

/** Waits for a message; says every 10 s that none came, offers to repeat ours. */
async function hear(): Promise<void> {
  const message = heard.promise.then(() => "message");
  for (let seconds = 0; seconds < 600;) {
    const late = pause(10_000, "late", { ref: false });
    const enter = typed.then(({ value, done }) =>
      done || seconds === 0 || value.trim() ? message : "enter"
    );
    const event = await Promise.race([message, late, enter]);
    if (event === "message") return;
    if (event === "late") {
      seconds += 10;
      console.log(`No message for ${seconds} s. Press Enter to reply again.`);
    } else {
      typed = keyboard.next();
      await send(said);
    }
  }
  console.log("Waiting for another client ...");
  client = null;
  await message;
}

/** Sends a text as one datagram; if that fails, says why and returns false. */
async function send(text: string): Promise<boolean> {
  if (client === null) return false;
  const bytes = new TextEncoder().encode(text);
  const sent = await socket.send(bytes, client).catch(({ message }) => {
    const size = `${bytes.length} bytes (a datagram takes 65507)`;
    console.log(`Cannot send ${size}: ${message}.`);
  });
  return sent === bytes.length;
}

/** Asks until something is typed. */
async function ask(): Promise<string> {
  asking = true;
  while (true) {
    showPrompt();
    const line = await typed;
    typed = keyboard.next();
    if (line.done) console.log(); // ends the prompt's line
    const text = line.done ? "exit" : line.value; // Ctrl-D, or the end of a pipe
    if (text.trim() === "") continue;
    asking = false;
    return text;
  }
}

function showPrompt(): void {
  Deno.stdout.writeSync(new TextEncoder().encode("You (server): "));
}

/** HOST:PORT; Deno's type has room for addresses that are not UDP, too. */
function name(address: Deno.Addr): string {
  if (address.transport !== "udp") throw new Error("not a UDP address");
  return `${address.hostname}:${address.port}`;
}

function close(farewell: string): never {
  console.log(farewell);
  Deno.exit(); // closes the socket, too
}

function usage(wrong: string): never {
  const line = "Usage: chat_server.ts [--host 127.0.0.1] [--port 23457]";
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
