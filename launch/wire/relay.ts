/**
 * What a relay is, and what it reports.
 *
 * A relay stands in front of a server, hands on what its clients send and what
 * it answers, and reports each event on the way. It changes nothing: what
 * reaches it from one side happens on the other. What a program sees differs
 * only in the port number.
 *
 * @module
 */

/** The two ends of a link. */
export type Side = "client" | "server";

/** What happens on a wire. */
export interface WireEvent {
  /**
   * A `message` is what one read from TCP brings. `half-close` is the first end
   * of a stream (FIN), after which the other direction goes on, and `close` the
   * second one. `refused` may follow `connect`.
   */
  kind:
    | "connect"
    | "refused"
    | "message"
    | "half-close"
    | "close"
    | "reset"
    | "datagram";
  /** Who did it. */
  from: Side;
  /** The how-manieth connection, or peer, of this relay it is: 1, 2, … */
  number: number;
  /** What a message or datagram holds; valid until the recorder returns. */
  bytes: Uint8Array;
}

/** What a relay reports to. */
export interface Recorder {
  /**
   * Waits until it is the turn of what has come from this side. What comes on the
   * same stream meanwhile becomes part of the same message.
   */
  turn?(from: Side): Promise<void>;
  /** Takes down an event, before it happens on the other side. */
  record(event: WireEvent): void;
}

/** A relay on a free port of 127.0.0.1; disposing of it closes everything. */
export interface Relay extends AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  /** Turns newcomers away from now on, because the server has gone. */
  stopListening(): void;
  /** Resolves when no connection is open, or after `ms` milliseconds. */
  settled(ms: number): Promise<void>;
}

/** The only address that relays use. */
export const HOST = "127.0.0.1";
