/**
 * The other side of a learner's program, by hand: it sends each line that is typed,
 * and prints what comes. The lab runs it beside the program.
 *
 *     deno run --allow-net=127.0.0.1 launch/exercises/partner.ts client tcp 7000
 *     deno run --unstable-net --allow-net=127.0.0.1 launch/exercises/partner.ts server udp 7000
 *
 * `\n`, `\r`, `\t`, `\\` and `\xNN` in a line stand for those bytes; no line feed is
 * sent that is not written so. The end of its input ends its side.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { readable } from "../show/text.ts";

const [role, transport, port] = Deno.args;
const isServer = role === "server";
if (
  !isServer && role !== "client" ||
  transport !== "tcp" && transport !== "udp" ||
  !/^\d+$/.test(port ?? "")
) {
  console.error("Usage: partner.ts client|server tcp|udp PORT");
  Deno.exit(2);
}
const address = { hostname: "127.0.0.1", port: Number(port) };
try {
  if (transport === "tcp") await talkTcp();
  else await talkUdp();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
Deno.exit();

/** One connection; a server talks with the one that came last. */
async function talkTcp(): Promise<void> {
  let connection: Deno.TcpConn | undefined;
  const show = async (one: Deno.TcpConn) => {
    try {
      for await (const bytes of one.readable) came(bytes);
      console.log("They send no more (FIN).");
    } catch {
      console.log("They have broken it off (RST).");
    }
  };
  if (isServer) {
    const listener = Deno.listen(address);
    console.log(`Waiting on port ${address.port}. What you type is sent.`);
    (async () => {
      for await (const one of listener) {
        connection = one;
        console.log("Somebody has connected.");
        void show(one);
        ask();
      }
    })();
  } else {
    connection = await Deno.connect(address);
    console.log(`Connected to port ${address.port}. What you type is sent.`);
    void show(connection);
    ask();
  }
  for await (const bytes of typed()) {
    if (!connection) console.log("Nobody is connected.");
    else await connection.write(bytes).catch(() => console.log("Not sent."));
    ask();
  }
  await connection?.closeWrite().catch(() => {});
}

/** Datagrams; a server answers whoever spoke last. */
async function talkUdp(): Promise<void> {
  const { hostname } = address;
  const socket = Deno.listenDatagram({
    ...{ transport: "udp", hostname, port: isServer ? address.port : 0 },
  });
  let peer: Deno.Addr | undefined = isServer
    ? undefined
    : { transport: "udp", ...address };
  console.log(
    isServer
      ? `Waiting on port ${address.port}. What you type is sent.`
      : `Each line that you type is a datagram to port ${address.port}.`,
  );
  (async () => {
    for await (const [bytes, sender] of socket) {
      if (isServer) peer = sender;
      came(bytes);
      ask();
    }
  })();
  if (peer) ask();
  for await (const bytes of typed()) {
    if (!peer) console.log("Nobody has sent anything yet.");
    else await socket.send(bytes, peer);
    ask();
  }
}

function came(bytes: Uint8Array): void {
  console.log(`\nThey: ${readable(bytes.subarray(0, 2_000))}`);
}

function ask(): void {
  Deno.stdout.writeSync(new TextEncoder().encode("You: "));
}

/** What is typed, as bytes. */
async function* typed(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const line of createInterface({ input: process.stdin })) {
    const parts = line.split(/(\\(?:[nrt\\]|x[\da-fA-F]{2}))/);
    yield await new Blob(parts.map((part) => bytesOf(part))).bytes();
  }
}

function bytesOf(part: string): Uint8Array<ArrayBuffer> {
  const short = { "\\n": 10, "\\r": 13, "\\t": 9, "\\\\": 92 }[part];
  if (short !== undefined) return Uint8Array.of(short);
  const [, hex] = /^\\x([\da-fA-F]{2})$/.exec(part) ?? [];
  return hex === undefined
    ? new TextEncoder().encode(part)
    : Uint8Array.of(parseInt(hex, 16));
}
