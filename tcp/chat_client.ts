/**
 * TCP chat client: talks in turns. The partner of `chat_server.ts`.
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

// The two systems shake hands. A machine that does not answer costs us 10 s.
const connection = await Deno.connect({
  hostname: host,
  port: Number(port),
  signal: AbortSignal.timeout(10_000),
});
const name = connection.remoteAddr.hostname.replace(/.*:.*/, "[$&]"); // [::1]
console.log(`Connected to TCP Chat Server at ${name}:${port}`);
connection.setKeepAlive(true); // a machine that vanishes says no goodbye

const output = connection.writable.getWriter(), encoder = new TextEncoder();
const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const lines = keyboard();
const messages = receive();
let message = messages.next(), line = lines.next();
let ourTurn = true, said = "";
let timer: ReturnType<typeof setTimeout> | undefined; // while we wait
while (true) {
  if (ourTurn) Deno.stdout.writeSync(encoder.encode("You (client): "));
  else console.log("Waiting for the server ...");

  // A message arrives, or a line is typed. A pipe's lines wait for our turn. A
  // terminal's are read at once, so that none is sent later, unseen.
  const events = [message.then(() => "message")];
  const listening = ourTurn || (Deno.stdin.isTerminal() && !isExit(said));
  if (listening) events.push(line.then(() => "line"));
  if (await Promise.race(events) === "message") {
    const { value: text, done } = await message;
    clearTimeout(timer); // an answer came
    if (ourTurn) console.log(); // ends the prompt's line
    if (done) close("Server closed the connection.\nClient closed.");
    const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
    console.log("Server:", text.trim().replace(control, "\uFFFD"));
    if (isExit(text) || isExit(said)) close("Client closed.");
    message = messages.next();
    ourTurn = true;
  } else {
    const { value: text = "exit", done } = await line;
    if (done) console.log(); // Ctrl-D does not end the prompt's line
    line = lines.next();
    if (!ourTurn && !isExit(text)) {
      console.log("Not sent, it is the server's turn.");
    } else if (text.trim() !== "") {
      said = text;
      ourTurn = false;
      const late = "No answer for 10 s. TCP repeats what did not arrive.";
      timer = setTimeout(console.log, 10_000, late);
      output.write(encoder.encode(text)); // and, meanwhile, we listen
    }
  }
}

/** Yields messages. Only silence, here 200 ms, shows where one ends. */
async function* receive(): AsyncGenerator<string, undefined> {
  const texts = connection.readable.pipeThrough(new TextDecoderStream());
  const reader = texts.getReader();
  let next = reader.read();
  for (let { value } = await next; value; { value } = await next) {
    let text = "";
    do {
      text += value;
      next = reader.read();
      ({ value } = await Promise.race([next, pause(200, { value: "" })]));
    } while (value && text.length < 1024 * 1024);
    yield text;
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

function close(farewell: string): never {
  console.log(farewell);
  Deno.exit(); // closes the socket, too
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
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
