/**
 * What the lab and its pages say to each other: JSON over a WebSocket, one message
 * for each frame of the page at most.
 *
 * Times are whole microseconds (µs) since the run started, on one clock for programs
 * and wires. Bytes are base64.
 *
 * @module
 */
import type { Cast, Link } from "../programs/cast.ts";
import type { Fate, Kind, Mark, Side } from "../wire/relay.ts";

/** An event carries so many of its bytes; a page asks for more. */
export const FIRST_BYTES = 1_024;

/** So many bytes of a message are shown at most. */
export const SHOWN_BYTES = 1_048_576;

/** So many events of a run are kept; then the oldest go. */
export const KEPT_EVENTS = 20_000;

/** Of what is on hold, so many numbers are sent. */
export const SHOWN_HELD = 1_000;

/** So many pages at once. */
export const PAGES = 8;

// ---------------------------------------------------------------- from the lab

/** What the lab sends to a page. */
export type FromLab =
  | Welcome
  | {
    type: "items"; /** The number of the first. */
    first: number;
    items: Item[];
  }
  /** The answer to `bytes`; what is over `SHOWN_BYTES` is cut. */
  | { type: "bytes"; number: number; bytes: string; size: number }
  | { type: "source"; source: Source }
  /** A message from the page could not be done; one line for the user. */
  | { type: "failed"; what: FromPage["type"]; text: string };

/** The first message: what there is. */
export interface Welcome {
  type: "welcome";
  /** The run that this page has joined; it joins it again after a reload. */
  run: string;
  examples: ExampleInfo[];
  /** The names of presets, and the conditions in each. */
  presets: Record<string, string>;
  /** The example that the lab was started with, with commands of the user's own. */
  only: string | null;
}

/** An example that can be chosen. */
export interface ExampleInfo {
  name: string;
  summary: string;
  look: string;
  /** Why it cannot be run here (`nats-server` is missing), and what to do; else "". */
  missing: string;
  roles: { name: string; script: string; listens: "tcp" | "udp" | null }[];
  links: {
    name: string;
    client: string;
    server: string;
    transport: "tcp" | "udp";
  }[];
}

/**
 * What happens in a run, in the order of the timeline. A page that has all items
 * from a `run` on can draw everything: an item with state (`program`, `asks`, `hold`,
 * `net`) counts until the next of its kind.
 */
export type Item =
  /** An example was chosen, or a run was opened or started again: all before is gone. */
  | {
    kind: "run";
    example: string;
    cast: Cast;
    seed: number;
    /** The whole file name if this run was opened and is only looked at; else "". */
    opened: string;
    /** In ms since 1970. */
    start: number;
  }
  | {
    kind: "program";
    at: number;
    role: string;
    state: ProgramState;
    /** How it has ended; null before. */
    code: number | null;
    signal: string | null;
    /** Whether the lab has ended it, with all others: its status says nothing then. */
    stopped: boolean;
    /** Whether it is an edited copy. */
    edited: boolean;
  }
  /** A program shows a prompt and waits for a line; null: it does not any more. */
  | { kind: "asks"; at: number; role: string; prompt: string | null }
  | { kind: "link"; at: number; link: Link }
  | {
    kind: "line";
    at: number;
    role: string;
    text: string;
    stream: "stdout" | "stderr";
    typed: string | null;
  }
  /** An event; again with the same number when what was under way has come to its end. */
  | { kind: "wire"; event: PageEvent }
  /** The network changes. */
  | {
    kind: "net";
    at: number;
    /** What is active on each link, as after `--net`; "" for nothing. */
    links: Record<string, string>;
    sentences: string[];
    /** The command that does the same in a terminal. */
    command: string;
  }
  /** What is on hold (names of links), and what waits there, the oldest first. */
  | {
    kind: "hold";
    at: number;
    links: { name: string; containing: string }[];
    /** The numbers of the first `SHOWN_HELD` of them. */
    held: number[];
    /** How many there are. */
    total: number;
  }
  | { kind: "note"; at: number; text: string }
  /** The user has done something at a page, and it was carried out. */
  | {
    kind: "did";
    at: number;
    action: FromPage["type"];
    role: string;
    text: string;
  }
  /** Events up to this number are no longer kept. */
  | { kind: "dropped"; upTo: number }
  /** All programs have ended, or were stopped. */
  | { kind: "over"; at: number; counts: string[]; failure: string };

