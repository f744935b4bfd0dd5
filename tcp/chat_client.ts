/**
 * TCP chat client: talks with the server, in turns. The partner of
 * `chat_server.ts`.
 *
 * With the server running:
 *
 *     deno run --allow-net=127.0.0.1 chat_client.ts
 *
 * On the wire: UTF-8 text, without a mark where a message ends. The client
 * speaks first. "exit" from either side ends the chat, and a client's "exit" is
 * answered with "Goodbye! Closing connection."
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "23456" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`--host ${host}, it is for servers`);
Deno.addSignalListener("SIGINT", () => close("\nClient closed."));
Deno.addSignalListener("SIGTERM", () => close("\nClient closed."));
let ourTurn = false;

// The two systems shake hands. A machine that does not answer costs us 10 s.
const connection = await Deno.connect({
  hostname: host,
  port: Number(port),
  signal: AbortSignal.timeout(10_000),
});
const name = nameOf(connection.remoteAddr);
console.log(`Connected to TCP Chat Server at ${name}`);
ourTurn = true;

// A machine without power or network says no goodbye. With keep-alive, our
// system asks it for a sign of life (Linux: after 2 quiet hours).
connection.setKeepAlive(true);
const output = connection.writable.getWriter();
const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const messages = receive(), lines = keyboard();
let message = messages.next(), line = lines.next(), said = "";
while (true) {
  const prompt = new TextEncoder().encode("You (client): ");
  if (ourTurn) Deno.stdout.writeSync(prompt);

  // A message arrives, or a line is typed. A pipe's lines wait for our turn. A
  // terminal's are read at once, so that none is sent later, unseen.
  const events = [message.then(() => "message")];
  const listening = ourTurn || Deno.stdin.isTerminal();
  if (listening) events.push(line.then(() => "line"));
  if (await Promise.race(events) === "message") {
    const { value: text, done } = await message;
    if (ourTurn) console.log(); // ends the prompt's line
    if (done) close("Server closed the connection.\nClient closed.");
    console.log(`Server: ${escape(text.trim())}`);
    if (isExit(text) || isExit(said)) close("Client closed.");
    message = messages.next();
    ourTurn = true;
  } else {
    const { value, done } = await line;
    if (done) console.log(); // ends the prompt's line
    said = done ? "exit" : value; // Ctrl-D, or the end of a pipe
    line = lines.next();
    if (done && !ourTurn) close("Client closed.");
    if (!ourTurn) {
      console.log(`Not sent, it is the server's turn: ${escape(said)}`);
    } else if (said.trim() !== "") {
      ourTurn = false;
      console.log("Waiting for the server ...");
      const late = "No answer for 10 s. TCP repeats what did not arrive.";
      const answer = message; // still pending when these 10 s are over?
      setTimeout(() => message === answer && console.log(late), 10_000);
      await output.write(new TextEncoder().encode(said));
    }
  }
}

/**
 * Yields what the server says. TCP may cut a text anywhere, and nothing marks
 * its end. So a message ends when nothing follows for 200 ms, or for 5 s inside
 * a character (half of one decodes to U+FFFD). It has at most 1 MiB.
 */
async function* receive(): AsyncGenerator<string, undefined> {
  const buffer = new Uint8Array(4096);
  let read = connection.read(buffer);
  for (let length = await read; length !== null; length = await read) {
    const bytes: number[] = [];
    let text = "";
    do {
      bytes.push(...buffer.subarray(0, length));
      text = new TextDecoder().decode(Uint8Array.from(bytes));
      read = connection.read(buffer);
      const wait = text.endsWith("\uFFFD") ? 5_000 : 200;
      length = await Promise.race([read, pause(wait, 0)]);
    } while (length && bytes.length < 1024 * 1024);
    yield text;
  }
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

function close(farewell: string): never {
  console.log(farewell);
  Deno.exit(); // closes the socket, too
}

/** Makes a stranger's text safe to print: it cannot command the terminal. */
function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
}

function nameOf({ hostname, port }: Deno.NetAddr): string {
  return `${hostname.replace(/.*:.*/, "[$&]")}:${port}`; // [::1]:23456
}

function usage(wrong: string): never {
  const line = "Usage: chat_client.ts [--host 127.0.0.1] [--port 23456]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  let advice = name === "ConnectionRefused" ? " Is the server running?" : "";
  if (name === "TimeoutError") advice = " Is the address right? A firewall?";
  if (ourTurn) console.log(); // ends the prompt's line
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
