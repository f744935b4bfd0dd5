/**
 * A run for Wireshark: pcapng.
 *
 * A relay sees bytes, not packets. So the packets are made up around the bytes:
 * an interface "client side" has what went between the client and the relay, and
 * "server side" what went between the relay and the server. What the relay lost,
 * made or changed has a comment that says so; so have handshakes and
 * acknowledgements, which are made up. A client has the loopback address, because the
 * relay does not tell its own; relay and server have theirs, if it is no name.
 *
 * @module
 */
import type { Side, WireEvent } from "./relay.ts";
import type { RunHeader, SavedLink } from "./saved_run.ts";

/** What fits into one IPv4 packet behind its header and TCP's, with room for options. */
const MOST = 65_495;

/** TCP flags. */
const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16;

/** The interfaces: where the packet is on its way. */
const CLIENT_SIDE = 0, SERVER_SIDE = 1;

/** A comment on what the relay made up so that a stream can be followed. */
const MADE_UP = "made up by the relay's recorder: it sees bytes, not packets";

/** Linux adds no more than this to a port for a client that it does not know. */
const FIRST_PORT = 49_152, PORTS = 16_383;

/** How far each side of a TCP conversation is. */
interface Conversation {
  client: number;
  server: number;
}

/** Writes a run as pcapng while it goes on. */
export class PcapngWriter implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #packets: Packets;

  /** Makes the file, or empties it; throws what `Deno.openSync` throws. */
  constructor(path: string, header: RunHeader) {
    this.#file = Deno.openSync(path, {
      write: true,
      create: true,
      truncate: true,
    });
    this.#packets = new Packets(header, (block) => {
      let rest = block;
      while (rest.length > 0) rest = rest.subarray(this.#file.writeSync(rest));
    });
  }

  take(event: WireEvent): void {
    this.#packets.take(event);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Makes pcapng blocks of events. */
export class Packets {
  readonly #links = new Map<string, SavedLink>();
  readonly #start: number;
  readonly #write: (block: Uint8Array) => void;
  readonly #conversations = new Map<string, Conversation>();
  /** Those whose packet on the sender's side is written. */
  readonly #begun = new Set<number>();
  #identification = 0;

  /** Blocks go to `write`, the header's at once. */
  constructor(header: RunHeader, write: (block: Uint8Array) => void) {
    this.#start = header.start * 1000;
    this.#write = write;
    for (const link of header.links) this.#links.set(link.name, link);
    write(sectionHeader(header));
    write(interfaceDescription("client side"));
    write(interfaceDescription("server side"));
  }

  take(event: WireEvent): void {
    const { kind, from, number, sent, delivered, fate, marks } = event;
    if (kind === "trouble" || kind === "condition" || kind === "refused") {
      if (kind === "refused") this.#reset(event, CLIENT_SIDE, "server", sent);
      return;
    }
    const near = from === "client" ? CLIENT_SIDE : SERVER_SIDE;
    const isMade = marks.includes("again") || marks.includes("injected") ||
      (kind === "reset" && event.causes.length > 0);
    if (!this.#begun.delete(number) && !isMade) {
      this.#put(event, near, sent, nearComment(event));
    }
    if (fate === "under way") this.#begun.add(number);
    if (delivered === null) return;
    this.#put(event, 1 - near, delivered, farComment(event));
    if (kind === "reset" && isMade) {
      this.#put(event, near, delivered, farComment(event));
    }
  }

  /** Writes what an event is on one of the interfaces. */
  #put(event: WireEvent, side: number, at: number, comment: string): void {
    const { kind, from, bytes } = event;
    if (kind === "datagram") {
      this.#packet(side, at, this.#datagram(event, side), comment);
    } else if (kind === "connect") {
      const far = from === "client" ? "server" : "client";
      this.#segment(event, side, from, SYN, at, MADE_UP);
      this.#segment(event, side, far, SYN | ACK, at, MADE_UP);
      this.#segment(event, side, from, ACK, at, MADE_UP);
    } else if (kind === "end") {
      this.#segment(event, side, from, FIN | ACK, at, comment);
      this.#segment(event, side, other(from), ACK, at, MADE_UP);
    } else if (kind === "reset") {
      this.#reset(event, side, from, at, comment);
    } else {
      for (let i = 0; i < bytes.length; i += MOST) {
        const part = bytes.subarray(i, i + MOST);
        this.#segment(event, side, from, PSH | ACK, at, comment, part);
        this.#segment(event, side, other(from), ACK, at, MADE_UP);
      }
    }
  }

  #reset(
    event: WireEvent,
    side: number,
    from: Side,
    at: number,
    comment = event.text,
  ): void {
    this.#segment(event, side, from, RST | ACK, at, comment);
  }

  /** Where both ends of a conversation are on an interface: ports, client's first. */
  #ends({ link: name, connection }: WireEvent, side: number) {
    const link = this.#links.get(name);
    const client = FIRST_PORT + connection % PORTS;
    const server = side === CLIENT_SIDE ? link?.listen : link?.target;
    const port = Number(/:(\d+)$/.exec(server ?? "")?.[1] ?? 9);
    return { client, port, address: addressOf(server ?? "") };
  }

  /** Writes a TCP segment, and counts its bytes. */
  #segment(
    event: WireEvent,
    side: number,
    from: Side,
    flags: number,
    at: number,
    comment: string,
    payload: Uint8Array = new Uint8Array(),
  ): void {
    const key = `${side} ${event.connection} ${event.link}`;
    const state = this.#conversations.get(key) ??
      { client: 1000, server: 2000 };
    this.#conversations.set(key, state);
    const { client, port, address } = this.#ends(event, side);
    const head = headOf(address); // TCP begins behind it
    const packet = new Uint8Array(head + 20 + payload.length);
    const view = new DataView(packet.buffer);
    const isUp = from === "client";
    view.setUint16(head, isUp ? client : port);
    view.setUint16(head + 2, isUp ? port : client);
    view.setUint32(head + 4, state[from]);
    view.setUint32(head + 8, flags & ACK ? state[other(from)] : 0);
    view.setUint16(head + 12, 5 << 12 | flags);
    view.setUint16(head + 14, 65_535);
    packet.set(payload, head + 20);
    this.#ip(packet, isUp, address, 6, head + 16);
    this.#packet(side, at, packet, comment);
    const counted = payload.length + (flags & (SYN | FIN) ? 1 : 0);
    state[from] = (state[from] + counted) >>> 0;
  }

  #datagram(event: WireEvent, side: number): Uint8Array {
    const { client, port, address } = this.#ends(event, side);
    const head = headOf(address);
    const packet = new Uint8Array(head + 8 + event.bytes.length);
    const view = new DataView(packet.buffer);
    const isUp = event.from === "client";
    view.setUint16(head, isUp ? client : port);
    view.setUint16(head + 2, isUp ? port : client);
    view.setUint16(head + 4, 8 + event.bytes.length);
    packet.set(event.bytes, head + 8);
    this.#ip(packet, isUp, address, 17, head + 6);
    return packet;
  }

  /** Fills in the IP header, and the checksums. */
  #ip(
    packet: Uint8Array,
    isUp: boolean,
    server: Uint8Array,
    protocol: number,
    checksumAt: number,
  ): void {
    const view = new DataView(packet.buffer);
    const head = headOf(server), length = packet.length - head;
    const client = server.length === 4 ? LOOPBACK : LOOPBACK_6;
    const first = head - 2 * server.length;
    packet.set(isUp ? client : server, first);
    packet.set(isUp ? server : client, first + server.length);
    if (server.length === 4) {
      view.setUint16(0, 0x4500);
      view.setUint16(2, packet.length);
      this.#identification = (this.#identification + 1) & 0xffff;
      view.setUint16(4, this.#identification);
      view.setUint16(6, 0x4000); // not to be split
      view.setUint16(8, 64 << 8 | protocol);
      view.setUint16(10, checksum(packet.subarray(0, head), 0));
    } else {
      view.setUint16(0, 0x6000);
      view.setUint16(4, length);
      view.setUint16(6, protocol << 8 | 64);
    }
    // A pseudo header with addresses, protocol and length counts, too.
    let sum = protocol + length;
    for (let i = first; i < head; i += 2) sum += view.getUint16(i);
    const result = checksum(packet.subarray(head), sum);
    view.setUint16(
      checksumAt,
      protocol === 17 && result === 0 ? 0xffff : result,
    );
  }

  #packet(side: number, at: number, packet: Uint8Array, comment: string): void {
    const time = BigInt(Math.round(this.#start + at));
    const padded = (packet.length + 3) & ~3;
    const options = comment ? option(1, new TextEncoder().encode(comment)) : [];
    const body = new Uint8Array(20 + padded);
    const view = new DataView(body.buffer);
    view.setUint32(0, side, true);
    view.setUint32(4, Number(time >> 32n), true);
    view.setUint32(8, Number(time & 0xffff_ffffn), true);
    view.setUint32(12, packet.length, true);
    view.setUint32(16, packet.length, true);
    body.set(packet, 20);
    this.#write(block(6, body, options));
  }
}

function other(side: Side): Side {
  return side === "client" ? "server" : "client";
}

/** What a packet between the sender and the relay says. */
function nearComment({ number, fate, causes, marks }: WireEvent): string {
  const why = causes.length > 0 ? ` (${causes.join(", ")})` : "";
  if (fate === "lost") return `event ${number}: lost at the relay${why}`;
  if (marks.includes("changed") || marks.includes("corrupted")) {
    return `event ${number}: shown as the relay changed it${why}`;
  }
  return "";
}

/** What a packet between the relay and the receiver says. */
function farComment({ number, of, causes, marks }: WireEvent): string {
  if (marks.length === 0 && causes.length === 0) return "";
  const why = causes.length > 0 ? ` (${causes.join(", ")})` : "";
  const what = marks.map((mark) =>
    ({
      again: `again, a copy of event ${of}`,
      piece: of === null ? "a piece" : `a piece of event ${of}`,
      glued: `glued to event ${of}`,
    } as Partial<Record<string, string>>)[mark] ?? mark
  ).join(", ");
  return `event ${number}: ${what || "made by the relay"}${why}`;
}

/** A block of pcapng: type, length, body, options, length. */
function block(
  type: number,
  body: Uint8Array,
  options: Uint8Array[],
): Uint8Array {
  const extra = options.length > 0 ? [...options, new Uint8Array(4)] : [];
  const size = extra.reduce((sum, one) => sum + one.length, body.length + 12);
  const whole = new Uint8Array(size);
  const view = new DataView(whole.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, size, true);
  whole.set(body, 8);
  let at = 8 + body.length;
  for (const one of extra) {
    whole.set(one, at);
    at += one.length;
  }
  view.setUint32(size - 4, size, true);
  return whole;
}

/** An option of a block. */
function option(code: number, value: Uint8Array): Uint8Array[] {
  const cut = value.subarray(0, 65_000);
  const whole = new Uint8Array(4 + ((cut.length + 3) & ~3));
  const view = new DataView(whole.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, cut.length, true);
  whole.set(cut, 4);
  return [whole];
}

function sectionHeader({ task, net, seed }: RunHeader): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, 0x1a2b3c4d, true);
  view.setUint16(4, 1, true);
  view.setBigInt64(8, -1n, true); // its length is not known
  const text = [task, net && `--net "${net}" --seed ${seed}`].filter((x) => x);
  const comment = new TextEncoder().encode(text.join(" "));
  return block(0x0a0d0d0a, body, comment.length > 0 ? option(1, comment) : []);
}

