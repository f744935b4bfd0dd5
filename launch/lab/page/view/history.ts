/**
 * What a page knows of a run: all of its items, put in the order of time. No DOM.
 *
 * @module
 */
import type { Link } from "../../../programs/cast.ts";
import type { Item, PageEvent } from "../../messages.ts";

/** An item of one kind. */
export type Of<Kind extends Item["kind"]> = Extract<Item, { kind: Kind }>;

/** Something that has a row of its own in the drawing and in the list. */
export interface Entry {
  /** Stays the same, whatever comes before it: `e12` for event 12. */
  readonly key: string;
  /** Its place in time, in µs; never before the entry above it. */
  at: number;
  /** Its place among those of the same time. */
  readonly order: number;
  /** The event's number; 0 if it is none. */
  readonly number: number;
  /** What is shown; of an event, the latest that is known. */
  item: Of<"wire" | "line" | "program" | "net" | "note" | "over">;
  /** Grows with each change of `item`. */
  version: number;
}

/** A time in which a program ran. */
export interface Life {
  readonly start: Entry;
  end: Entry | null;
}

/** What a batch has changed. */
export interface Change {
  /** The items of the batch. */
  items: readonly Item[];
  /** Whether all before is gone. */
  emptied: boolean;
  /** How many entries went, the oldest first. */
  dropped: number;
  /** From this entry on there are new ones; `entries.length` if there are none. */
  from: number;
  /** Events that were there before and have come to their end. */
  updated: readonly Entry[];
}

/**
 * The timeline can put a line before an event that has an earlier time, because it
 * knows better. A line follows it by so much, in µs.
 */
const BLUR = 1_000_000;

/** Items of dropped events stay until there are so many of them. */
const WASTE = 5_000;

/**
 * A run as a page knows it. Adding costs as much as what is added, however much
 * there is already.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { History } from "./history.ts";
 *
 * const history = new History();
 * history.add([{ kind: "note", at: 0, text: "Nothing is listening yet." }]);
 * assertEquals(history.entries.length, 1);
 * ```
 */
export class History {
  #items: Item[] = [];
  #entries: Entry[] = [];
  #byNumber = new Map<number, Entry>();
  #links = new Map<string, Link>();
  #states = new Map<string, Of<"program">>();
  #prompts = new Map<string, string | null>();
  #lives = new Map<string, Life[]>();
  #run: Of<"run"> | null = null;
  #net: Of<"net"> | null = null;
  #hold: Of<"hold"> | null = null;
  #over: Of<"over"> | null = null;
  #roles: string[] = [];
  #order = 0;
  #droppedUpTo = 0;
  #waste = 0;
  #longest = 0;
  readonly #subscribers = new Set<(change: Change) => void>();

  /** Takes items as they come; a `run` item empties it first. */
  add(items: readonly Item[]): void {
    const change = {
      items,
      emptied: false,
      dropped: 0,
      from: this.#entries.length,
      updated: new Set<Entry>(),
    };
    for (const item of items) {
      if (item.kind === "run") {
        this.#empty();
        change.emptied = true;
        change.from = change.dropped = 0;
        change.updated.clear();
      }
      this.#items.push(item);
      this.#take(item, change);
    }
    if (this.#waste > Math.max(WASTE, this.#items.length / 2)) this.#compact();
    const all = { ...change, updated: [...change.updated] };
    for (const changed of this.#subscribers) changed(all);
  }

  /** The choice of the run; null before it. */
  get run(): Of<"run"> | null {
    return this.#run;
  }

  /** The roles in the order of the cast. */
  get roles(): readonly string[] {
    return this.#roles;
  }

  get links(): ReadonlyMap<string, Link> {
    return this.#links;
  }

  /** What a program is doing. */
  state(role: string): Of<"program"> | undefined {
    return this.#states.get(role);
  }

  /** The prompt that a program shows now; null if it does not wait for a line. */
  prompt(role: string): string | null {
    return this.#prompts.get(role) ?? null;
  }

  /** What the network does now. */
  get net(): Of<"net"> | null {
    return this.#net;
  }

  /** What is on hold now. */
  get hold(): Of<"hold"> | null {
    return this.#hold;
  }

  /** How the run has ended; null before. */
  get over(): Of<"over"> | null {
    return this.#over;
  }

  /** An event as it was last reported. */
  event(number: number): PageEvent | undefined {
    const item = this.#byNumber.get(number)?.item;
    return item?.kind === "wire" ? item.event : undefined;
  }

  /** The entry of an event. */
  entryOf(number: number): Entry | undefined {
    return this.#byNumber.get(number);
  }

  /** All items, without those of events that are no longer kept. */
  get items(): readonly Item[] {
    return this.#items;
  }

  /** What is shown, in the order of time. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** When a program ran. */
  lives(role: string): readonly Life[] {
    return this.#lives.get(role) ?? [];
  }

  /** Events up to this number are no longer kept. */
  get droppedUpTo(): number {
    return this.#droppedUpTo;
  }

  /** The longest time that an event was under way, in µs. */
  get longest(): number {
    return this.#longest;
  }

  /** The place of an entry among `entries`; -1 if it is not there. */
  indexOf(entry: Entry): number {
    const index = this.#firstFrom(entry.at, entry.order);
    return this.#entries[index] === entry ? index : -1;
  }

  /** The roles that an event goes from and to; empty if its link is not known. */
  ends(event: PageEvent): [from: string, to: string] {
    const link = this.#links.get(event.link);
    const client = link?.client ?? this.#roles[0] ?? "";
    const server = link?.server ?? event.link;
    return event.from === "client" ? [client, server] : [server, client];
  }

  /** Calls after each batch. The result ends that. */
  subscribe(changed: (change: Change) => void): () => void {
    this.#subscribers.add(changed);
    return () => this.#subscribers.delete(changed);
  }

  #empty(): void {
    this.#items = [];
    this.#entries = [];
    this.#byNumber.clear();
    this.#links.clear();
    this.#states.clear();
    this.#prompts.clear();
    this.#lives.clear();
    this.#net = this.#hold = this.#over = null;
    this.#droppedUpTo = this.#waste = this.#longest = 0;
  }

  #take(item: Item, change: { from: number; dropped: number } & Updated): void {
    switch (item.kind) {
      case "run":
        this.#run = item;
        this.#roles = item.cast.members.map(({ name }) => name);
        break;
      case "program":
        this.#program(item, change);
        break;
      case "asks":
        this.#prompts.set(item.role, item.prompt);
        break;
      case "link":
        this.#links.set(item.link.name, item.link);
        break;
      case "wire":
        this.#wire(item, change);
        break;
      case "line":
        // Empty lines only make room.
        if (item.text.trim() !== "") this.#append(item, change);
        break;
      case "net": {
        const before = this.#net?.sentences.join() ?? "";
        this.#net = item;
        // Each relay reports its own changes; before there is one, nobody does.
        const isNews = item.sentences.join() !== before;
        if (isNews && !this.#isRunning()) this.#append(item, change);
        break;
      }
      case "hold":
        this.#hold = item;
        break;
      case "note":
        this.#append(item, change);
        break;
      case "over":
        this.#over = item;
        this.#append(item, change);
        break;
      case "dropped":
        this.#drop(item.upTo, change);
        break;
      case "did":
        break;
    }
  }

  #isRunning(): boolean {
    for (const { state } of this.#states.values()) {
      if (state !== "idle" && state !== "ended") return true;
    }
    return false;
  }

