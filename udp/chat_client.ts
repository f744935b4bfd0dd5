/**
 * UDP chat client: talks in turns. The partner of `chat_server.ts`.
 *
 * With the server running:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 chat_client.ts
 *
 * On the wire: UTF-8 text, one datagram a message. The client speaks first.
 * "exit" from either side ends the chat, and a client's "exit" is answered with
 * "Goodbye! Closing session." Nobody tells us that a datagram is lost. A second
 * client is told "Server is busy with another client."
 */
import { lookup } from "node:dns/promises";
import { SocketAddress } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "23457" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`--host ${host}, it is for servers`);
let said = ""; // the last text that we sent
Deno.addSignalListener("SIGINT", interrupt);
Deno.addSignalListener("SIGTERM", interrupt);
const { address, family } = await lookup(host); // a name stands for a number

// Our own socket. On a loopback address it reaches this machine alone.
const any = family === 6 ? "::" : "0.0.0.0";
const hostname = /^127\.|^::1$/.test(address) ? address : any;
const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
const to = { transport: "udp", hostname: address, port: Number(port) } as const;
const name = `${address.replace(/.*:.*/, "[$&]")}:${port}`; // [::1]:23457
console.log(`Connected (UDP) to ${name}. Type messages; 'exit' to quit.`);

const encoder = new TextEncoder();
const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const lines = keyboard();
const messages = receive();
let message = messages.next(), line = lines.next();
let ourTurn = true, tries = 1;
while (true) {
  if (ourTurn) Deno.stdout.writeSync(encoder.encode("You (client): "));

  // A message arrives, or a line is typed, or nothing comes for 10 s. A pipe's
  // lines wait for our turn. A terminal's are read at once, so that none is
  // sent later, unseen.
  const events = [message.then(() => "message")];
  const wait = isExit(said) ? 1_000 : 10_000;
  if (!ourTurn) events.push(pause(wait, "late"));
  const listening = ourTurn || (Deno.stdin.isTerminal() && !isExit(said));
  if (listening) events.push(line.then(() => "line"));
  const event = await Promise.race(events);
  if (event === "message") {
    const { value: text = "" } = await message;
    if (ourTurn) console.log(); // ends the prompt's line
    const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
    console.log("Server:", text.trim().replace(control, "\uFFFD"));
    if (isExit(text) || isExit(said)) close("Client closed.");
    message = messages.next();
    ourTurn = true;
  } else if (event === "late" && isExit(said)) { // it or the answer is lost
    if (tries++ === 3) throw new Deno.errors.TimedOut("no answer to our exit");
    await send(said);
  } else if (event === "late") {
    console.log("No answer for 10 s. Say it again, if it is lost, or wait.");
    ourTurn = true;
  } else {
    const { value: text = "exit", done } = await line;
    if (done) console.log(); // Ctrl-D does not end the prompt's line
    line = lines.next();
    if (!ourTurn && !isExit(text)) {
      console.log("Not sent, it is the server's turn.");
    } else if (text.trim() !== "" && (await send(text) || isExit(text))) {
      said = text;
      ourTurn = false;
      console.log("Waiting for the server ...");
    }
  }
}

/** Ctrl-C: without a connection, nobody else tells the server that we leave. */
async function interrupt(): Promise<never> {
  if (said) await send("exit");
  close("\nClient closed.");
}

/** Sends a text as one datagram; returns whether the system took it. */
async function send(text: string): Promise<boolean> {
  const bytes = encoder.encode(text);
  const sent = socket.send(bytes, to).then(() => true);
  return await sent.catch((error) => {
    if (error.name === "NotCapable") throw error; // a permission is missing
    console.log(`Cannot send ${bytes.length} bytes: ${error.message}.`);
    return false;
  });
}

/** Yields what the server says. Anyone can send to us: believe only the server. */
async function* receive(): AsyncGenerator<string, undefined> {
  // Its address in the form that Deno shows: fd00::1, not FD00:0::1%eth0.
  const asked = new SocketAddress({
    address: address.replace(/%.*/, ""),
    family: family === 6 ? "ipv6" : "ipv4",
  });
  for await (const [datagram, sender] of socket) {
    const { hostname, port } = sender as Deno.NetAddr;
    if (hostname !== asked.address || port !== to.port) continue;
    yield new TextDecoder().decode(datagram);
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
  const line = "Usage: chat_client.ts [--host 127.0.0.1] [--port 23457]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { code, name, message } = event.reason;
  let advice = /TimedOut|Reset/.test(name) ? " Is the server running?" : "";
  if (code === "EPERM") advice = ` It needs --allow-net=${host}.`;
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
