import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import net from "node:net";
import { parseNet } from "../launch/wire/conditions/parse.ts";
import { Counts } from "../launch/wire/counts.ts";
import { relayTcp } from "../launch/wire/tcp_relay.ts";
import { relayUdp } from "../launch/wire/udp_relay.ts";
import { Recording, type Relay, type WireEvent } from "../launch/wire/relay.ts";
import {
  assertPrints,
  LARGEST_DATAGRAM,
  PATIENCE_MS,
  Program,
  ROOT,
  sendFrom,
  TcpListener,
  TcpPeer,
  UdpPeer,
  within,
} from "./assertions.ts";
import { needs } from "./needs.ts";

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
  const buffer = new Uint8Array(65_536);
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

Deno.test("TCP relay: what was said before a reset arrives, as soon as there is a server", async () => {
  using listener = new TcpListener();
  const reports = new Reports();
  await using relay = await relayTcp(to(listener.port, reports));
  relay.hold(() => true);
  const client = await resettable(relay.address.port);
  client.write("last words", () => client.resetAndDestroy());
  await until(() => relay.held().some(({ kind }) => kind === "reset"));
  relay.hold(null); // now it connects; the rest must wait until it has
  using server = await listener.accept();
  assertEquals(await ending(server), "last words, ConnectionReset");
});

Deno.test("TCP relay: a reset after 1 MB comes after 1 MB", async () => {
  const link = { name: "server", transport: "tcp" as const };
  const network = await parseNet(["down.reset=1MB"], { links: [link] });
  using listener = new TcpListener();
  await using relay = await relayTcp({
    link: "server",
    target: { hostname: "127.0.0.1", port: listener.port },
    recorder: new Recording(() => {}),
    conditions: network.of(link),
  });
  using client = await TcpPeer.connect(relay.address.port);
  using server = await listener.accept();
  const sending = server.send(new Uint8Array(2_000_000)).catch(() => {});
  const text = await ending(client);
  assertEquals(text.length - 1_000_000, ", ConnectionReset".length);
  await sending;
});

Deno.test("TCP relay: a reset does not wait for one who never reads", async () => {
  using listener = new TcpListener();
  let written = 0, resets = 0;
  const recorder = new Recording(({ kind, bytes }) => {
    written += bytes.length;
    if (kind === "reset") resets++;
  });
  const target = { hostname: "127.0.0.1", port: listener.port };
  await using relay = await relayTcp({ link: "server", target, recorder });
  using _client = await TcpPeer.connect(relay.address.port);
  using server = await listener.accept();
  const sending = server.send(new Uint8Array(50_000_000)).catch(() => {});
  // All buffers on the way are full when nothing more comes to the relay.
  for (let before = -1; before !== written;) {
    before = written;
    await pause(200);
  }
  assert(relay.reset(1));
  await sending;
  await until(() => !relay.reset(1));
  assertEquals(resets, 1);
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

/** Connects a client with a server, with or without a relay between them. */
async function pairOf(
  relayed: boolean,
  host: string,
): Promise<{ client: net.Socket; server: net.Socket } & AsyncDisposable> {
  const listener = net.createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => listener.listen(0, host, resolve));
  const accepted = new Promise<net.Socket>((resolve) =>
    listener.once("connection", resolve)
  );
  const target = { hostname: host, port: portOf(listener) };
  const relay = relayed
    ? await relayTcp({
      link: "server",
      listen: { hostname: host },
      target,
      recorder: new Recording(() => {}),
    })
    : undefined;
  const client = net.connect({
    host,
    port: relay?.address.port ?? target.port,
    allowHalfOpen: true,
  });
  const server = await within(PATIENCE_MS, accepted, "a connection");
  for (const socket of [client, server]) socket.on("error", () => {});
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.destroy();
      listener.close();
      await relay?.[Symbol.asyncDispose]();
    },
  };
}

