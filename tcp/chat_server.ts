/**
 * TCP chat server: talks with one client, in turns. The partner of
 * `chat_client.ts`.
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
let ourTurn = false;

// We serve one client. Then we close the listener, so the system refuses the
// next client at once. Otherwise it would wait in the queue for nothing.
const listener = Deno.listen({ hostname: host, port: Number(port) });
console.log(`TCP Chat Server listening on ${nameOf(listener.addr)} ...`);
const connection = await listener.accept();
listener.close();
console.log(`Client connected from ${nameOf(connection.remoteAddr)}`);

// A machine without power or network says no goodbye. With keep-alive, our
// system asks it for a sign of life (Linux: after 2 quiet hours).
connection.setKeepAlive(true);
const output = connection.writable.getWriter();
const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const messages = receive(), lines = keyboard();
let message = messages.next(), line = lines.next();
console.log("Waiting for the client ...");
while (true) {
  const prompt = new TextEncoder().encode("You (server): ");
  if (ourTurn) Deno.stdout.writeSync(prompt);

  // A message arrives, or a line is typed. A pipe's lines wait for our turn. A
  // terminal's are read at once, so that none is sent later, unseen.
  const events = [message.then(() => "message")];
  const listening = ourTurn || Deno.stdin.isTerminal();
  if (listening) events.push(line.then(() => "line"));
  if (await Promise.race(events) === "message") {
    const { value: text, done } = await message;
    if (ourTurn) console.log(); // ends the prompt's line
    if (done) close("Client disconnected\nServer closed.");
    console.log(`Client: ${escape(text.trim())}`);
    if (isExit(text)) await leave("Goodbye! Closing connection.");
    message = messages.next();
    ourTurn = true;
  } else {
    const { value, done } = await line;
    if (done) console.log(); // ends the prompt's line
    const text = done ? "exit" : value; // Ctrl-D, or the end of a pipe
    line = lines.next();
    if (done && !ourTurn) close("Server closed.");
    if (!ourTurn) {
      console.log(`Not sent, it is the client's turn: ${escape(text)}`);
    } else if (text.trim() !== "") {
      if (isExit(text)) await leave(text);
      ourTurn = false;
      console.log("Waiting for the client ...");
      const late = "No answer for 10 s. TCP repeats what did not arrive.";
      const answer = message; // still pending when these 10 s are over?
      setTimeout(() => message === answer && console.log(late), 10_000);
      await output.write(new TextEncoder().encode(text));
    }
  }
}

/**
 * Yields what the client says. TCP may cut a text anywhere, and nothing marks
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

/**
 * Says a last word and announces the end (FIN). If we only closed the socket
 * while words of the client wait unread, it would be a reset (RST) over there.
 */
async function leave(text: string): Promise<never> {
  await output.write(new TextEncoder().encode(text));
  await connection.closeWrite().catch(() => {}); // the client may be gone
  close("Server closed.");
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
  if (ourTurn) console.log(); // ends the prompt's line
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
