/**
 * Where a time stands in the drawing.
 *
 * Time runs down. It is linear where there is room for that: a row is never closer to
 * the next than its text needs, and a silence becomes a band.
 *
 * @module
 */
import type { Change, Entry, History } from "./history.ts";

/** The height of a row, of a band, and above the first row, in px. */
export const ROW = 30, BAND = 34, TOP = 36;

/** A silence of so many µs becomes a band, if it is so many medians long. */
const SILENCE = 1_000_000, MEDIANS = 10;

/** What would take more px than this becomes a band, too; and if open, it takes at most. */
const TALL = 260, TALLEST = 4_000;

/**
 * How steep the median delivery is, at least, too, and how far the median distance,
 * in px. Within that, a second has room without a band.
 */
const SLOPE = 36, LEAST_SLOPE = 14, DISTANCE = 28;

/** Less than so many µs under way is no delay: the relay needs them itself. */
const DELAY = 1_000;

/** px for each µs: the least, the most, and before anything is known. */
const LEAST = 0.00002, MOST = 0.02, FIRST = 0.0005;

/** A moment at which something starts or arrives. */
export interface Knot {
  readonly at: number;
  /** The entry's; that of its arrival is half more. */
  readonly order: number;
  readonly entry: Entry;
  readonly arrives: boolean;
  y: number;
  /** The silence before it in µs that is a band, or was opened; 0 for none. */
  silence: number;
  /** Where the rows above it end. */
  floor: number;
}

/** How the rows follow each other. */
export type Spacing = "time" | "rows";

