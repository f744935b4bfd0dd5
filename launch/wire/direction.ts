/**
 * What the network does to one direction of one link.
 *
 * @module
 */
import { beginning, chance } from "./conditions/chance.ts";
import type { Condition } from "./conditions/conditions.ts";
import type { Parcel, Stream, Trouble } from "./conditions/trouble.ts";
import { TROUBLES } from "./conditions/troubles.ts";
import { selector } from "./conditions/which.ts";
import type { Side } from "./relay.ts";

/** A condition at work. */
interface Active {
  readonly condition: Condition;
  readonly seed: number;
  readonly trouble: Trouble;
  /** Where its chance begins. */
  readonly begin: number;
  readonly hits: ((number: number) => boolean) | null;
  /** How many datagrams or messages have come since it is at work. */
  seen: number;
  /** Whether it hits the last one of them. */
  hit: boolean;
}

/** What stops a stream. */
export interface Stop {
  cause: string;
  then: "reset" | "stall";
  /** Both directions, or this one alone. */
  both: boolean;
}

/** The conditions of one direction, and how many datagrams each has counted. */
export class Direction {
  readonly #link: string;
  readonly #from: Side;
  #active: Active[] = [];

  constructor(link: string, from: Side) {
    this.#link = link;
    this.#from = from;
  }

  /**
   * Puts other conditions to work. One that has been at work goes on counting;
   * a new one counts from now on. Returns the texts of the new ones.
   */
  set(conditions: readonly Condition[], seed: number): string[] {
    const fresh: string[] = [];
    const names = Object.keys(TROUBLES);
    const before = [...this.#active];
    this.#active = conditions.flatMap((condition) => {
      const kept = before.findIndex((other) =>
        other.condition.text === condition.text && other.seed === seed
      );
      const [active] = kept < 0 ? [] : before.splice(kept, 1);
      if (!active) fresh.push(condition.text);
      return active ?? this.#start(condition, seed) ?? [];
    }).sort((a, b) =>
      names.indexOf(a.condition.name) - names.indexOf(b.condition.name)
    );
    return fresh;
  }

  #start(condition: Condition, seed: number): Active | undefined {
    const trouble = TROUBLES[condition.name]?.make(condition);
    if (!trouble) return undefined;
    // The two directions have chances of their own, so `up.` is not part of it.
    const text = condition.text.replace(/^(up|down)\./, "");
    const begin = beginning(seed, this.#link, this.#from, text);
    const hits = condition.which && selector(condition.which, begin);
    return { condition, seed, trouble, begin, hits, seen: 0, hit: false };
  }

  /** Whether there are no conditions. */
  get calm(): boolean {
    return this.#active.length === 0;
  }

  /** Does to what has just come what the network does. */
  pass(parcel: Parcel, now: number): Parcel[] {
    const isData = parcel.kind === "message" || parcel.kind === "datagram";
    let parcels = [parcel];
    for (const active of this.#active) {
      const { condition, trouble, begin, hits } = active;
      if (isData) {
        active.seen++;
        active.hit = hits === null || hits(active.seen);
      }
      const concerns = isData ? active.hit : trouble.control && hits === null;
      if (!trouble.pass || !concerns || !isAtWork(condition, now)) continue;
      const number = active.seen;
      parcels = parcels.flatMap((one, copy) => {
        if (one.lost) return [one];
        // Copy 0 is what decided whether it is hit.
        const draw = () => chance(begin, number, copy + 1);
        return trouble.pass?.(one, { now, chance: draw }) ?? [one];
      });
    }
    return parcels;
  }

  /**
   * How many more bytes may leave on a stream, and what happens then; `stream`
   * says how far it is, as a condition counts.
   */
  limit(
    stream: (cause: string) => Stream,
    now: number,
  ): { bytes: number; stop: Stop | null } {
    let bytes = Infinity, stop: Stop | null = null;
    for (const { condition, trouble } of this.#active) {
      if (!trouble.limit || !trouble.then) continue;
      if (!isAtWork(condition, now)) continue;
      const least = trouble.limit(stream(condition.text));
      if (least >= bytes) continue;
      bytes = least;
      const both = condition.direction === "both";
      stop = { cause: condition.text, then: trouble.then, both };
    }
    return { bytes, stop };
  }

  /** In how many µs a limit of a new stream may change by itself. */
  get limitTimes(): number[] {
    return this.#active.flatMap(({ trouble }) => trouble.after ?? []);
  }

  /** Whether a condition is there and at work. */
  has(cause: string, now: number): boolean {
    return this.#active.some(({ condition }) =>
      condition.text === cause && isAtWork(condition, now)
    );
  }
}

function isAtWork({ phase }: Condition, now: number): boolean {
  return !phase || (now >= phase.from && now < phase.to);
}
