/**
 * UDP chat client: talks with the server, in turns. The partner of
 * `chat_server.ts`.
 *
 * With the server running:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 chat_client.ts
 *
 * On the wire: UTF-8 text, one datagram a message. The client speaks first.
 * "exit" from either side ends the chat, and a client's "exit" is answered with
 * "Goodbye! Closing session." A second client is told "Server is busy with another
 * client." Nobody tells us that a datagram is lost.
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
let ourTurn = false, said = "";
Deno.addSignalListener("SIGINT", interrupt);
Deno.addSignalListener("SIGTERM", interrupt);

// Our own socket. On a loopback address it reaches this machine alone.
const { address, family } = await lookup(host); // a name stands for a number
const server: Deno.NetAddr = {
  transport: "udp",
  hostname: address,
  port: Number(port),
};
const any = family === 6 ? "::" : "0.0.0.0";
const hostname = /^127\.|^::1$/.test(address) ? address : any;
const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
console.log(
  `Connected (UDP) to ${nameOf(server)}. Type messages; 'exit' to quit.`,
);
ourTurn = true;

const isExit = (text: string) => text.trim().toLowerCase() === "exit";
const messages = receive(), lines = keyboard();
let message = messages.next(), line = lines.next();
let late: Promise<void> | undefined, waited = 0;
while (true) {
  const prompt = new TextEncoder().encode("You (client): ");
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
    console.log(`Server: ${escape(text.trim())}`);
    if (isExit(text)) close("Client closed.");
    if (text.trim() === "Server is busy with another client.") {
      throw new Deno.errors.Busy("it is busy with another client");
    }
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
      console.log(`Not sent, it is the server's turn: ${escape(text)}`);
    } else if (isExit(text)) {
      ourTurn = false;
      await leave(text);
    } else if (text.trim() !== "" && await send(text)) {
      said = text;
      ourTurn = false;
      waited = 0;
      late = pause(10_000);
      console.log("Waiting for the server ...");
    }
  }
}

/** Yields what the server says. Anyone can send to us: believe only the server. */
async function* receive(): AsyncGenerator<string, undefined> {
  // The server's address in the form that Deno shows: fd00::1, not FD00:0::1%eth0.
  const asked = new SocketAddress({
    address: address.replace(/%.*/, ""),
    family: family === 6 ? "ipv6" : "ipv4",
    port: Number(port),
  });
  for await (const [datagram, sender] of socket) {
    const { hostname, port } = sender as Deno.NetAddr;
    if (hostname !== asked.address || port !== asked.port) continue;
    yield new TextDecoder().decode(datagram);
  }
}

/** Says "exit" up to three times, because it or the answer may get lost. */
async function leave(text: string): Promise<never> {
  for (let tries = 0; tries < 3; tries++) {
    await send(text);
    const answer = await Promise.race([message, pause(1_000)]);
    if (!answer) continue;
    console.log(`Server: ${escape((answer.value ?? "").trim())}`);
    close("Client closed.");
  }
  throw new Deno.errors.TimedOut("no answer to our exit");
}

/** Sends a text as one datagram; returns whether the system took it. */
async function send(text: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  const limit = bytes.length > 65_507 ? " A datagram takes 65507 bytes." : "";
  return await socket.send(bytes, server).then(
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

/** Ctrl-C: without a connection, nobody else tells the server that we leave. */
async function interrupt(): Promise<never> {
  if (said !== "") await send("exit");
  close("\nClient closed.");
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
  return `${hostname.replace(/.*:.*/, "[$&]")}:${port}`; // [::1]:23457
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
  if (name === "Busy") advice = " Try again later.";
  if (code === "EPERM") advice = ` It needs --allow-net=${host}.`;
  if (ourTurn) console.log(); // ends the prompt's line
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