/** The middle of many numbers, nearly: each adds to a step of a scale of eighths. */
export class Median {
  readonly #steps = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    const step = value < 1 ? -1 : Math.round(Math.log2(value) * 8);
    this.#steps.set(step, (this.#steps.get(step) ?? 0) + 1);
    this.#count++;
  }

  get value(): number {
    let seen = 0;
    const steps = [...this.#steps].sort(([a], [b]) => a - b);
    for (const [step, count] of steps) {
      seen += count;
      if (seen * 2 >= this.#count) return step < 0 ? 0 : 2 ** (step / 8);
    }
    return 0;
  }
}

/** Places for all that starts or arrives in a history. */
export class Scale {
  readonly #history: History;
  #knots: Knot[] = [];
  #starts = new Map<Entry, Knot>();
  #arrivals = new Map<Entry, Knot>();
  #delays = new Median();
  #distances = new Median();
  #perMicrosecond = FIRST;
  #rescaleAt = 4;
  #spacing: Spacing = "time";
  /** The knots, by entry and whether it is its arrival, before which silence is open. */
  readonly #open = new Set<number>();
  #heightOf: (entry: Entry) => number;

  /** `heightOf` says how much room an entry needs from its place to the next one's. */
  constructor(
    history: History,
    heightOf: (entry: Entry) => number = () => ROW,
  ) {
    this.#history = history;
    this.#heightOf = heightOf;
    this.#fill();
  }

  get spacing(): Spacing {
    return this.#spacing;
  }

  set spacing(spacing: Spacing) {
    this.#spacing = spacing;
    this.#place(0);
  }

  /** Everything gets its place anew, because heights have changed. */
  replace(): void {
    this.#place(0);
  }

  /** px for each µs within a burst. */
  get perMicrosecond(): number {
    return this.#perMicrosecond;
  }

  /** The whole height in px, below the last row, too. */
  get height(): number {
    const last = this.#knots.at(-1);
    return last ? last.y + this.#heightOf(last.entry) + 24 : TOP * 2;
  }

  get knots(): readonly Knot[] {
    return this.#knots;
  }

  /** Where an entry starts. */
  startOf(entry: Entry): number {
    return this.#starts.get(entry)?.y ?? TOP;
  }

  /** Where it arrives; null if it has not. */
  arrivalOf(entry: Entry): number | null {
    // One row an event: it arrives in the row in which it starts.
    if (this.#spacing === "rows" && this.#arrivals.has(entry)) {
      return this.startOf(entry);
    }
    return this.#arrivals.get(entry)?.y ?? null;
  }

  /** Opens the silence before a knot, or folds it. */
  toggle(order: number): void {
    if (!this.#open.delete(order)) this.#open.add(order);
    const index = this.#knots.findIndex((knot) => knot.order === order);
    if (index >= 0) this.#place(index);
  }

  isOpen(knot: Knot): boolean {
    return this.#open.has(knot.order);
  }

  /** The first knot at or below a height. */
  firstBelow(y: number): number {
    let low = 0, high = this.#knots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#knots[middle]?.y ?? 0) < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Takes what a batch has changed; says by how much the rows at the top went up. */
  update({ emptied, dropped, from, updated }: Change): number {
    if (emptied) {
      this.#fill();
      return 0;
    }
    const up = dropped > 0 ? this.#drop() : 0;
    const entries = this.#history.entries;
    const first = entries[from];
    const fresh: Knot[] = [];
    // Everything from the first change on gets a new place.
    let at = first?.at ?? Infinity, order = first?.order ?? Infinity;
    for (const entry of updated) {
      const knot = this.#arrivalKnot(entry);
      if (!knot || this.#arrivals.has(entry)) continue;
      if (this.#isFrom(entry, first)) continue;
      fresh.push(knot);
      if (isBefore(knot, { at, order })) ({ at, order } = knot);
    }
    const index = this.#lowerBound(at, order);
    if (index < this.#knots.length || first) {
      // Those of entries before the change stay; the others are made anew.
      for (const knot of this.#knots.splice(index)) {
        if (!this.#isFrom(knot.entry, first)) fresh.push(knot);
      }
    }
    for (let i = from; i < entries.length; i++) {
      const entry = entries[i];
      if (!entry) break;
      fresh.push(knotOf(entry));
      const arrival = this.#arrivalKnot(entry);
      if (arrival) fresh.push(arrival);
    }
    fresh.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const knot of fresh) {
      this.#knots.push(knot);
      (knot.arrives ? this.#arrivals : this.#starts).set(knot.entry, knot);
    }
    this.#learn(from, updated);
    if (!this.#rescale()) this.#place(index);
    return up;
  }

  /** Counts distances and deliveries, each once. */
  #learn(from: number, updated: readonly Entry[]): void {
    const entries = this.#history.entries;
    for (let i = Math.max(1, from); i < entries.length; i++) {
      const before = entries[i - 1], entry = entries[i];
      if (before && entry) this.#distances.add(entry.at - before.at);
    }
    const learn = ({ item }: Entry) => {
      if (item.kind !== "wire" || item.event.delivered === null) return;
      const took = item.event.delivered - item.event.sent;
      if (took >= DELAY) this.#delays.add(took);
    };
    for (let i = from; i < entries.length; i++) {
      const entry = entries[i];
      if (entry) learn(entry);
    }
    updated.forEach(learn);
  }

  /** A better scale, now and then: each time costs as much as all that is there. */
  #rescale(): boolean {
    const count = this.#delays.count * 4 + this.#distances.count;
    if (count < this.#rescaleAt) return false;
    this.#rescaleAt = count * 2;
    const delay = this.#delays.value, distance = this.#distances.value;
    const roomy = TALL / SILENCE;
    const wanted = delay > 0
      ? Math.max(LEAST_SLOPE / delay, Math.min(SLOPE / delay, roomy))
      : distance > 0
      ? Math.min(DISTANCE / distance, roomy)
      : FIRST;
    const scale = Math.min(MOST, Math.max(LEAST, wanted));
    const change = scale / this.#perMicrosecond;
    if (change < 1.5 && change > 0.66) return false;
    this.#perMicrosecond = scale;
    this.#place(0);
    return true;
  }

  #fill(): void {
    this.#knots = [];
    this.#starts = new Map();
    this.#arrivals = new Map();
    this.#delays = new Median();
    this.#distances = new Median();
    this.#perMicrosecond = FIRST;
    this.#rescaleAt = 4;
    this.#open.clear();
    if (this.#history.entries.length === 0) return;
    const change = { items: [], emptied: false, dropped: 0, updated: [] };
    this.update({ ...change, from: 0 });
  }

  #drop(): number {
    const first = this.#history.entries[0];
    let count = 0;
    for (const knot of this.#knots) {
      if (first && !isBefore(knot, first)) break;
      (knot.arrives ? this.#arrivals : this.#starts).delete(knot.entry);
      count++;
    }
    this.#knots.splice(0, count);
    const top = this.#knots[0];
    const up = top ? top.y - TOP : 0;
    for (const knot of this.#knots) knot.y -= up;
    return up;
  }

  #isFrom(entry: Entry, first: Entry | undefined): boolean {
    return first !== undefined && !isBefore(entry, first);
  }

  #arrivalKnot(entry: Entry): Knot | null {
    const { item } = entry;
    if (item.kind !== "wire" || item.event.delivered === null) return null;
    const at = Math.max(entry.at, item.event.delivered);
    return { ...knotOf(entry), at, order: entry.order + 0.5, arrives: true };
  }

  #lowerBound(at: number, order: number): number {
    let low = 0, high = this.#knots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const knot = this.#knots[middle];
      if (!knot) break;
      if (isBefore(knot, { at, order })) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Gives all knots from an index on their places. */
  #place(from: number): void {
    const median = this.#distances.value;
    let before = this.#knots[from - 1];
    // The last row above has to be found: arrivals have none.
    let floor = TOP;
    for (let i = from - 1; i >= 0; i--) {
      const knot = this.#knots[i];
      if (!knot || knot.arrives) continue;
      floor = knot.y + this.#heightOf(knot.entry);
      break;
    }
    for (let i = from; i < this.#knots.length; i++) {
      const knot = this.#knots[i];
      if (!knot) break;
      knot.silence = 0;
      knot.floor = Math.max(floor, before?.y ?? TOP);
      if (this.#spacing === "rows") {
        knot.y = floor;
      } else {
        const past = before ? knot.at - before.at : 0;
        let linear = past * this.#perMicrosecond;
        let band = 0;
        const isSilence = past > SILENCE && past > MEDIANS * median;
        if (isSilence || linear > TALL) {
          knot.silence = past;
          if (this.#open.has(knot.order)) linear = Math.min(linear, TALLEST);
          else [linear, band] = [0, BAND];
        }
        const least = knot.arrives && band === 0 ? 0 : floor;
        knot.y = Math.max((before?.y ?? TOP) + linear, least) + band;
      }
      if (!knot.arrives) floor = knot.y + this.#heightOf(knot.entry);
      before = knot;
    }
  }
}

function knotOf(entry: Entry): Knot {
  const { at, order } = entry;
  return { at, order, entry, arrives: false, y: 0, silence: 0, floor: 0 };
}

function isBefore(
  a: { at: number; order: number },
  b: { at: number; order: number },
): boolean {
  return a.at < b.at || a.at === b.at && a.order < b.order;
}