  #program(item: Of<"program">, change: { from: number }): void {
    const lives = this.#lives.get(item.role) ?? [];
    this.#lives.set(item.role, lives);
    const life = lives.at(-1);
    const runs = item.state !== "idle" && item.state !== "ended";
    const isOn = life !== undefined && life.end === null;
    const before = this.#states.get(item.role)?.state;
    this.#states.set(item.role, item);
    if (runs) {
      this.#over = null;
      if (!isOn) {
        lives.push({ start: this.#append(item, change), end: null });
      } else if (item.state === "listening" && before !== "listening") {
        this.#append(item, change);
      }
    } else if (isOn) {
      life.end = this.#append(item, change);
    }
  }

  #wire(item: Of<"wire">, change: { from: number } & Updated): void {
    const { event } = item;
    if (event.number <= this.#droppedUpTo) {
      this.#waste++;
      return;
    }
    if (event.delivered !== null) {
      this.#longest = Math.max(this.#longest, event.delivered - event.sent);
    }
    const known = this.#byNumber.get(event.number);
    if (known) {
      known.item = item;
      known.version++;
      this.#waste++;
      if (this.indexOf(known) < change.from) change.updated.add(known);
      return;
    }
    const key = `e${event.number}`;
    const entry = this.#entry(key, event.sent, event.number, item);
    this.#byNumber.set(event.number, entry);
    // Lines that stand before it in the timeline stay before it.
    const entries = this.#entries;
    for (let i = entries.length - 1; i >= 0; i--) {
      const before = entries[i];
      if (
        !before || before.number > 0 || before.at <= event.sent ||
        before.at - event.sent > BLUR
      ) break;
      before.at = event.sent;
      before.version++;
      change.from = Math.min(change.from, i);
    }
    const index = this.#firstFrom(entry.at, entry.order);
    if (index === entries.length) entries.push(entry);
    else entries.splice(index, 0, entry);
    change.from = Math.min(change.from, index);
  }

  #append(item: Exclude<Entry["item"], Of<"wire">>, change: { from: number }) {
    const at = Math.max(item.at, this.#entries.at(-1)?.at ?? 0);
    const entry = this.#entry(`i${this.#order + 1}`, at, 0, item);
    change.from = Math.min(change.from, this.#entries.length);
    this.#entries.push(entry);
    return entry;
  }

  #entry(key: string, at: number, number: number, item: Entry["item"]): Entry {
    return { key, at, order: ++this.#order, number, item, version: 0 };
  }

  #drop(upTo: number, change: { from: number; dropped: number }): void {
    if (upTo <= this.#droppedUpTo) return;
    this.#droppedUpTo = upTo;
    let count = 0;
    for (const { number } of this.#entries) {
      if (number > upTo) break;
      if (number > 0) this.#byNumber.delete(number);
      count++;
    }
    // Without an event that is kept, what programs said last stays.
    this.#entries.splice(0, count);
    this.#waste += count;
    change.dropped += count;
    change.from = Math.max(0, change.from - count);
  }

  #compact(): void {
    const latest = this.#byNumber;
    const first = this.#entries[0]?.at ?? 0;
    this.#items = this.#items.filter((item) =>
      item.kind === "wire"
        ? latest.get(item.event.number)?.item === item
        : item.kind !== "line" && item.kind !== "did" || item.at >= first
    );
    this.#waste = 0;
  }

  /** The first entry at or after a place. */
  #firstFrom(at: number, order: number): number {
    let low = 0, high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (!entry) break;
      const isBefore = entry.at < at || entry.at === at && entry.order < order;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Updated {
  updated: Set<Entry>;
}

/** The first bytes of an event, all that the page has or so many. */
export function bytesOf(event: PageEvent, most = Infinity): Uint8Array {
  // Four characters of base64 are three bytes.
  const text = event.bytes.slice(0, Math.ceil(most / 3) * 4);
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return bytes.subarray(0, most);
}
