/**
 * A relay for UDP: datagrams pass through it whole, in the order in which they
 * come, and each peer stays apart.
 *
 * @module
 */
import { CALM } from "./conditions/conditions.ts";
import { HOST, type Relay, type RelayOptions, type Side } from "./relay.ts";

/** How long after its server has gone a relay still hands on what it said. */
const LAST_MS = 300;

/** How many peers a relay keeps apart, and for how long without a word. */
const PEERS = 500, IDLE_MS = 120_000;

/** Somebody who sends datagrams to the server. */
interface Peer {
  /** What the server sees of it. */
  socket: Deno.DatagramConn;
  number: number;
  /** When it spoke last, in ms since the start. */
  last: number;
}

/**
 * Starts a UDP relay in front of a port of this machine.
 *
 * Each peer gets a socket of its own towards the server, as in a router with
 * NAT: so the server can tell them apart, and its answers find their way. When
 * there are more than 500 peers, the one silent longest is forgotten, as is who
 * says nothing for two minutes.
 *
 * @example
 * ```ts
 * import { Recording } from "../launch/wire/relay.ts";
 * import { relayUdp } from "../launch/wire/udp_relay.ts";
 *
 * await using relay = await relayUdp({
 *   link: "broker",
 *   target: { hostname: "127.0.0.1", port: 8082 },
 *   recorder: new Recording((event) => console.log(event.kind)),
 * });
 * ```
 */
// deno-lint-ignore require-await
export async function relayUdp(
  { link, listen, target, recorder, conditions = CALM }: RelayOptions,
): Promise<Relay> {
  const server = { transport: "udp", ...target } as const;
  const front = bind(listen?.port, listen?.hostname);
  const peers = new Map<string, Peer>(); // the one silent longest comes first
  let count = 0, closed = false;
  const expiry = setInterval(() => {
    for (const [key, { last }] of peers) {
      if (performance.now() - last < IDLE_MS) break;
      forget(key);
    }
  }, IDLE_MS / 10);
  let busy = 0, leaving: ReturnType<typeof setTimeout> | undefined;
  const receiving = receive(front, async (bytes, sender) => {
    const { number, socket } = meet(sender);
    await report("client", number, bytes);
    await socket.send(bytes, server);
  });
  return {
    address: {
      hostname: listen?.hostname ?? HOST,
      port: portOf(front),
    },
    conditions,
    change: () => {},
    hold: () => {},
    held: () => [],
    release: () => false,
    drop: () => false,
    double: () => false,
    inject: () => false,
    reset: () => false,
    stopListening: leave,
    settled: () => Promise.resolve(),
    async [Symbol.asyncDispose]() {
      close();
      await receiving;
    },
  };

  /** The peer with this address, who has just spoken. */
  function meet(address: Deno.NetAddr): Peer {
    const key = `${address.hostname}:${address.port}`;
    const known = peers.get(key);
    const peer = known ?? { socket: bind(), number: ++count, last: 0 };
    peer.last = performance.now();
    peers.delete(key);
    peers.set(key, peer);
    if (!known) {
      const { socket, number } = peer;
      receive(socket, async (bytes, sender) => {
        if (sender.port !== target.port) return; // a stranger
        await report("server", number, bytes);
        await front.send(bytes, address);
      });
      const [oldest] = peers.keys();
      if (peers.size > PEERS && oldest) forget(oldest);
    }
    return peer;
  }

  async function report(from: Side, number: number, bytes: Uint8Array) {
    busy++;
    try {
      await recorder.turn?.(link, from);
      const now = recorder.now();
      recorder.record({
        number: recorder.next(),
        kind: "datagram",
        link,
        connection: number,
        from,
        bytes: bytes.slice(),
        sent: now,
        delivered: now,
        fate: "delivered",
        marks: [],
        causes: [],
        of: null,
        text: "",
      });
    } finally {
      busy--;
    }
  }

  /** Closes when what the server said before it went has been handed on. */
  function leave(): void {
    leaving = setTimeout(() => busy > 0 ? leave() : close(), LAST_MS);
  }

  function forget(key: string): void {
    peers.get(key)?.socket.close();
    peers.delete(key);
  }

  function close(): void {
    if (closed) return;
    closed = true;
    clearTimeout(leaving);
    clearInterval(expiry);
    front.close();
    for (const key of [...peers.keys()]) forget(key);
  }
}

function bind(port = 0, hostname = HOST): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}

function portOf(socket: Deno.DatagramConn): number {
  if (socket.addr.transport !== "udp") throw new Error("Not a UDP socket");
  return socket.addr.port;
}

/** Takes datagrams, one after the other, until the socket is closed. */
async function receive(
  socket: Deno.DatagramConn,
  take: (bytes: Uint8Array, sender: Deno.NetAddr) => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (true) {
    try {
      const [bytes, sender] = await socket.receive(buffer);
      // What cannot be handed on is lost, as it may be on any network.
      if (sender.transport === "udp") await take(bytes, sender).catch(() => {});
    } catch (error) {
      const { BadResource, Interrupted } = Deno.errors;
      if (error instanceof BadResource || error instanceof Interrupted) return;
    }
  }
}
