/**
 * TCP chat server: talks in turns. The partner of `chat_client.ts`.
 *
 * Start it first:
 *
 *     deno run --allow-net=127.0.0.1 chat_server.ts
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
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => close("\nServer closed."));
Deno.addSignalListener("SIGTERM", () => close("\nServer closed."));

// We serve one client. Others would wait in the system's queue for nothing.
const listener = Deno.listen({ hostname: host, port: Number(port) });
console.log(`TCP Chat Server listening on ${nameOf(listener.addr)} ...`);
const connection = await listener.accept();
listener.close(); // the system refuses them now
console.log(`Client connected from ${nameOf(connection.remoteAddr)}`);
connection.setKeepAlive(true); // a machine that vanishes says no goodbye

const output = connection.writable.getWriter(), encoder = new TextEncoder();
const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const lines = keyboard();
const messages = receive();
let message = messages.next(), line = lines.next();
let ourTurn = false, lastWord = "";
let timer: ReturnType<typeof setTimeout> | undefined; // while we wait
while (lastWord === "") {
  if (ourTurn) Deno.stdout.writeSync(encoder.encode("You (server): "));
  else console.log("Waiting for the client ...");

  // A message arrives, or a line is typed. A pipe's lines wait for our turn. A
  // terminal's are read at once, so that none is sent later, unseen.
  const events = [message.then(() => "message")];
  if (ourTurn || Deno.stdin.isTerminal()) events.push(line.then(() => "line"));
  if (await Promise.race(events) === "message") {
    const { value: text, done } = await message;
    clearTimeout(timer); // an answer came
    if (ourTurn) console.log(); // ends the prompt's line
    if (done) close("Client disconnected\nServer closed.");
    const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
    console.log("Client:", text.trim().replace(control, "\uFFFD"));
    if (isExit(text)) lastWord = "Goodbye! Closing connection.";
    else message = messages.next();
    ourTurn = true;
  } else {
    const { value: text = "exit", done } = await line;
    if (done) console.log(); // Ctrl-D does not end the prompt's line
    line = lines.next();
    if (isExit(text)) lastWord = text;
    else if (!ourTurn) console.log("Not sent, it is the client's turn.");
    else if (text.trim() !== "") {
      ourTurn = false;
      const late = "No answer for 10 s. TCP repeats what did not arrive.";
      timer = setTimeout(console.log, 10_000, late);
      output.write(encoder.encode(text)); // and, meanwhile, we listen
    }
  }
}

// We say the last word, and that it is the last (FIN). If we only closed the
// socket while something is unread here, the client would see a reset (RST).
await output.write(encoder.encode(lastWord));
await connection.closeWrite().catch(() => {}); // the client may be gone
close("Server closed.");

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

function nameOf({ hostname, port }: Deno.NetAddr): string {
  return `${hostname.replace(/.*:.*/, "[$&]")}:${port}`; // [::1]:23456
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
  const inUse = " Stop the program that uses it, or pass another --port.";
  const advice = name === "AddrInUse" ? inUse : "";
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