function portOf(listener: net.Server): number {
  const address = listener.address();
  assert(address !== null && typeof address === "object");
  return address.port;
}

/** What a socket gets up to its end, and how that comes. */
function heard(socket: net.Socket): Promise<string> {
  const hash = createHash("sha256");
  let length = 0;
  const all = new Promise<string>((resolve) => {
    socket.on("data", (bytes) => {
      hash.update(bytes);
      length += bytes.length;
    });
    socket.on("end", () => resolve("end"));
    socket.on(
      "error",
      (error) => resolve("code" in error ? `${error.code}` : error.message),
    );
    socket.on("close", () => resolve("closed"));
  });
  return within(
    PATIENCE_MS,
    all.then((how) =>
      `${length} bytes ${hash.digest("hex").slice(0, 8)}, ${how}`
    ),
    "an end",
  );
}

type Sockets = { client: net.Socket; server: net.Socket };

/** Resolves when so many bytes have come. */
function comes(socket: net.Socket, count: number): Promise<void> {
  let length = 0;
  return within(
    PATIENCE_MS,
    new Promise((resolve) =>
      socket.on("data", (bytes) => {
        length += bytes.length;
        if (length >= count) resolve();
      })
    ),
    `${count} bytes`,
  );
}

/** What two sockets do, and what each of them hears of it. */
const CASES: [string, (sockets: Sockets) => Promise<string[]>][] = [
  ["a question, its answer, both end", async ({ client, server }) => {
    const hears = [heard(client), heard(server)];
    client.write("question");
    await comes(server, 8);
    server.end("answer");
    await hears[0];
    client.end();
    return await Promise.all(hears);
  }],
  ["one direction ends, the other goes on", async ({ client, server }) => {
    const hears = [heard(client), heard(server)];
    client.end("all that I have");
    await hears[1];
    server.write("still here ");
    await comes(client, 11);
    server.end(new Uint8Array(300_000).fill(7));
    return await Promise.all(hears);
  }],
  ["the server ends first, the client goes on", async ({ client, server }) => {
    const hears = [heard(client), heard(server)];
    server.end();
    await hears[0];
    client.end("more");
    return await Promise.all(hears);
  }],
  ["both end without a word", async ({ client, server }) => {
    const hears = [heard(client), heard(server)];
    client.end();
    server.end();
    return await Promise.all(hears);
  }],
  ["the client resets", async ({ client, server }) => {
    const hears = heard(server);
    client.write("last words");
    await comes(server, 10);
    client.resetAndDestroy();
    return [await hears];
  }],
  ["the server resets", async ({ client, server }) => {
    const hears = heard(client);
    server.write("last words");
    await comes(client, 10);
    server.resetAndDestroy();
    return [await hears];
  }],
  ["5 MB each way at once", async ({ client, server }) => {
    const hears = [heard(client), heard(server)];
    client.end(new Uint8Array(5_000_000).fill(1));
    server.end(new Uint8Array(5_000_000).fill(2));
    return await Promise.all(hears);
  }],
  ["1,000 writes of one byte", async ({ client, server }) => {
    const hears = [heard(client), heard(server)];
    for (let i = 0; i < 1000; i++) client.write(Uint8Array.of(i));
    client.end();
    await hears[1];
    server.end();
    return await Promise.all(hears);
  }],
];

for (const host of ["127.0.0.1", "::1"]) {
  for (const [name, play] of CASES) {
    Deno.test({
      name: `TCP relay: not felt on ${host}: ${name}`,
      // Not each machine has IPv6, and the tests may not be allowed to use it.
      ignore: !await canListen(host),
      fn: async () => {
        const results = [];
        for (const relayed of [false, true]) {
          await using sockets = await pairOf(relayed, host);
          results.push(await play(sockets));
        }
        assertEquals(results[1], results[0]);
      },
    });
  }
}

