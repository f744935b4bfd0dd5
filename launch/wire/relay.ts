/**
 * What a relay is, and what it reports.
 *
 * A relay is a program between a client and a server. It hands on what each of
 * them sends and reports each event on the way. Without conditions it changes
 * nothing: what reaches it from one side happens on the other. With conditions
 * it does what a bad network does, and reports that, too.
 *
 * All times are whole microseconds (µs) since the run started.
 *
 * @module
 */
import type { Conditions } from "./conditions/conditions.ts";

/** The two ends of a link. */
export type Side = "client" | "server";

/** How a link carries bytes. */
export type Transport = "tcp" | "udp";

/**
 * What happens on a wire:
 *
 * - `connect`: a client has connected (TCP).
 * - `refused`: the server could not be reached, `text` says why (TCP). The
 *   client gets a reset, because the system had already accepted it for us.
 * - `message`: what one read from TCP brought, or a piece of it.
 * - `datagram`: a datagram (UDP).
 * - `end`: this side sends no more (FIN). The other direction may go on.
 * - `reset`: this side broke the connection off (RST), or a condition did.
 * - `trouble`: the relay's own limit or failure; `text` says what.
 * - `condition`: the conditions of the link have changed, or a phase of one has
 *   begun or ended; `text` says which.
 */
export type Kind =
  | "connect"
  | "refused"
  | "message"
  | "datagram"
  | "end"
  | "reset"
  | "trouble"
  | "condition";

/** What has become of it so far. */
export type Fate = "under way" | "delivered" | "lost";

/**
 * What the network has done to it:
 *
 * - `again`: a second copy; `of` is the number of the first.
 * - `late`: it left the relay later than it would have without conditions.
 * - `piece`: a part of a message; `of` is the number of the first part.
 * - `glued`: it left in one piece with others; `of` is the first of them.
 * - `corrupted`: a bit is wrong; `bytes` are what arrives.
 * - `overtaken`: a later datagram was let past it.
 * - `held`: somebody held it at the relay.
 * - `changed`: somebody changed its bytes there; `bytes` are what arrives.
 * - `injected`: nobody sent it: it was made at the relay.
 */
export type Mark =
  | "again"
  | "late"
  | "piece"
  | "glued"
  | "corrupted"
  | "overtaken"
  | "held"
  | "changed"
  | "injected";

/** One event. Nobody changes it, or its bytes, once it is reported. */
export interface WireEvent {
  /** Its number in the run, over all links, from 1: the same wherever it is shown. */
  readonly number: number;
  readonly kind: Kind;
  /** The link's name, which is the role of its server. */
  readonly link: string;
  /**
   * The how-manieth connection (TCP) or peer (UDP) of the link it belongs to: 1,
   * 2, …; 0 if it belongs to the link as a whole.
   */
  readonly connection: number;
  /** Who did it. Without meaning for `trouble` and `condition`. */
  readonly from: Side;
  /** What a message or datagram holds; else empty. */
  readonly bytes: Uint8Array;
  /** When it came to the relay, in µs. */
  readonly sent: number;
  /** When it left the relay for the other side, in µs; null before that, or never. */
  readonly delivered: number | null;
  readonly fate: Fate;
  readonly marks: readonly Mark[];
  /** The conditions that changed what happened, as typed: `down.loss=#1`. */
  readonly causes: readonly string[];
  /** The number of the event that this one is a copy or a piece of. */
  readonly of: number | null;
  /** What a `refused`, `trouble` or `condition` says; else empty. */
  readonly text: string;
}

/** What relays report to. All relays of a run share one. */
export interface Recorder {
  /** The number for the next event. */
  next(): number;
  /** µs since the run started. */
  now(): number;
  /**
   * Takes down an event, just before it happens on the other side.
   *
   * What the network keeps under way is reported twice with the same number: when
   * it comes to the relay (`under way`), and when it leaves or is lost.
   */
  record(event: WireEvent): void;
  /**
   * If it is there, nothing is handed on before it resolves; what comes on the
   * same stream meanwhile becomes part of the same message.
   */
  turn?(link: string, from: Side): Promise<void>;
}

/** An address to listen on, or to connect to. */
export interface Address {
  /** IPv4, IPv6 (without brackets) or a name. */
  hostname: string;
  port: number;
}

/** What a relay is to do. */
export interface RelayOptions {
  /** The link's name, for events and for conditions. */
  link: string;
  /** Where to listen; on a free port of 127.0.0.1 by default. */
  listen?: Partial<Address>;
  /** Where the server is. */
  target: Address;
  recorder: Recorder;
  /** What the network does; nothing by default. */
  conditions?: Conditions;
}

/** A running relay. Disposing of it closes all that it has open. */
export interface Relay extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** What the network does now. */
  readonly conditions: Conditions;
  /** Changes what the network does, from now on; reports a `condition`. */
  change(conditions: Conditions): void;
  /** Turns newcomers away from now on, because the server has gone. */
  stopListening(): void;
  /**
   * Takes newcomers again, on the same port, because the server is back, perhaps on
   * another one. Connections and peers are counted on. Throws an Error if the port is
   * taken.
   */
  listenAgain(target: Address): Promise<void>;
  /** Resolves when no connection is open and nothing is under way, or after `ms`. */
  settled(ms: number): Promise<void>;
  /**
   * Holds what comes from now on, if `holds` says so for its event, until it is
   * released; null ends that and releases all, in their order.
   */
  hold(holds: ((event: WireEvent) => boolean) | null): void;
  /** What is held now, the oldest first. */
  held(): WireEvent[];
  /**
   * Lets a held event go on, with other bytes if they are given. Of UDP, any one;
   * of TCP, those that came before it on its stream go with it, in their order.
   * False if it is not held any more.
   */
  release(number: number, bytes?: Uint8Array): boolean;
  /**
   * Lets so many bytes of a held TCP message go on, after those that came before it;
   * the rest stays held, with a number of its own. False if it is not held, not a
   * message, or not longer than that.
   */
  cut(number: number, at: number): boolean;
  /** Loses a held datagram. False if it is not held, or not a datagram. */
  drop(number: number): boolean;
  /** Lets a held datagram go on, twice. False if it is not held, or not a datagram. */
  double(number: number): boolean;
  /**
   * Sends bytes of your own to a connection's or peer's server (`from` is
   * "client") or back. Connection 0 is a stranger, who sends to a UDP server. False
   * if there is no such connection.
   */
  inject(connection: number, from: Side, bytes: Uint8Array): boolean;
  /** Resets a TCP connection. False if there is no such connection. */
  reset(connection: number): boolean;
}

/**
 * A recorder that numbers events, measures time, and hands each event on.
 *
 * @example
 * ```ts
 * import { Recording } from "./relay.ts";
 *
 * const recording = new Recording((event) => console.log(event.number));
 * ```
 */
export class Recording implements Recorder {
  /** When the run started, in ms since 1970. */
  readonly start: number = Date.now();
  readonly #zero = performance.now();
  readonly #take: (event: WireEvent) => void;
  #count = 0;
  turn?: (link: string, from: Side) => Promise<void>;

  constructor(take: (event: WireEvent) => void) {
    this.#take = take;
  }

  next(): number {
    return ++this.#count;
  }

  now(): number {
    return Math.round((performance.now() - this.#zero) * 1000);
  }

  record(event: WireEvent): void {
    this.#take(event);
  }
}

/** Where relays listen unless they are told otherwise. */
export const HOST = "127.0.0.1";
