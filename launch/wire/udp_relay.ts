/**
 * A relay for UDP: datagrams pass through it whole, and each peer stays apart.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { setImmediate } from "node:timers";
import { Lane } from "./lane.ts";
import { Link } from "./link.ts";
import {
  type Address,
  HOST,
  type Recorder,
  type Relay,
  type RelayOptions,
} from "./relay.ts";

/** How long after its server has gone a relay still hands on what it said, in ms. */
const LAST_MS = 300;

/** How many peers a relay keeps apart. */
const PEERS = 500;

/** How many datagrams are received before timers get their chance. */
const RECEIVES = 500;

/**
 * When so many datagrams wait, it is a burst: none is handed on before none has come
 * for so long (ms), or the first has waited for so long (µs), or so many bytes wait.
 */
const BURST = 32, BURST_PAUSE_MS = 1;
const BURST_US = 1_000_000, BURST_BYTES = 16 * 1024 ** 2;

/** So many of those that wait are handed on before more are received. */
const SLICE = 16;

/** Somebody who sends datagrams to the server. */
interface Peer {
  /** What the server sees of it. */
  socket: Deno.DatagramConn;
  inbox: Inbox;
  outbox: Outbox;
  number: number;
  address: Deno.NetAddr;
}

/**
 * Starts a UDP relay.
 *
 * Each peer gets a socket of its own towards the server, as in a router with
 * NAT: so the server can tell them apart, and its answers find their way. When
 * there are more than 500 peers, the one silent longest is forgotten.
 *
 * @example
 * ```ts
 * import { Recording } from "./relay.ts";
 * import { relayUdp } from "./udp_relay.ts";
 *
 * await using relay = await relayUdp({
 *   link: "broker",
 *   target: { hostname: "127.0.0.1", port: 8082 },
 *   recorder: new Recording((event) => console.log(event.kind)),
 * });
 * ```
 */
