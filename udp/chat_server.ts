/**
 * UDP chat server: talks in turns. The partner of `chat_client.ts`.
 *
 * Start it first:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 chat_server.ts
 *
 * On the wire: UTF-8 text, one datagram a message. The client speaks first.
 * "exit" from either side ends the chat, and a client's "exit" is answered with
 * "Goodbye! Closing session." Nobody tells us that a datagram is lost. A second
 * client is told "Server is busy with another client."
 */
import { lookup } from "node:dns/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "23457" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
let client: Deno.NetAddr | undefined; // the first who sends us something

// Without a connection, nobody else tells the client that Ctrl-C ended us.
Deno.addSignalListener("SIGINT", () => leave("exit", "\n"));
Deno.addSignalListener("SIGTERM", () => leave("exit", "\n"));

// Claim the address. A name may stand for several: the client, too, takes the
// one that lookup() returns.
const { address } = await lookup(host);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: address,
  port: Number(port),
});
const name = nameOf(socket.addr as Deno.NetAddr);
console.log(`UDP Chat Server listening on ${name} ...`);

const encoder = new TextEncoder();
const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const lines = keyboard();
const messages = receive();
let message = messages.next(), line = lines.next(), ourTurn = false;
while (true) {
  if (ourTurn) Deno.stdout.writeSync(encoder.encode("You (server): "));

  // A message arrives, or a line is typed, or nothing comes for 10 s. A pipe's
  // lines wait for our turn. A terminal's are read at once, so that none is
  // sent later, unseen.
  const events = [message.then(() => "message")];
  if (client && !ourTurn) events.push(pause(10_000, "late"));
  if (ourTurn || Deno.stdin.isTerminal()) events.push(line.then(() => "line"));
  const event = await Promise.race(events);
  if (event === "message") {
    const { value: text = "" } = await message;
    if (ourTurn) console.log(); // ends the prompt's line
    const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
    console.log("Client:", text.trim().replace(control, "\uFFFD"));
    if (isExit(text)) await leave("Goodbye! Closing session.");
    message = messages.next();
    ourTurn = true;
  } else if (event === "late") {
    console.log("No answer for 10 s. Say it again, if it is lost, or wait.");
    ourTurn = true;
  } else {
    const { value: text = "exit", done } = await line;
    if (done) console.log(); // Ctrl-D does not end the prompt's line
    line = lines.next();
    if (isExit(text)) await leave(text);
    if (!ourTurn) console.log("Not sent, it is the client's turn.");
    else if (text.trim() !== "" && await send(text)) {
      ourTurn = false;
      console.log("Waiting for the client ...");
    }
  }
}

/** Yields what is typed, line by line, from a terminal or a pipe. */
async function* keyboard(): AsyncGenerator<string, undefined> {
  const typed = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of typed) {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Says the last word, which may get lost. */
async function leave(text: string, before = ""): Promise<never> {
  await send(text);
  console.log(`${before}Server closed.`);
  Deno.exit(); // closes the socket, too
}

/** Sends a text as one datagram; returns whether the system took it. */
async function send(text: string, to = client): Promise<boolean> {
  if (!to) return false; // nobody has come yet
  const bytes = encoder.encode(text);
  const sent = socket.send(bytes, to).then(() => true);
  return await sent.catch((error) => {
    if (error.name === "NotCapable") throw error; // a permission is missing
    console.log(`Cannot send ${bytes.length} bytes: ${error.message}.`);
    return false;
  });
}

/** Yields what the client says, and tells everybody else that we are busy. */
async function* receive(): AsyncGenerator<string, undefined> {
  const busy = "Server is busy with another client.";
  while (true) {
    const received = await socket.receive().catch((error) => {
      // Windows reports that somebody whom we answered is gone, but not who.
      if (error.name !== "ConnectionReset") throw error;
    });
    if (!received) continue;
    const text = new TextDecoder().decode(received[0]);
    const sender = received[1] as Deno.NetAddr;
    if (!client) console.log(`Client connected from ${nameOf(sender)}`);
    client ??= sender;
    if (nameOf(sender) === nameOf(client)) yield text;
    // Two servers that told each other so would do it for ever.
    else if (text !== busy) await send(busy, sender);
  }
}

function nameOf({ hostname, port }: Deno.NetAddr): string {
  return `${hostname.replace(/.*:.*/, "[$&]")}:${port}`; // [::1]:23457
}

function usage(wrong: string): never {
  const line = "Usage: chat_server.ts [--host 127.0.0.1] [--port 23457]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { code, name, message } = event.reason;
  let advice = code === "EPERM" ? ` It needs --allow-net=${host}.` : "";
  if (name === "AddrInUse") {
    advice = " Stop the program that uses it, or pass another --port.";
  }
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
