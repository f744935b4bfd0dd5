/**
 * UDP client: asks for texts to convert, prints them converted. The partner of
 * `udp_broker.ts`.
 *
 * With the broker and its servers running (host and port may follow):
 *
 *     deno run --unstable-net --allow-net=127.0.0.1,localhost udp_client.ts
 *
 * On the wire, one datagram each: "toupper:TEXT" or "tolower:TEXT" goes out as
 * UTF-8, the converted text comes in, or "error: …".
 */
import { lookup } from "node:dns/promises";
import { SocketAddress } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

addEventListener("unhandledrejection", explain);
const [host = "127.0.0.1", port = "8082", ...others] = Deno.args;
if (/^-|^$/.test(host) || others.length > 0) usage(Deno.args.join(" "));
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`${host}, it is for servers`);
Deno.addSignalListener("SIGINT", () => close("\nClosing socket..."));
Deno.addSignalListener("SIGTERM", () => close("\nClosing socket..."));

const { address, family } = await lookup(host); // a name stands for a number
const broker = { hostname: address, port: Number(port) };
// How Deno shows that address: fd00::1, not FD00:0::1%eth0.
const { address: asked } = new SocketAddress({
  address: address.replace(/%.*/, ""),
  family: family === 6 ? "ipv6" : "ipv4",
});
console.log(
  "To send data, enter 'tolower:text' or 'toupper:text' (type 'exit' to quit).",
);
const prompt = new TextEncoder().encode("Enter request: ");
await Deno.stdout.write(prompt);
for await (const line of keyboard()) {
  if (line.trim().toLowerCase() === "exit") close("Closing socket...");
  // Spaces may be part of the text, so only those before the request go.
  const [, operation, text] = /^\s*(toupper|tolower):(.+)$/isu.exec(line) ?? [];
  const invalid =
    "Invalid request format. Use 'tolower:text' or 'toupper:text'";
  if (operation) await convert(`${operation.toLowerCase()}:${text}`);
  else console.log(invalid);
  await Deno.stdout.write(prompt);
}
close("\nClosing socket..."); // Ctrl-D, or the end of a pipe

/** Asks the broker, up to 3 times: nobody tells that a datagram was lost. */
async function convert(request: string): Promise<void> {
  // Each request has a socket of its own. So an answer that comes late, or
  // twice, is never taken for the answer to the next request.
  const any = family === 6 ? "::" : "0.0.0.0"; // reaches other machines
  const hostname = /^127\.|^::1$/.test(asked) ? asked : any;
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const answer = receive(socket);
  try {
    for (let tries = 0; tries < 3; tries++) {
      const datagram = new TextEncoder().encode(request);
      await socket.send(datagram, { transport: "udp", ...broker });
      const text = await Promise.race([answer, pause(2_000)]);
      if (text !== undefined) return console.log("Converted text:", text);
    }
    throw new Error("no answer to 3 tries of 2 s. Is the broker running?");
  } catch (error) {
    if (!(error instanceof Error) || error.name === "NotCapable") throw error;
    console.error(`Cannot talk with ${host} port ${port}: ${error.message}`);
  } finally {
    socket.close(); // this ends receive(), too
  }
}

/** Waits for the broker's answer. Anyone can send to us: believe only it. */
async function receive(socket: Deno.DatagramConn): Promise<string | undefined> {
  for await (const [datagram, sender] of socket) {
    const { hostname, port } = sender as Deno.NetAddr;
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(datagram);
    const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // could command a terminal
    const ok = hostname === asked && port === broker.port;
    if (ok) return text.replace(control, "\uFFFD");
    console.error(`Ignored what came from ${hostname} port ${port}`);
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
  Deno.exit();
}

function usage(wrong: string): never {
  const line = "Usage: udp_client.ts [HOST [PORT]], as in localhost 8082";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { code, message } = event.reason;
  const hint = code === "EPERM" ? ` It needs --allow-net=${host}.` : "";
  console.error(`Cannot talk with ${host} port ${port}: ${message}.${hint}`);
  Deno.exit(1);
}