export async function relayUdp(options: RelayOptions): Promise<Relay> {
  const { listen, recorder } = options;
  let target = await addressOf(options.target);
  const listenName = listen?.hostname ?? HOST;
  let front = bind(listenName, listen?.port ?? 0);
  const address = { hostname: front.addr.hostname, port: front.addr.port };
  const link: Link = new Link(options, () => [up, down]);
  const byAddress = new Map<string, Peer>(); // the one silent longest first
  const byNumber = new Map<number, Peer>();
  let count = 0, closed = false, disposed = false;
  let leaving: ReturnType<typeof setTimeout> | undefined;
  let stranger: { socket: Deno.DatagramConn; number: number } | undefined;
  const failed = (error: unknown, bytes: Uint8Array, to: Deno.NetAddr) => {
    if (closed || error instanceof Deno.errors.BadResource) return;
    const where = `${to.hostname}:${to.port}`;
    const why = error instanceof Error ? error.message : error;
    link.trouble(
      `The relay cannot send ${bytes.length} bytes to ${where}: ${why}.`,
    );
  };
  let outbox = new Outbox(front, failed);
  const up: Lane = new Lane({
    ...{ link: options.link, from: "client", recorder, ordered: false },
    direction: link.up,
    out(_, number, bytes) {
      const peer = byNumber.get(number);
      peer?.outbox.send(bytes, target);
      return true;
    },
  });
  const down: Lane = new Lane({
    ...{ link: options.link, from: "server", recorder, ordered: false },
    direction: link.down,
    out(_, number, bytes) {
      const peer = byNumber.get(number);
      if (peer) outbox.send(bytes, peer.address);
      return true;
    },
  });
  let inbox = receive();
  return {
    address,
    get conditions() {
      return link.conditions;
    },
    change: (conditions) => link.change(conditions),
    stopListening: leave,
    async listenAgain(next) {
      clearTimeout(leaving);
      target = await addressOf(next);
      if (!closed || disposed) return;
      front = bind(address.hostname, address.port);
      closed = false;
      outbox = new Outbox(front, failed);
      inbox = receive();
    },
    async settled(ms) {
      const end = performance.now() + ms;
      while (!isQuiet() && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    hold: (holds) => link.hold(holds),
    held: () => link.held(),
    release: (number, bytes) =>
      link.some((lane) => lane.release(number, "once", bytes)),
    drop: (number) => link.some((lane) => lane.drop(number)),
    cut: () => false,
    double: (number) => link.some((lane) => lane.release(number, "twice")),
    inject(number, from, bytes) {
      if (number === 0 && from === "client") number = strangerNumber();
      if (!byNumber.has(number)) return false;
      const lane = from === "client" ? up : down;
      lane.take("datagram", number, bytes, { mark: "injected" });
      return true;
    },
    reset: () => false,
    async [Symbol.asyncDispose]() {
      disposed = true;
      clearTimeout(leaving);
      close();
      link.close();
      await inbox.closed;
    },
  };

  function receive(): Inbox {
    return new Inbox(front, recorder, (bytes, sender, at) => {
      const peer = meet(sender);
      if (peer) up.take("datagram", peer.number, bytes, { at });
    });
  }

  /** The number of somebody whom nobody knows; no program has this address. */
  function strangerNumber(): number {
    if (stranger && byNumber.has(stranger.number)) return stranger.number;
    stranger?.socket.close();
    const socket = bind(facing(address.hostname), 0);
    const peer = meet(socket.addr);
    stranger = { socket, number: peer?.number ?? 0 };
    return stranger.number;
  }

  /** The peer with this address, who has just spoken; none, if there is no room. */
  function meet(address: Deno.NetAddr): Peer | undefined {
    const key = `${address.hostname} ${address.port}`;
    const known = byAddress.get(key);
    const peer = known ?? welcome(address);
    if (!peer) return undefined;
    if (byAddress.size > 1) byAddress.delete(key);
    byAddress.set(key, peer);
    const [oldest] = byAddress.keys();
    if (byAddress.size > PEERS && oldest !== undefined) forget(oldest);
    return peer;
  }

  function welcome(address: Deno.NetAddr): Peer | undefined {
    let socket: Deno.DatagramConn & { addr: Deno.NetAddr };
    try {
      socket = bind(facing(target.hostname), 0);
    } catch (error) {
      const why = error instanceof Error ? error.message : error;
      link.trouble(`The relay has no socket for a new peer: ${why}.`);
      return undefined;
    }
    const number = ++count;
    const peer: Peer = {
      ...{ socket, number, address },
      outbox: new Outbox(socket, failed),
      inbox: new Inbox(socket, recorder, (bytes, { hostname, port }, at) => {
        if (port !== target.port || plain(hostname) !== target.hostname) return;
        down.take("datagram", number, bytes, { at });
      }),
    };
    byNumber.set(number, peer);
    return peer;
  }

  function isQuiet(): boolean {
    return (up.empty || up.stalled) && (down.empty || down.stalled) &&
      outbox.empty && inbox.empty &&
      byNumber.values().every((peer) => peer.outbox.empty && peer.inbox.empty);
  }

  /** Closes when what the server said before it went has been handed on. */
  function leave(): void {
    leaving = setTimeout(() => isQuiet() ? close() : leave(), LAST_MS);
  }

  function forget(key: string): void {
    const peer = byAddress.get(key);
    if (!peer) return;
    peer.socket.close();
    byAddress.delete(key);
    byNumber.delete(peer.number);
  }

  function close(): void {
    if (closed) return;
    closed = true;
    front.close();
    stranger?.socket.close();
    stranger = undefined;
    for (const key of [...byAddress.keys()]) forget(key);
  }
}

/**
 * Sends datagrams on one socket, one after the other: several sends at a time
 * would overtake each other. Nobody waits for it, so reading goes on meanwhile.
 */
class Outbox {
  readonly #socket: Deno.DatagramConn;
  readonly #failed: Failed;
  #waiting: { bytes: Uint8Array; to: Deno.NetAddr }[] = [];
  #busy = false;

  constructor(socket: Deno.DatagramConn, failed: Failed) {
    this.#socket = socket;
    this.#failed = failed;
  }

  get empty(): boolean {
    return !this.#busy;
  }

  send(bytes: Uint8Array, to: Deno.NetAddr): void {
    this.#waiting.push({ bytes, to });
    if (!this.#busy) this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      for (const { bytes, to } of this.#waiting.splice(0)) {
        try {
          await this.#socket.send(bytes, to);
        } catch (error) {
          this.#failed(error, bytes, to);
        }
      }
    }
    this.#busy = false;
  }
}

type Failed = (error: unknown, bytes: Uint8Array, to: Deno.NetAddr) => void;

/** Where datagrams go to. */
async function addressOf({ hostname, port }: Address): Promise<Deno.NetAddr> {
  const { address } = await lookup(hostname);
  return { transport: "udp", hostname: plain(address), port };
}

function bind(
  hostname: string,
  port: number,
): Deno.DatagramConn & { addr: Deno.NetAddr } {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  if (!isNet(socket)) throw new Error("Not a UDP socket");
  return socket;
}

function isNet(
  socket: Deno.DatagramConn,
): socket is Deno.DatagramConn & { addr: Deno.NetAddr } {
  return socket.addr.transport === "udp";
}

/** Where a socket must be bound that is to reach that address. */
function facing(hostname: string): string {
  const isV6 = hostname.includes(":");
  if (hostname.startsWith("127.")) return HOST;
  if (hostname === "::1") return "::1";
  return isV6 ? "::" : "0.0.0.0";
}

/** An address in its shortest form. */
function plain(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const bare = hostname.split("%")[0] ?? hostname;
  return URL.parse(`http://[${bare}]`)?.hostname.slice(1, -1) ?? hostname;
}

/**
 * Receives on one socket until it is closed.
 *
 * To receive comes first: what the system has no room for is lost, and it has room
 * for some hundred datagrams only. So in a burst they are taken out of the system's
 * buffer, and handed on when it is empty.
 */
class Inbox {
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  readonly #recorder: Recorder;
  readonly #take: Take;
  #waiting: { bytes: Uint8Array; sender: Deno.NetAddr; at: number }[] = [];
  #head = 0; // those before it have been handed on
  #bytes = 0;
  #working = false;
  #hasCome = false; // since the last look

  constructor(socket: Deno.DatagramConn, recorder: Recorder, take: Take) {
    this.#recorder = recorder;
    this.#take = take;
    this.closed = this.#receive(socket);
  }

  get empty(): boolean {
    return this.#waiting.length === this.#head;
  }

  async #receive(socket: Deno.DatagramConn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    let count = 0;
    while (true) {
      try {
        const [bytes, sender] = await socket.receive(buffer);
        if (sender.transport === "udp") this.#came(bytes.slice(), sender);
        if (++count % RECEIVES > 0) continue;
      } catch (error) {
        const { BadResource, Interrupted } = Deno.errors;
        if (error instanceof BadResource || error instanceof Interrupted) {
          this.#waiting = [];
          this.#head = 0;
          return;
        }
        // On Windows, a datagram that nobody took makes the next receive fail.
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The first one goes on at once; what comes right behind it waits. */
  #came(bytes: Uint8Array, sender: Deno.NetAddr): void {
    const at = this.#recorder.now();
    this.#hasCome = true;
    if (this.#working) {
      this.#waiting.push({ bytes, sender, at });
      this.#bytes += bytes.length;
      return;
    }
    this.#working = true;
    setImmediate(() => this.#work());
    this.#take(bytes, sender, at);
  }

  /** Hands on some of those that wait, and lets more come in between. */
  #work(): void {
    const first = this.#waiting[this.#head];
    if (!first) {
      this.#waiting = [];
      this.#head = this.#bytes = 0;
      this.#working = false;
      return;
    }
    // While a burst comes in, sending would only take time from receiving.
    const isBurst = this.#waiting.length - this.#head >= BURST &&
      this.#recorder.now() - first.at < BURST_US && this.#bytes < BURST_BYTES;
    if (isBurst && this.#hasCome) {
      this.#hasCome = false;
      setTimeout(() => this.#work(), BURST_PAUSE_MS);
      return;
    }
    for (let i = 0; i < SLICE; i++) {
      const next = this.#waiting[this.#head];
      if (!next) break;
      this.#head++;
      this.#bytes -= next.bytes.length;
      this.#take(next.bytes, next.sender, next.at);
    }
    if (this.#head >= RECEIVES) {
      this.#head -= this.#waiting.splice(0, this.#head).length;
    }
    setImmediate(() => this.#work());
  }
}

type Take = (bytes: Uint8Array, sender: Deno.NetAddr, at: number) => void;