async function canListen(host: string): Promise<boolean> {
  const name = host.includes(":") ? `[${host}]` : host;
  const { state } = await Deno.permissions.query({ name: "net", host: name });
  if (state !== "granted") return false;
  try {
    Deno.listen({ hostname: host, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("TCP relay: events have numbers, times, and what the network did", async () => {
  const events: WireEvent[] = [];
  using listener = new TcpListener();
  const links = [{ name: "server", transport: "tcp" as const }];
  const network = await parseNet(["delay=30ms up.cut=4B"], { links, seed: 1 });
  await using relay = await relayTcp({
    link: "server",
    target: { hostname: "127.0.0.1", port: listener.port },
    recorder: new Recording((event) => events.push(event)),
    conditions: network.of({ name: "server", transport: "tcp" }),
  });
  using client = await TcpPeer.connect(relay.address.port);
  const start = performance.now();
  await client.send("question");
  using server = await listener.accept();
  await server.assertReplies("question");
  assert(performance.now() - start >= 30);
  await server.send("answer");
  await client.assertReplies("answer");
  assert(performance.now() - start >= 60);
  client[Symbol.dispose]();
  await server.assertCloses();
  const last = new Map(events.map((event) => [event.number, event]));
  const numbers = [...last.keys()];
  assertEquals(numbers, numbers.map((_, i) => i + 1));
  const shown = [...last.values()].slice(0, 4).map((
    { kind, from, connection, bytes, fate, of, marks },
  ) => [
    ...[kind, from, connection, new TextDecoder().decode(bytes), fate, of],
    marks.join(),
  ]);
  assertEquals(shown, [
    ["connect", "client", 1, "", "delivered", null, "late"],
    ["message", "client", 1, "ques", "delivered", null, "late,piece"],
    ["message", "client", 1, "tion", "delivered", 2, "late,piece"],
    ["message", "server", 1, "answer", "delivered", null, "late"],
  ]);
});

Deno.test("TCP relay: conditions reset, stall, and are changed while it runs", async () => {
  const link = { name: "server", transport: "tcp" as const };
  const of = async (net: string) =>
    (await parseNet([net], { links: [link], seed: 1 })).of(link);
  const events: WireEvent[] = [];
  using listener = new TcpListener();
  await using relay = await relayTcp({
    link: "server",
    target: { hostname: "127.0.0.1", port: listener.port },
    recorder: new Recording((event) => events.push(event)),
    conditions: await of("up.stall=5B"),
  });
  using client = await TcpPeer.connect(relay.address.port);
  using server = await listener.accept();
  await client.send("hello world");
  await server.assertReplies("hello");
  await server.send("the other direction goes on");
  await client.assertReplies("the other direction goes on");
  assert(
    events.some(({ kind, causes }) =>
      kind === "condition" && causes.join() === "up.stall=5B"
    ),
  );
  relay.change(await of("delay=0ms"));
  await server.assertReplies(" world"); // the cable is in again
  relay.change(await of("stall=3B"));
  await client.send("abcdef");
  await server.assertReplies("abc");
  await server.send("back"); // this direction has had no 3 bytes, and stands, too
  await until(() =>
    events.some(({ from, bytes, fate }) =>
      from === "server" && bytes.length === 4 && fate === "under way"
    )
  );
  relay.change(await of("delay=0ms"));
  await server.assertReplies("def");
  await client.assertReplies("back");
  relay.change(await of("down.reset=3B"));
  await server.send("abcdef");
  assertEquals(await ending(client), "abc, ConnectionReset");
  assertEquals(await ending(server), ", ConnectionReset");
  const reset = events.find(({ kind }) => kind === "reset");
  assertEquals(reset?.causes, ["down.reset=3B"]);
  assertEquals(
    events.filter(({ kind }) => kind === "condition").map(({ text }) => text),
    [
      "up.stall=5B: nothing passes any more",
      "now: no conditions",
      "now: stall=3B",
      "stall=3B: nothing passes any more",
      "now: no conditions",
      "now: down.reset=3B",
    ],
  );
});

Deno.test("TCP relay: stalled before the first byte, it is there nevertheless", async () => {
  const link = { name: "server", transport: "tcp" as const };
  const network = await parseNet(["stall=0B"], { links: [link] });
  const reports = new Reports();
  using listener = new TcpListener();
  await using relay = await relayTcp({
    ...to(listener.port, reports),
    conditions: network.of(link),
  });
  using client = await TcpPeer.connect(relay.address.port);
  await reports.assertEquals("client: condition", "client: connect");
  assert(relay.reset(1));
  assertEquals(await ending(client), ", ConnectionReset");
  // Who has gone leaves nothing that waits for the end of the stall.
  const other = await resettable(relay.address.port);
  await until(() => reports.lines.length > 4);
  other.resetAndDestroy();
  await within(PATIENCE_MS, relay.settled(2 * PATIENCE_MS), "its end");
});

Deno.test("TCP relay: a condition for a time begins, ends, and lets go by itself", async () => {
  const link = { name: "server", transport: "tcp" as const };
  const texts: string[] = [];
  const recorder = new Recording(({ kind, text }) => {
    if (kind === "condition") texts.push(text);
  });
  using listener = new TcpListener();
  const target = { hostname: "127.0.0.1", port: listener.port };
  await using relay = await relayTcp({ link: "server", target, recorder });
  using client = await TcpPeer.connect(relay.address.port);
  using server = await listener.accept();
  const ms = Math.ceil(recorder.now() / 1000);
  const net = `stall=0B@${ms + 100}ms..${ms + 300}ms`;
  relay.change((await parseNet([net], { links: [link], seed: 1 })).of(link));
  await until(() => texts.includes(`${net} begins`));
  await client.send("stalled"); // if this machine is not too slow
  await server.assertReplies("stalled");
  await until(() => texts.includes(`${net} ends`));
  assertEquals(texts[0], `now: ${net}`);
});

Deno.test(needs(["sh"], {
  name:
    "TCP relay: no descriptors left: says so, serves, and goes on afterwards",
  ignore: Deno.build.os === "windows",
  async fn() {
    const served: net.Socket[] = [];
    const server = net.createServer((socket) => {
      served.push(socket);
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", resolve)
    );
    const target = `127.0.0.1:${portOf(server)}`;
    const flags = ["--allow-run", "--allow-read", "--allow-write"];
    await using relay = new Program(
      "wire",
      [
        ...["-c", 'ulimit -n 64; exec "$0" "$@"', Deno.execPath(), "run"],
        ...["--quiet", "--no-check", ...flags, "--allow-env=TERM"],
        ...["--allow-net=127.0.0.1", "launch/wire.ts", "tcp", "0", target],
      ],
      {},
      ROOT,
      "sh",
    );
    const [, text] = await assertPrints(relay, /127\.0\.0\.1:(\d+) →/);
    const port = Number(text);
    // Each takes two descriptors of the relay: not all of them can be served.
    const clients: TcpPeer[] = [];
    for (let i = 0; i < 60; i++) {
      const client = await TcpPeer.connect(port);
      clients.push(client);
      await client.send("hello");
    }
    await assertPrints(relay, /file\s+descriptors/);
    // Who is served goes, and leaves room for those who still wait.
    const ends = clients.map(async (client) => {
      using _ = client;
      return await client.assertReplies("hello").then(() => true, () => false);
    });
    const answers = await within(2 * PATIENCE_MS, Promise.all(ends), "ends");
    const count = answers.filter((isServed) => isServed).length;
    assert(count > 10, `${count} of 60 were served`);
    using late = await TcpPeer.connect(port);
    await late.send("still there?");
    await late.assertReplies("still there?");
    for (const socket of served) socket.destroy();
    server.close();
  },
}));

Deno.test("TCP relay: 2,000 connections come and go, and nothing stays", async () => {
  const server = net.createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const ends = new Map<string, number>();
  await using relay = await relayTcp({
    link: "server",
    target: { hostname: "127.0.0.1", port: portOf(server) },
    recorder: new Recording(({ kind, from }) => {
      const key = `${from}: ${kind}`;
      ends.set(key, (ends.get(key) ?? 0) + 1);
    }),
  });
  let left = 2000;
  const visitor = async () => {
    while (left-- > 0) {
      using client = await TcpPeer.connect(relay.address.port);
      await client.send("hello");
      await client.connection.closeWrite();
      assertEquals(await client.rest(), "hello");
    }
  };
  await Promise.all(Array.from({ length: 20 }, visitor));
  await relay.settled(PATIENCE_MS);
  const open = await new Promise((resolve, reject) =>
    server.getConnections((error, count) =>
      error ? reject(error) : resolve(count)
    )
  );
  assertEquals(open, 0);
  for (const what of ["client: connect", "client: end", "server: end"]) {
    assertEquals(ends.get(what), 2000, what);
  }
  assert(!relay.reset(2000), "a connection is kept that has ended");
  server.close();
});

Deno.test("TCP relay: held, changed and injected by hand", async () => {
  const events: WireEvent[] = [];
  using listener = new TcpListener();
  await using relay = await relayTcp({
    link: "server",
    target: { hostname: "127.0.0.1", port: listener.port },
    recorder: new Recording((event) => events.push(event)),
  });
  using client = await TcpPeer.connect(relay.address.port);
  using server = await listener.accept();
  relay.hold(({ kind }) => kind === "message");
  await client.send("secret");
  await until(() => relay.held().length === 1);
  const [held] = relay.held();
  assertEquals(held?.marks, ["held"]);
  assertEquals(relay.release(999), false);
  assertEquals(relay.drop(held?.number ?? 0), false); // a stream loses nothing
  assert(relay.release(held?.number ?? 0, new TextEncoder().encode("public")));
  await server.assertReplies("public");
  // What came before it on its stream goes with it.
  for (const text of ["first ", "second"]) {
    const count = relay.held().length;
    await client.send(text);
    await until(() => relay.held().length === count + 1);
  }
  assert(relay.release(relay.held()[1]?.number ?? 0));
  await server.assertReplies("first second");
  await client.send("one ");
  await until(() => relay.held().length === 1);
  await client.send("two");
  await until(() => relay.held().length === 2);
  relay.hold(null);
  await server.assertReplies("one two");
  assert(relay.inject(1, "server", new TextEncoder().encode("psst")));
  await client.assertReplies("psst");
  assertEquals(relay.inject(2, "server", new Uint8Array(1)), false);
  assertEquals(events.at(-1)?.marks, ["injected"]);
  assert(relay.reset(1));
  assertEquals(await ending(client), ", ConnectionReset");
});

Deno.test("UDP relay: held datagrams are dropped, doubled, overtaken", async () => {
  await using link = await relayed();
  const { server, relay } = link;
  using client = new UdpPeer();
  relay.hold(({ from }) => from === "client");
  for (const text of ["a", "b", "c"]) {
    await client.send(text, relay.address.port);
  }
  await until(() => relay.held().length === 3);
  const [a, b, c] = relay.held().map(({ number }) => number);
  assert(relay.release(c ?? 0));
  assert(relay.drop(b ?? 0));
  assert(!relay.drop(b ?? 0));
  assert(relay.double(a ?? 0));
  for (const text of ["c", "a", "a"]) await server.assertReceives(text);
  relay.hold(null);
  await client.send("d", relay.address.port);
  const port = await server.assertReceives("d");
  assert(relay.inject(1, "server", new TextEncoder().encode("stranger")));
  assertEquals(await client.assertReceives("stranger"), relay.address.port);
  await server.send("e", port);
  await client.assertReceives("e");
  // A stranger is no client, and the same one each time.
  const strangers: number[] = [];
  for (const text of ["1", "2"]) {
    assert(relay.inject(0, "client", new TextEncoder().encode(text)));
    strangers.push(await server.assertReceives(text));
  }
  assertEquals(strangers[1], strangers[0]);
  assert(strangers[0] !== port);
});

Deno.test("UDP relay: 3,000 datagrams with loss and more: each is accounted for", async () => {
  const link = { name: "server", transport: "udp" as const };
  const network = await parseNet(
    ["up.loss=20% up.duplicate=5% up.jitter=3ms"],
    {
      links: [link],
      seed: 5,
    },
  );
  const counts = new Counts();
  const server = new UdpPeer();
  await using relay = await relayUdp({
    link: "server",
    target: { hostname: "127.0.0.1", port: server.port },
    recorder: new Recording((event) => counts.take(event)),
    conditions: network.of(link),
  });
  using client = new UdpPeer();
  let received = 0;
  const receiving = (async () => {
    for await (const _ of server.socket) received++;
  })();
  for (let i = 1; i <= 3000; i++) {
    await client.send("x", relay.address.port);
    // A pause, so that no buffer of the system is too small.
    if (i % 50 === 0) {
      await until(() => counts.of("server", "client")?.sent === i);
    }
  }
  const count = () => counts.of("server", "client");
  await until(() => count()?.delivered === received && received > 2000);
  await relay.settled(PATIENCE_MS);
  await until(() => count()?.delivered === received);
  server[Symbol.dispose]();
  await receiving.catch(() => {});
  const { sent = 0, lost = 0, twice = 0, delivered = 0 } = count() ?? {};
  assertEquals(sent, 3000);
  assertEquals(delivered, sent - lost + twice);
  assert(Math.abs(lost - 600) < 135, `${lost} lost`);
  assert(Math.abs(twice - 120) < 66, `${twice} twice`);
});

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    assert(performance.now() < end, `in vain for: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

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

Deno.test({
  name: "UDP relay: IPv6 both ways, also with datagrams of the largest size",
  ignore: !await canListen("::1"),
  async fn() {
    const open = () =>
      Deno.listenDatagram({ transport: "udp", hostname: "::1", port: 0 });
    const server = open(), client = open();
    const portOf = ({ addr }: Deno.DatagramConn) =>
      addr.transport === "udp" ? addr.port : 0;
    await using relay = await relayUdp({
      link: "server",
      listen: { hostname: "::1" },
      target: { hostname: "0:0::1", port: portOf(server) },
      recorder: new Recording(() => {}),
    });
    try {
      for (const length of [0, 5, LARGEST_DATAGRAM]) {
        const bytes = new Uint8Array(length).fill(length);
        const { hostname, port } = relay.address;
        await client.send(bytes, { transport: "udp", hostname, port });
        const [up, from] = await within(PATIENCE_MS, server.receive(), "it");
        assertEquals(up, bytes);
        await server.send(up, from);
        const [down, sender] = await within(
          PATIENCE_MS,
          client.receive(),
          "it comes back",
        );
        assertEquals(down, bytes);
        assertEquals(sender.transport === "udp" && sender.port, port);
      }
    } finally {
      server.close();
      client.close();
    }
  },
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
  if (Deno.build.os === "linux") await sendFrom("127.0.0.2", server, one);
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
  let first = 0;
  for (let i = 1; i <= 600; i++) {
    using passerBy = new UdpPeer();
    await passerBy.send(`${i}`, relay.address.port);
    const seen = await server.assertReceives(`${i}`);
    if (i === 1) first = seen;
    if (i % 100 === 0) {
      await regular.send("still here", relay.address.port);
      assertEquals(await server.assertReceives("still here"), port);
    }
  }
  // Who is forgotten keeps no socket.
  const hostname = "127.0.0.1";
  Deno.listenDatagram({ transport: "udp", hostname, port: first }).close();
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
