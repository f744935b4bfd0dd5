/**
 * What a network can do, as the queue of a direction sees it.
 *
 * @module
 */
import type { Kind, Mark } from "../relay.ts";
import type { Condition } from "./conditions.ts";

/** Something on its way through a relay in one direction. */
export interface Parcel {
  readonly kind: Kind;
  /** The connection or peer. */
  readonly connection: number;
  bytes: Uint8Array;
  /** When it came, in µs. */
  readonly sent: number;
  /** When it may leave, in µs. */
  due: number;
  /** It leaves at least so many µs after the one before it. */
  gap: number;
  /** It does not arrive. */
  lost: boolean;
  /** It leaves right after the next one, or when it has waited for so many µs. */
  behind: number;
  /** What has the same number, if it is not 0, leaves in one piece. */
  group: number;
  marks: Mark[];
  causes: string[];
  /** What it is a copy or a piece of. */
  origin: Parcel | null;
  /** The number of its event; 0 until it has one. */
  number: number;
  /** What a `refused` says. */
  text?: string;
  /** It has been reported as under way. */
  reported: boolean;
}

/** What a trouble knows when something comes. */
export interface Moment {
  /** µs since the run started. */
  readonly now: number;
  /** A number from 0 up to 1 that belongs to this one, and to this trouble. */
  chance(): number;
}

/** A stream, when something is to leave. */
export interface Stream {
  /** How many bytes have left. */
  readonly bytes: number;
  /** How many µs ago the connection began. */
  readonly age: number;
}

/** A condition at work on one direction of one link. */
export interface Trouble {
  /**
   * Changes what has come, or makes more or pieces of it. Called only for what
   * the condition hits.
   */
  pass?(parcel: Parcel, moment: Moment): Parcel[];
  /** It also works on what is no data: connect, end, reset. */
  readonly control?: boolean;
  /** How many more bytes of a stream may leave before `then` happens. */
  limit?(stream: Stream): number;
  /** In how many µs the limit may change by itself. */
  readonly after?: number;
  readonly then?: "reset" | "stall";
}

/** Makes a trouble of a condition. */
export type TroubleMaker = (condition: Condition) => Trouble;

/** Makes something late, and says why. */
export function delayBy(parcel: Parcel, us: number, cause: string): Parcel[] {
  if (us <= 0) return [parcel];
  parcel.due += us;
  if (!parcel.marks.includes("late")) parcel.marks.push("late");
  if (!parcel.causes.includes(cause)) parcel.causes.push(cause);
  return [parcel];
}

/** A part of something, to be given bytes and marks of its own. */
export function partOf(parcel: Parcel, bytes: Uint8Array): Parcel {
  return {
    ...parcel,
    bytes,
    marks: [...parcel.marks],
    causes: [...parcel.causes],
    origin: parcel.origin ?? parcel,
    number: 0,
    reported: false,
  };
}

/** Cuts something into pieces of at most so many bytes; the first keeps its place. */
export function cutInto(
  parcel: Parcel,
  length: number,
  cause: string,
): Parcel[] {
  const { bytes } = parcel;
  if (bytes.length <= length) return [parcel];
  parcel.bytes = bytes.subarray(0, length);
  if (!parcel.marks.includes("piece")) parcel.marks.push("piece");
  if (!parcel.causes.includes(cause)) parcel.causes.push(cause);
  const pieces = [parcel];
  for (let at = length; at < bytes.length; at += length) {
    pieces.push(partOf(parcel, bytes.subarray(at, at + length)));
  }
  return pieces;
}
