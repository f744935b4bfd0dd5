/**
 * Chance that can be repeated: each decision is a function of what it is about,
 * never of what was decided before. So one more datagram elsewhere changes
 * nothing here.
 *
 * @module
 */

/** Where the chance of one condition on one link and direction begins. */
export function beginning(
  seed: number,
  link: string,
  from: string,
  condition: string,
): number {
  return scatter(`${seed} ${link} ${from} ${condition}`, 0x811c9dc5);
}

/**
 * A number from 0 up to 1, not 1 itself, for the datagram with that number; for
 * the copies of one datagram there are several.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { beginning, chance } from "./chance.ts";
 *
 * const loss = beginning(7, "server", "client", "loss=20%");
 * assertEquals(chance(loss, 3), chance(loss, 3));
 * ```
 */
export function chance(begin: number, number: number, copy = 0): number {
  let hash = mix(begin ^ Math.imul(number, 0x9e3779b1));
  hash = mix(hash ^ Math.imul(copy + 1, 0x85ebca6b));
  return hash / 2 ** 32;
}

/** FNV-1a, with its bits mixed at the end. */
function scatter(text: string, begin: number): number {
  let hash = begin;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix(hash);
}

/** Lets each bit of a 32-bit number change all others (as MurmurHash3 does). */
function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