function interfaceDescription(name: string): Uint8Array {
  const body = new Uint8Array(8);
  new DataView(body.buffer).setUint16(0, 101, true); // raw IP
  return block(1, body, option(2, new TextEncoder().encode(name)));
}

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const LOOPBACK_6 = Uint8Array.from({ length: 16 }, (_, i) => i === 15 ? 1 : 0);

/** The address in HOST:PORT or [HOST]:PORT; that of this machine for a name. */
function addressOf(text: string): Uint8Array {
  const [v4] = /^\d+\.\d+\.\d+\.\d+/.exec(text) ?? [];
  if (v4) return Uint8Array.from(v4.split("."), Number);
  const [, v6] = /^\[([\da-f:]+)[\]%]/i.exec(text) ?? [];
  // The shortest form has at most one "::", and no dots.
  const plain = v6 && URL.parse(`http://[${v6}]`)?.hostname.slice(1, -1);
  if (!plain) return LOOPBACK;
  const [before = [], after = []] = plain.split("::").map((part) =>
    part.split(":").filter(Boolean).map((group) => parseInt(group, 16))
  );
  const zeros = new Array(8 - before.length - after.length).fill(0);
  const groups = [...before, ...zeros, ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** How long the IP header with such addresses is. */
function headOf(address: Uint8Array): number {
  return address.length === 4 ? 20 : 40;
}

/** The Internet checksum (RFC 1071). */
function checksum(bytes: Uint8Array, begin: number): number {
  let sum = begin;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) + (bytes[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
