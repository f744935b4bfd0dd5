/**
 * UDP chat client: talks with the server, in turns. The partner of
 * `chat_server.ts`.
 *
 * With the server running:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 chat_client.ts
 *
 * On the wire: UTF-8 text, one datagram a message; the client speaks first.
 * "exit" from either side ends the chat, and a client's "exit" is answered with
 * "Goodbye! Closing session." Nobody tells us that a datagram is lost or that
 * the server has vanished: so after 10 s without a reply we offer to send the
 * message again, after 10 minutes we give up, and Ctrl-C says "exit", too.
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
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
let said = ""; // our last message
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    if (said) await send("exit");
    close("\nClient closed.");
  });
}

// Senders are known by their numbers, so we need the server's, not its name.
const step = `talk with ${hostname}:${port}`;
const { address } = await lookup(hostname, 4);
const server = {
  transport: "udp",
  hostname: address,
  port: Number(port),
} as const;

// A socket of our own, on a port that the system picks: answers come to it. One
// on a loopback address reaches this machine alone, one on "any" all others.
const any = address.includes(":") ? "::" : "0.0.0.0";
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: /^127\.|^::1$/.test(address) ? address : any,
  port: 0,
});
console.log(
  `Connected (UDP) to ${hostname}:${port}. Type messages; 'exit' to quit.`,
);

const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const lines = createInterface({ input: process.stdin });
const keyboard = lines[Symbol.asyncIterator]();
let typed = keyboard.next();
let asking = false;
let heard = Promise.withResolvers<void>();
receive();
while (!isExit(said)) {
  said = await ask();
  heard = Promise.withResolvers();
  if (await send(said) && !isExit(said)) await hear();
}

// Were our "exit" lost, the server would wait for us: so we repeat it until the
// goodbye comes, which ends the program in receive().
for (let repeated = 0; repeated < 3; repeated++) {
  await pause(1_000);
  await send(said);
}
throw new Deno.errors.TimedOut("no reply within 3 s");

/**
 * Shows what the server says, at once: that gives us the turn, if we don't have
 * it. A queue would let a datagram that comes twice or late stand for the reply
 * to our next message, and the real one for the reply to the message after.
 */
async function receive(): Promise<never> {
  const buffer = new Uint8Array(65_536); // room for the largest datagram
  while (true) {
    const [datagram, sender] = await socket.receive(buffer);
    // Anyone can send to our socket: believe only the server.
    if (name(sender) !== name(server)) continue;
    const text = new TextDecoder().decode(datagram).trim();
    if (asking) console.log(); // ends the prompt's line
    console.log("Server:", text);
    if (isExit(said) || isExit(text)) close("Client closed.");
    if (text === "Server is busy with another client.") {
      throw new Deno.errors.Busy("it is busy with another client");
    }
    if (asking) showPrompt();
    heard.resolve();
  }
}

/** Waits for a reply; says every 10 s that none came, offers to repeat ours. */
async function hear(): Promise<void> {
  const reply = heard.promise.then(() => "reply");
  for (let seconds = 0; seconds < 600;) {
    const late = pause(10_000, "late", { ref: false });
    const enter = typed.then(({ value, done }) =>
      done || seconds === 0 || value.trim() ? reply : "enter"
    );
    const event = await Promise.race([reply, late, enter]);
    if (event === "reply") return;
    if (event === "late") {
      seconds += 10;
      console.log(`No reply for ${seconds} s. Press Enter to send it again.`);
    } else {
      typed = keyboard.next();
      await send(said);
    }
  }
  await send("exit");
  throw new Deno.errors.TimedOut("no reply within 10 minutes");
}

/** Sends a text as one datagram; if that fails, says why and returns false. */
async function send(text: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  const sent = await socket.send(bytes, server).catch(({ message }) => {
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
  Deno.stdout.writeSync(new TextEncoder().encode("You (client): "));
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
  const line = "Usage: chat_client.ts [--host 127.0.0.1] [--port 23457]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message, code } = event.reason;
  const advice = /TimedOut|ConnectionReset/.test(name) // a reset on Windows
    ? " Is the server running?"
    : name === "Busy"
    ? " Try again later."
    : code === "EPERM" // Deno may not look the name up
    ? " Run it with --allow-net."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
