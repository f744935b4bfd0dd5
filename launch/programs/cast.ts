/**
 * What the floors above are told of a run, as plain data: it could be sent to
 * another process as it is.
 *
 * @module
 */
import type { Address, Transport, WireEvent } from "../wire/relay.ts";

/** One of the programs of a run. */
export interface Member {
  /** Its role: `client`, `server`, `broker`, … */
  name: string;
  /** The script, or the command, that plays the role. */
  title: string;
  /** How it is spoken to, if it listens. */
  listens?: Transport;
  /** The port that it has when it is started by hand. */
  port?: number;
}

/** All programs of a run, from the one that asks to those that are asked. */
export interface Cast {
  name: string;
  /** One line that says what they do together. */
  summary: string;
  /** A sentence that says what to look at. */
  look: string;
  members: Member[];
}

/** A relay between two roles. */
export interface Link {
  /** What conditions and events call it. */
  name: string;
  /** The roles on both sides. */
  client: string;
  server: string;
  transport: Transport;
  /** Where the relay listens, and where the server does. */
  relay: Address;
  target: Address;
  /** What is spoken over it, where the view can tell its messages apart. */
  protocol?: "nats";
}

/** A line that a program printed. */
export interface Line {
  role: string;
  text: string;
  stream: "stdout" | "stderr";
  /** What was typed into it, at the end of a line that is a prompt. */
  typed: string | undefined;
}

/** How a program has ended. */
export interface Ending {
  role: string;
  code: number;
  /** The name of the signal that ended it, if one did. */
  signal: string | null;
  /** Whether the launcher had told it to end. */
  stopped: boolean;
}

/**
 * What a program that runs is doing; `running`: it has started, and it does not
 * listen.
 */
export type RunningState = "starting" | "listening" | "running";

/** What a crew reports while it works. */
export interface Watcher {
  /** A relay stands now. */
  link(link: Link): void;
  /** A program is starting, or has got so far. */
  state?(role: string, state: RunningState): void;
  /** A program has printed a line. */
  line(line: Line): void;
  /** A program has printed something that is no line yet. */
  stirred(role: string): void;
  /** Something happens on a wire; see `Recorder` for what comes twice. */
  wire(link: Link, event: WireEvent): void;
  /** A program has ended; resolves when that has its place in the order. */
  ended(ending: Ending): Promise<void>;
  /** Something to know that no program said. */
  note(text: string): void;
  /** If it is there: resolves when it is this role's turn. */
  turn?(role: string): Promise<void>;
}
