/**
 * UDP chat server: talks with one client, in turns. The partner of
 * `chat_client.ts`.
 *
 * Start it first:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 chat_server.ts
 *
 * On the wire: UTF-8 text, one datagram a message. The client speaks first.
 * "exit" from either side ends the chat, and a client's "exit" is answered with
 * "Goodbye! Closing session." Others are told "Server is busy with another
 * client." Nobody tells us that a datagram is lost.
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
let ourTurn = false;
let client: Deno.NetAddr | undefined; // the first who sends us something
Deno.addSignalListener("SIGINT", interrupt);
Deno.addSignalListener("SIGTERM", interrupt);

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

const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const messages = receive(), lines = keyboard();
let message = messages.next(), line = lines.next();
let late: Promise<void> | undefined, waited = 0;
while (true) {
  const prompt = new TextEncoder().encode("You (server): ");
  if (ourTurn) Deno.stdout.writeSync(prompt);

  // A message arrives, or a line is typed, or nothing comes for 10 s. A pipe's
  // lines wait for our turn. A terminal's are read at once, so that none is
  // sent later, unseen.
  const events = [message.then(() => "message")];
  const listening = ourTurn || Deno.stdin.isTerminal();
  if (listening) events.push(line.then(() => "line"));
  if (late) events.push(late.then(() => "late"));
  const event = await Promise.race(events);
  if (ourTurn && event !== "line") console.log(); // ends the prompt's line
  if (event === "message") {
    const { value: text = "" } = await message;
    console.log(`Client: ${escape(text.trim())}`);
    if (isExit(text)) await leave("Goodbye! Closing session.");
    message = messages.next();
    late = undefined;
    ourTurn = true;
  } else if (event === "late") {
    waited += 10;
    console.log(
      `No answer for ${waited} s. Say it again, if it is lost, or wait.`,
    );
    late = pause(10_000);
    ourTurn = true;
  } else {
    const { value, done } = await line;
    if (done) console.log(); // ends the prompt's line
    const text = done ? "exit" : value; // Ctrl-D, or the end of a pipe
    line = lines.next();
    if (done && !ourTurn) await interrupt();
    if (!ourTurn) {
      console.log(`Not sent, it is the client's turn: ${escape(text)}`);
    } else if (isExit(text)) {
      await leave(text);
    } else if (text.trim() !== "" && await send(text)) {
      ourTurn = false;
      waited = 0;
      late = pause(10_000);
      console.log("Waiting for the client ...");
    }
  }
}

/** Yields what the client says, and tells everybody else that we are busy. */
async function* receive(): AsyncGenerator<string> {
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

/** Says a last word, which may get lost. */
async function leave(text: string): Promise<never> {
  await send(text);
  console.log("Server closed.");
  Deno.exit(); // closes the socket, too
}

/** Sends a text as one datagram; returns whether the system took it. */
async function send(text: string, to = client): Promise<boolean> {
  if (!to) return false; // nobody has come yet
  const bytes = new TextEncoder().encode(text);
  const limit = bytes.length > 65_507 ? " A datagram takes 65507 bytes." : "";
  return await socket.send(bytes, to).then(
    () => true,
    (error) => {
      if (error.name === "NotCapable") throw error; // a permission is missing
      console.log(
        `Cannot send ${bytes.length} bytes: ${error.message}.${limit}`,
      );
      return false;
    },
  );
}

/** Yields what is typed, line by line, from a terminal or a pipe. */
async function* keyboard(): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest;
}

/** Ctrl-C: without a connection, nobody else tells the client that we leave. */
async function interrupt(): Promise<never> {
  console.log();
  return await leave("exit");
}

/** Makes a stranger's text safe to print: it cannot command the terminal. */
function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
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
  if (ourTurn) console.log(); // ends the prompt's line
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
