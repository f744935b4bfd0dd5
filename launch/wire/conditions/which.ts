/**
 * Which datagrams or messages a condition hits.
 *
 * @module
 */
import { chance } from "./chance.ts";

/** `20%`, `5%x4`, `#3,#4`, `every3`, or `2/5`. */
export type Which =
  | { readonly kind: "share"; readonly share: number; readonly run: number }
  | { readonly kind: "numbers"; readonly numbers: readonly number[] }
  | { readonly kind: "every"; readonly every: number }
  | { readonly kind: "of"; readonly count: number; readonly of: number };

/** Reads it; a text says what is wrong with it, null that it is none. */
export function parseWhich(text: string): Which | string | null {
  const share = /^(\d+(?:\.\d+)?)%(?:x(\d+(?:\.\d+)?))?$/.exec(text);
  if (share) {
    const percent = Number(share[1]), run = Number(share[2] ?? 1);
    if (percent > 100) return "more than 100 %";
    if (run < 1) return "runs are of 1 or more";
    return { kind: "share", share: percent / 100, run };
  }
  if (/^#\d+(,#\d+)*$/.test(text)) {
    const numbers = text.split(",").map((part) => Number(part.slice(1)));
    if (numbers.includes(0)) return "the first one is #1";
    return { kind: "numbers", numbers };
  }
  const every = /^every(\d+)$/.exec(text);
  if (every) {
    const n = Number(every[1]);
    return n === 0 ? "every1 is the least" : { kind: "every", every: n };
  }
  const of = /^(\d+)\/(\d+)$/.exec(text);
  if (of) {
    const [count, all] = [Number(of[1]), Number(of[2])];
    if (count > all) return `${count} are more than ${all}`;
    if (all === 0) return "0 of 0 is nothing";
    if (all > 10_000) return "10,000 are the most to count of";
    return { kind: "of", count, of: all };
  }
  return null;
}

/** How many of all are hit, in the long run: from 0 to 1. */
export function shareOf(which: Which): number {
  switch (which.kind) {
    case "share":
      return which.share;
    case "every":
      return 1 / which.every;
    case "of":
      return which.count / which.of;
    case "numbers":
      return 0;
  }
}

/** Says of one number after the other whether it is hit; call it for each, in order. */
export function selector(
  which: Which,
  begin: number,
): (number: number) => boolean {
  switch (which.kind) {
    case "numbers":
      return (number) => which.numbers.includes(number);
    case "every":
      return (number) => number % which.every === 0;
    case "of":
      return (number) => {
        // The places in each group are drawn; how many they are is fixed.
        const first = number - (number - 1) % which.of;
        const own = chance(begin, number);
        let before = 0;
        for (let other = first; other < first + which.of; other++) {
          const drawn = chance(begin, other);
          if (drawn < own || (drawn === own && other < number)) before++;
        }
        return before < which.count;
      };
    case "share": {
      const { share, run } = which;
      if (run === 1 || share === 1) {
        return (number) => chance(begin, number) < share;
      }
      // Two states: a run goes on, or ends, so that it is `run` long on average;
      // another one begins so often that the share comes out.
      const stay = 1 - 1 / run;
      const enter = Math.min(1, share * (1 - stay) / (1 - share));
      let hit = false, first = true;
      return (number) => {
        const drawn = chance(begin, number);
        hit = drawn < (first ? share : hit ? stay : enter);
        first = false;
        return hit;
      };
    }
  }
}
