/**
 * What a network may do to a link, as it was typed after `--net`.
 *
 * @module
 */
import type { Transport } from "../relay.ts";
import type { Which } from "./which.ts";

/** One condition: `down.loss=#1`. */
export interface Condition {
  /** As typed, without the role: it is the cause that events name. */
  readonly text: string;
  /** `loss`, `delay`, … */
  readonly name: string;
  /** Which way it works: from the client (`up`), back (`down`), or each. */
  readonly direction: "up" | "down" | "both";
  /** How much: µs, bytes, or bytes a second, as `unit` says; 0 if none is meant. */
  readonly amount: number;
  readonly unit: "time" | "bytes" | "rate" | "none";
  /** Which datagrams or messages it hits; null for all. */
  readonly which: Which | null;
  /** When it works, in µs since the run started; null for always. */
  readonly phase: { readonly from: number; readonly to: number } | null;
}

/** What the network does to one link. */
export interface Conditions {
  /** What all chance comes from, together with the link's name. */
  readonly seed: number;
  /** From the client to the server. */
  readonly up: readonly Condition[];
  /** From the server to the client. */
  readonly down: readonly Condition[];
}

/** A link, as far as conditions must know it. */
export interface LinkName {
  /** Its name, which is the role of its server; `ROLE:` before a condition. */
  name: string;
  transport: Transport;
}

/** All that was typed after `--net`, for all links of a run. */
export interface Network {
  readonly seed: number;
  /** What it does to a link. */
  of(link: LinkName): Conditions;
  /** What it will mean, a sentence for each link that it concerns. */
  sentences(): string[];
  /** The options that repeat it: `["--net", "down.loss=#1", "--seed", "7"]`. */
  readonly options: string[];
}

/** Conditions under which nothing is changed. */
export const CALM: Conditions = { seed: 0, up: [], down: [] };

/** What was typed after `--net` is not understood; the message is one line. */
export class BadCondition extends Error {
  override name = "BadCondition";
}
