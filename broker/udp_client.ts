/**
 * UDP client: asks for texts to convert, prints them converted. The partner of
 * `udp_broker.ts`.
 *
 * With the broker and its servers running:
 *
 *     deno run --unstable-net --allow-net=127.0.0.1,localhost udp_client.ts
 *
 * Another broker than that on 127.0.0.1:8082 goes after it: localhost 8082.
 *
 * On the wire, a datagram for each: "toupper:TEXT" or "tolower:TEXT" goes out
 * as UTF-8, the converted text comes in, or "error: …".
 */
import { lookup } from "node:dns/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

addEventListener("unhandledrejection", explain);
const { _: places } = parseArgs(Deno.args, {
  unknown: (argument, option) => option === undefined || usage(argument),
});
const [host = "127.0.0.1", port = 8082] = places.map(String);
if (!/^[1-9]\d*$/.test(`${port}`) || Number(port) > 65535) {
  usage(`port ${port}`);
}
if (host === "" || places.length > 2) usage(places.slice(2).join(" "));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => close("\nClosing socket..."));
}

let step = `find ${host}`;
const { address } = await lookup(host, 4);
const broker = {
  transport: "udp",
  hostname: address,
  port: Number(port),
} as const;
step = `get an answer from ${host}:${port}`;

await prompt();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim().toLowerCase() === "exit") close("Closing socket...");
  // Spaces may be part of the text, so only those before the request go.
  const [, operation, text] = /^\s*(toupper|tolower):(.+)$/isu.exec(line) ?? [];
  if (operation && text) {
    console.log(
      "Converted text:",
      await convert(operation.toLowerCase(), text),
    );
  } else {
    console.log("Invalid request format. Use 'tolower:text' or 'toupper:text'");
  }
  await prompt();
}
close("\nClosing socket..."); // Ctrl-D, or the end of a pipe

/** Asks the broker, up to 3 times: datagrams may get lost, and nobody tells. */
async function convert(operation: string, text: string): Promise<string> {
  // Each request has a socket of its own. So an answer that comes late, or
  // twice, is never taken for the answer to the next request.
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: address.startsWith("127.") ? "127.0.0.1" : "0.0.0.0",
    port: 0,
  });
  const answer = receive(socket).catch(() => null); // closed, in the end
  try {
    for (let tries = 0; tries < 3; tries++) {
      await socket.send(
        new TextEncoder().encode(`${operation}:${text}`),
        broker,
      );
      const reply = await Promise.race([
        answer,
        pause(2_000, null, { ref: false }),
      ]);
      if (reply !== null) return reply;
    }
  } finally {
    socket.close();
  }
  throw new Error("no reply to 3 tries of 2 s");
}

/** The broker's answer: anyone can send to our socket, but not from there. */
async function receive(socket: Deno.DatagramConn): Promise<string> {
  while (true) {
    const [datagram, sender] = await socket.receive();
    if (
      sender.transport === "udp" && sender.hostname === broker.hostname &&
      sender.port === broker.port
    ) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(datagram);
  }
}

async function prompt(): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode("Enter request: "));
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
  const { name, message } = event.reason;
  const advice = name === "NotCapable" ? "" : " Is the broker running?";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
