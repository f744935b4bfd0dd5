import { assert, assertEquals } from "@std/assert";
import net from "node:net";
import { relayTcp } from "../launch/wire/tcp_relay.ts";
import { relayUdp } from "../launch/wire/udp_relay.ts";
import { Recording, type Relay, type WireEvent } from "../launch/wire/relay.ts";
import {
  PATIENCE_MS,
  TcpListener,
  TcpPeer,
  UdpPeer,
  within,
} from "./assertions.ts";

/** What a relay reported, as short texts: `client: message 5`. */
class Reports {
  readonly lines: string[] = [];
  #change = Promise.withResolvers<void>();

  readonly record = ({ kind, from, bytes }: WireEvent): void => {
    const size = bytes.length > 0 ? ` ${bytes.length}` : "";
    this.lines.push(`${from}: ${kind}${size}`);
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  };

  async assertEquals(...expected: string[]): Promise<void> {
    while (this.lines.length < expected.length) {
      await within(PATIENCE_MS, this.#change.promise, expected.join(", "));
    }
    assertEquals(this.lines, expected);
  }
}

/** Options for a relay in front of a port of this machine. */
const to = (port: number, { record }: Reports) => ({
  link: "server",
  target: { hostname: "127.0.0.1", port },
  recorder: new Recording(record),
});

/** A client and a server with a relay between them. */
async function connected() {
  using listener = new TcpListener();
  const reports = new Reports();
  const relay = await relayTcp(to(listener.port, reports));
  const client = await TcpPeer.connect(relay.address.port);
  const server = await listener.accept();
  return {
    client,
    server,
    reports,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** A client that can reset its connection, which Deno's own cannot. */
async function resettable(port: number): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  await new Promise((resolve) => socket.on("connect", resolve));
  return socket;
}

/** How reading from a connection ends: what came before, and then what. */
async function ending(peer: TcpPeer): Promise<string> {
  const buffer = new Uint8Array(1024);
  let text = "";
  try {
    while (true) {
      const reading = peer.connection.read(buffer);
      const count = await within(PATIENCE_MS, reading, "an end");
      if (count === null) return `${text}, end`;
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  } catch (error) {
    return `${text}, ${error instanceof Error ? error.name : error}`;
  }
}

Deno.test("TCP relay: messages go both ways, and each end by itself", async () => {
  await using pair = await connected();
  const { client, server, reports } = pair;
  await client.send("question");
  await server.assertReplies("question");
  await client.connection.closeWrite();
  await server.assertCloses();
  await server.send("the answer comes after the client's half-close");
  server.connection.close();
  assertEquals(
    await client.rest(),
    "the answer comes after the client's half-close",
  );
  await reports.assertEquals(
    "client: connect",
    "client: message 8",
    "client: end",
    "server: message 46",
    "server: end",
  );
});

Deno.test("TCP relay: a client's reset reaches the server after its bytes", async () => {
  using listener = new TcpListener();
  const reports = new Reports();
  await using relay = await relayTcp(to(listener.port, reports));
  const client = await resettable(relay.address.port);
  using server = await listener.accept();
  client.write("last words", () => client.resetAndDestroy());
  assertEquals(await ending(server), "last words, ConnectionReset");
  await reports.assertEquals(
    "client: connect",
    "client: message 10",
    "client: reset",
  );
});

Deno.test("TCP relay: a server's reset reaches the client after its bytes", async () => {
  const server = net.createServer((socket) => {
    socket.write("last words", () => socket.resetAndDestroy());
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address && typeof address === "object") resolve(address.port);
    })
  );
  const reports = new Reports();
  await using relay = await relayTcp(to(port, reports));
  using client = await TcpPeer.connect(relay.address.port);
  assertEquals(await ending(client), "last words, ConnectionReset");
  await reports.assertEquals(
    "client: connect",
    "server: message 10",
    "server: reset",
  );
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("TCP relay: writing to a side that has gone is a reset, not silence", async () => {
  await using pair = await connected();
  const { client, server, reports } = pair;
  client.connection.close();
  await server.assertCloses();
  const writing = async () => {
    while (true) await server.send("Are you still there?");
  };
  const error = await within(
    PATIENCE_MS,
    writing().catch((error) => error),
    "an error",
  );
  assert(
    error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BrokenPipe,
    error,
  );
  assertEquals(reports.lines.at(-1), "client: reset");
});

Deno.test("TCP relay: where nobody listens any more, it does not either", async () => {
  const listener = new TcpListener();
  const reports = new Reports();
  await using relay = await relayTcp(to(listener.port, reports));
  listener[Symbol.dispose]();
  using first = await TcpPeer.connect(relay.address.port);
  assertEquals(await ending(first), ", ConnectionReset");
  await reports.assertEquals("client: connect", "server: refused");
  relay.stopListening();
  const error = await TcpPeer.connect(relay.address.port).catch((error) =>
    error
  );
  assert(error instanceof Deno.errors.ConnectionRefused, error);
});

Deno.test("TCP relay: what comes before its turn waits, and becomes one message", async () => {
  using listener = new TcpListener();
  const held = Promise.withResolvers<void>();
  const kinds: string[] = [];
  let turns = 0; // the first one is for the connection
  const recorder = new Recording(({ kind }) => kinds.push(kind));
  recorder.turn = () => turns++ > 0 ? held.promise : Promise.resolve();
  await using relay = await relayTcp(
    {
      link: "server",
      target: { hostname: "127.0.0.1", port: listener.port },
      recorder,
    },
  );
  using client = await TcpPeer.connect(relay.address.port);
  using server = await listener.accept();
  await client.send("held ");
  const reading = server.assertReplies("held back").then(() => "arrived");
  const waiting = new Promise((resolve) => setTimeout(resolve, 300, "waits"));
  assertEquals(await Promise.race([reading, waiting]), "waits");
  assertEquals(kinds, ["connect"]);
  await client.send("back");
  await new Promise((resolve) => setTimeout(resolve, 100));
  held.resolve();
  assertEquals(await reading, "arrived");
  assertEquals(kinds, ["connect", "message"]);
});

Deno.test("TCP relay: 100 MB arrive whole, and a slow reader slows the writer", async () => {
  await using pair = await connected();
  const { client, server } = pair;
  const size = 100_000_000;
  const sent = new Uint8Array(size);
  for (let i = 0; i < size; i += 65_536) {
    crypto.getRandomValues(sent.subarray(i, i + 65_536));
  }
  let taken = 0;
  const sending = async () => {
    while (taken < size) {
      taken += await client.connection.write(
        sent.subarray(taken, taken + 65_536),
      );
    }
    await client.connection.closeWrite();
  };
  const done = sending();

  // Nobody reads: so the writer must come to a halt, long before the end. What
  // it has sent by then is in the system's buffers, on two connections.
  let before = -1;
  while (taken !== before) {
    before = taken;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert(taken < size / 2, `${taken} bytes went nowhere`);

  const received = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = await server.connection.read(received.subarray(length));
    if (count === null) break;
    length += count;
  }
  assertEquals(length, size);
  assertEquals(await digest(received), await digest(sent));
  await server.assertCloses();
  await done;
});

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** A UDP server with a relay in front of it. */
async function relayed() {
  const server = new UdpPeer();
  const reports = new Reports();
  const relay: Relay = await relayUdp(to(server.port, reports));
  return {
    server,
    relay,
    reports,
    async [Symbol.asyncDispose]() {
      server[Symbol.dispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

Deno.test("UDP relay: keeps datagrams whole, the empty and the largest, too", async () => {
  await using link = await relayed();
  const { server, relay, reports } = link;
  using client = new UdpPeer();
  const largest = "ü".repeat(32_753) + "!";
  for (const text of ["", "hello", largest]) {
    await client.send(text, relay.address.port);
    const port = await server.assertReceives(text);
    await server.send(text, port);
    assertEquals(await client.assertReceives(text), relay.address.port);
  }
  await reports.assertEquals(
    "client: datagram",
    "server: datagram",
    "client: datagram 5",
    "server: datagram 5",
    "client: datagram 65507",
    "server: datagram 65507",
  );
});

Deno.test("UDP relay: keeps peers apart, and strangers out", async () => {
  await using link = await relayed();
  const { server, relay } = link;
  using first = new UdpPeer();
  using second = new UdpPeer();
  await first.send("first", relay.address.port);
  const one = await server.assertReceives("first");
  await second.send("second", relay.address.port);
  const two = await server.assertReceives("second");
  assert(one !== two);
  using stranger = new UdpPeer();
  await stranger.send("I am the server", one);
  await server.send("for the second", two);
  await server.send("for the first", one);
  await second.assertReceives("for the second");
  await first.assertReceives("for the first");
});

Deno.test("UDP relay: remembers 500 peers and forgets the silent ones", async () => {
  await using link = await relayed();
  const { server, relay } = link;
  using regular = new UdpPeer();
  await regular.send("0", relay.address.port);
  const port = await server.assertReceives("0");
  for (let i = 1; i <= 600; i++) {
    using passerBy = new UdpPeer();
    await passerBy.send(`${i}`, relay.address.port);
    await server.assertReceives(`${i}`);
    if (i % 100 === 0) {
      await regular.send("still here", relay.address.port);
      assertEquals(await server.assertReceives("still here"), port);
    }
  }
});

Deno.test("UDP relay: 10,000 datagrams arrive whole and in order", async () => {
  await using link = await relayed();
  const { server, relay } = link;
  using client = new UdpPeer();
  const count = 10_000, ahead = 50; // more would not fit into a small buffer
  const text = (i: number) => `${i} ${"x".repeat(i % 1000)}`;
  let received = 0, room = Promise.withResolvers<void>();
  const sending = (async () => {
    for (let i = 0; i < count; i++) {
      while (i - received > ahead) await room.promise;
      await client.send(text(i), relay.address.port);
    }
  })();
  while (received < count) {
    await server.assertReceives(text(received));
    received++;
    room.resolve();
    room = Promise.withResolvers();
  }
  await sending;
});
