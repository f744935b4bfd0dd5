/**
 * What shows a run: it is given plain data, in the order of the timeline.
 *
 * @module
 */
import type {
  Cast,
  Ending,
  Line,
  Link,
  RunningState,
} from "../programs/cast.ts";
import type { Transport, WireEvent } from "../wire/relay.ts";

/** What is known of an event besides. */
export interface Detail {
  /** How many bytes it has; of many, not all are in the event. */
  size: number;
  /** What its bytes say, if their protocol is known: a line each. */
  lines?: string[];
  /** Whether it has been shown before, when it was still under way. */
  isUpdate: boolean;
}

/** What a run came to. */
export interface Totals {
  ms: number;
  /** By direction, in the order in which they were first used. */
  directions: Direction[];
  /** What the network did, if it had conditions: a line each. */
  counts: string[];
  /** The command that repeats the run, if that is worth saying. */
  repeat: string;
}

/** What went over the wire in one direction. */
export interface Direction {
  from: string;
  to: string;
  transport: Transport;
  messages: number;
  bytes: number;
}

/** Shows a run; `at` is the time since the start in ms. */
export interface Presenter {
  /** Begins; `sentences` say what the network is going to do. */
  begin(cast: Cast, sentences: string[]): void;
  link(link: Link, at: number): void;
  /** A program is starting, or has got so far. */
  state?(role: string, state: RunningState, at: number): void;
  line(line: Line, at: number): void;
  /** Something on a wire; what was under way comes again when it is not. */
  wire(link: Link, event: WireEvent, detail: Detail, at: number): void;
  ended(ending: Ending, at: number): void;
  /** Something to know that no program said. */
  note(text: string, at: number): void;
  /** The run is over. */
  end(totals: Totals): void;
}

/** The roles that an event goes from and to. */
export function ends(link: Link, event: WireEvent): [string, string] {
  return event.from === "client"
    ? [link.client, link.server]
    : [link.server, link.client];
}

/** What the network did to an event, in words, with its causes. */
export function fateOf(event: WireEvent): string[] {
  if (event.marks.length + event.causes.length === 0) {
    if (event.fate === "delivered") return [];
  }
  const words: string[] = [];
  const of = event.of === null ? "" : ` #${event.of}`;
  for (const mark of event.marks) {
    switch (mark) {
      case "again":
        words.push(`again${of}`);
        break;
      case "late":
        if (event.delivered !== null && event.fate === "delivered") {
          words.push(`late by ${milliseconds(event.delivered - event.sent)}`);
        }
        break;
      case "piece":
        words.push(event.of === null ? "first piece" : `piece of${of}`);
        break;
      case "glued":
        words.push(event.of === null ? "glued" : `glued to${of}`);
        break;
      case "corrupted":
        words.push("one bit wrong");
        break;
      case "overtaken":
        words.push("overtaken");
        break;
      case "injected":
        words.push("made at the relay");
        break;
      default:
        words.push(mark);
    }
  }
  if (event.fate === "lost") words.unshift("✕ lost");
  if (event.fate === "under way") words.push("under way");
  const parts = words.length > 0 ? [words.join(", ")] : [];
  if (event.causes.length > 0) parts.push(`(${event.causes.join(", ")})`);
  return parts.length > 0 ? [parts.join(" ")] : [];
}

/** `0.4 ms`, `120 ms`, `3,000 ms`. */
export function milliseconds(us: number): string {
  const ms = us / 1000;
  return `${(ms < 10 ? tenths : wholes).format(ms)} ms`;
}

/** To make one takes longer than to use it a thousand times. */
const tenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const wholes = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