/** What a program is doing. `running`: started, and it does not listen. */
export type ProgramState =
  | "idle"
  | "starting"
  | "listening"
  | "running"
  | "ended";

/** A `WireEvent` as a page gets it. */
export interface PageEvent {
  number: number;
  kind: Kind;
  link: string;
  connection: number;
  from: Side;
  /** The first `FIRST_BYTES` of them. */
  bytes: string;
  /** How many there are. */
  size: number;
  sent: number;
  delivered: number | null;
  fate: Fate;
  marks: Mark[];
  causes: string[];
  of: number | null;
  text: string;
  /** What the bytes say, a line each, where the lab knows their protocol (NATS); else empty. */
  lines: string[];
}

/** The source of a script, and the edited copy that may stand beside it. */
export interface Source {
  /** `tcp/server.ts`. */
  script: string;
  original: string;
  /** Null without one. */
  edited: string | null;
  /** Grows with each change of the copy, whoever made it. */
  version: number;
  /** Whether going back to the original can be undone. */
  canUndo: boolean;
  /** What `deno check` says about the copy, when it was last run. */
  errors: SourceError[];
}

/** A place in a source that does not compile; lines and columns from 1. */
export interface SourceError {
  line: number;
  column: number;
  text: string;
}

// --------------------------------------------------------------- from the page

/** What a page may ask for. */
export type FromPage =
  /** The first message: a new run, or one that is there, from this item on. */
  | { type: "join"; run: string | null; after: number }
  | { type: "choose"; example: string }
  /** Starts all programs; roles named in `edited` from their edited copies. */
  | { type: "start"; edited: string[]; seed: number | null }
  | { type: "stop" }
  | { type: "type"; role: string; line: string }
  | { type: "end-input"; role: string }
  /** Ctrl-C. */
  | { type: "interrupt"; role: string }
  /** `kill -9`. */
  | { type: "kill"; role: string }
  /** Starts one program again that has ended. */
  | { type: "restart"; role: string; edited: boolean }
  /** Conditions for a link, as after `--net`, without the role; "" for none. */
  | { type: "net"; link: string; conditions: string }
  /** Holds what comes on a link from now on; only what contains the text, unless "". */
  | { type: "hold"; link: string; on: boolean; containing: string }
  /** The oldest held one goes on. */
  | { type: "next" }
  /** This one goes on (past older ones, if it is a datagram), with these bytes unless null. */
  | { type: "release"; number: number; bytes: string | null }
  | { type: "drop"; number: number }
  | { type: "double"; number: number }
  /** Of TCP: so many bytes of a held message go on now, the rest stays held. */
  | { type: "cut"; number: number; at: number }
  /** A message of one's own; connection 0 is a stranger's (UDP, to the server). */
  | {
    type: "inject";
    link: string;
    connection: number;
    from: Side;
    bytes: string;
  }
  | { type: "reset"; link: string; connection: number }
  /** Nothing passes any more, and both sides think that it stands. */
  | { type: "stall"; link: string }
  | { type: "bytes"; number: number }
  | { type: "source"; script: string }
  /** Keeps an edited copy; refused when `version` is not the latest. */
  | { type: "edit"; script: string; text: string; version: number }
  /** Checks the copy, and sends a `source` with its errors. */
  | { type: "check"; script: string }
  | { type: "revert"; script: string }
  | { type: "undo-revert"; script: string };
