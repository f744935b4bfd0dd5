/**
 * All troubles by name, in the order in which a network does them to a datagram
 * or a message: what is too long never leaves, what is lost is not doubled, what
 * has been delayed is cut in the end.
 *
 * @module
 */
import type { Transport } from "../relay.ts";
import { corrupt } from "./corrupt.ts";
import { cut } from "./cut.ts";
import { delay } from "./delay.ts";
import { duplicate } from "./duplicate.ts";
import { glue } from "./glue.ts";
import { jitter } from "./jitter.ts";
import { loss } from "./loss.ts";
import { rate } from "./rate.ts";
import { reorder } from "./reorder.ts";
import { reset } from "./reset.ts";
import { size } from "./size.ts";
import { stall } from "./stall.ts";
import type { TroubleMaker } from "./trouble.ts";

/** What is known of a trouble without making it. */
export interface TroubleKind {
  make: TroubleMaker;
  transports: readonly Transport[];
  /** What stands after `=`. */
  takes: readonly ("which" | "time" | "bytes" | "rate")[];
  /** An amount of 0 means that it happens at once, not that it does not. */
  zeroIsNow?: true;
  /** For `--help`: an example of its value, and what it does. */
  example: string;
  does: string;
}

const UDP = ["udp"] as const, TCP = ["tcp"] as const;
const BOTH = ["tcp", "udp"] as const;

/** By name, in the order in which they work. */
export const TROUBLES: Readonly<Record<string, TroubleKind>> = {
  reset: {
    ...{ make: reset, transports: TCP, takes: ["bytes", "time"] },
    zeroIsNow: true,
    example: "1KB",
    does: "reset after so many bytes, or after a time (2s)",
  },
  stall: {
    ...{ make: stall, transports: TCP, takes: ["bytes", "time"] },
    zeroIsNow: true,
    example: "1KB",
    does: "nothing passes after that, and neither side is told",
  },
  size: {
    ...{ make: size, transports: UDP, takes: ["bytes"] },
    example: "512B",
    does: "a datagram that is longer disappears",
  },
  loss: {
    ...{ make: loss, transports: UDP, takes: ["which"] },
    example: "20%",
    does: "a datagram disappears",
  },
  corrupt: {
    ...{ make: corrupt, transports: UDP, takes: ["which"] },
    example: "1%",
    does: "a bit is wrong (real UDP drops most: it has a checksum)",
  },
  duplicate: {
    ...{ make: duplicate, transports: UDP, takes: ["which"] },
    example: "5%",
    does: "a datagram arrives twice",
  },
  rate: {
    ...{ make: rate, transports: BOTH, takes: ["rate"] },
    example: "10KB/s",
    does: "no faster; UDP that would wait over 1 s disappears",
  },
  delay: {
    ...{ make: delay, transports: BOTH, takes: ["time"] },
    example: "100ms",
    does: "it arrives so much later",
  },
  jitter: {
    ...{ make: jitter, transports: BOTH, takes: ["time"] },
    example: "50ms",
    does: "the delay varies by so much up or down",
  },
  glue: {
    ...{ make: glue, transports: TCP, takes: ["time"] },
    example: "50ms",
    does: "what comes within that time leaves as one piece",
  },
  reorder: {
    ...{ make: reorder, transports: UDP, takes: ["which"] },
    example: "10%",
    does: "a datagram is overtaken by the next one",
  },
  cut: {
    ...{ make: cut, transports: TCP, takes: ["bytes"] },
    example: "3B",
    does: "it leaves in pieces of so many bytes, 5 ms apart",
  },
};
