/**
 * What the pages of a run are sent: the timeline as items.
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
import type { Detail, Presenter, Totals } from "../show/presenter.ts";
import { maskNats } from "../wire/nats_lines.ts";
import type { WireEvent } from "../wire/relay.ts";
import {
  FIRST_BYTES,
  type Item,
  KEPT_EVENTS,
  type PageEvent,
  type ProgramState,
} from "./messages.ts";

/** So many items are kept at most, and so many bytes of events and lines. */
const KEPT_ITEMS = 4 * KEPT_EVENTS, KEPT_BYTES = 128 * 1024 ** 2;

/** The oldest go in batches: so many events more than are kept may be there. */
const BATCH = 500;

/** So many items, and about so many bytes of them, are sent at once. */
const ITEMS_AT_ONCE = 2_000, BYTES_AT_ONCE = 256 * 1024;

/** An item takes about so many bytes more than its texts. */
const OVERHEAD = 200;

/** What the first item of a run says besides its cast. */
export type About = Omit<Item & { kind: "run" }, "kind" | "cast">;

/** An event as it is kept: with all of its bytes, passwords masked. */
export interface KeptEvent {
  event: WireEvent;
  link: Link;
  lines: string[];
}

/** What has happened in a run, for any number of pages. */
export class Feed implements Presenter {
  /** What the last item says, when all is over. */
  failure = "";
  /** Whether a role runs an edited copy. */
  edited: (role: string) => boolean = () => false;
  readonly #items: Item[] = [];
  /** The number of the last item; numbers are not used again. */
  #last = 0;
  /** Items that are no longer kept but still say what is. */
  readonly #state = new Map<string, Item>();
  readonly #events = new Map<number, KeptEvent>();
  #bytes = 0;
  #droppedUpTo = 0;
  #about: About | undefined;
  readonly #listeners = new Set<() => void>();

  /** Forgets everything: a run begins that is about this. */
  clear(about: About): void {
    this.#items.length = 0;
    this.#state.clear();
    this.#events.clear();
    this.#bytes = this.#droppedUpTo = 0;
    this.#about = about;
    this.failure = "";
  }

  /** What the run is about; undefined before one has begun. */
  get about(): About | undefined {
    return this.#about;
  }

  /** Calls when there is something new; returns what ends that. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Adds an item behind all others. */
  add(item: Item): void {
    this.#items.push(item);
    this.#last++;
    this.#bytes += sizeOf(item);
    this.#trim();
    for (const changed of this.#listeners) changed();
  }

  /** An event with all of its bytes; undefined if it is not kept. */
  event(number: number): KeptEvent | undefined {
    return this.#events.get(number);
  }

  /** All events that are kept, in the order of their numbers. */
  events(): WireEvent[] {
    return [...this.#events.values()].map(({ event }) => event)
      .sort((a, b) => a.number - b.number);
  }

  /** All that is kept, with what still counts of what is not. */
  items(): Item[] {
    const items = [...this.#state.values()];
    if (this.#droppedUpTo > 0) {
      items.push({ kind: "dropped", upTo: this.#droppedUpTo });
    }
    for (const item of this.#items) {
      const isGone = item.kind === "dropped" ||
        item.kind === "wire" && item.event.number <= this.#droppedUpTo;
      if (!isGone) items.push(item);
    }
    return items;
  }

  /** Reads on from behind an item, at the reader's own speed. */
  reader(after: number): Reader {
    return new Reader({
      last: () => this.#last,
      // From the last item of a page on, if that is still known.
      since: (number) => {
        const first = this.#last - this.#items.length + 1;
        return number < first - 1 || number > this.#last
          ? null
          : (at) => this.#items[number - first + 1 + at];
      },
      all: () => this.items(),
    }, after);
  }

  // -------------------------------------------------------------- as a presenter

  begin(cast: Cast): void {
    if (this.#about) this.add({ kind: "run", ...this.#about, cast });
  }

  state(role: string, state: RunningState, at: number): void {
    this.#program(role, state, at, {
      code: null,
      signal: null,
      stopped: false,
    });
  }

  ended({ role, code, signal, stopped }: Ending, at: number): void {
    this.#program(role, "ended", at, { code, signal, stopped });
  }

  #program(
    role: string,
    state: ProgramState,
    at: number,
    how: Pick<Item & { kind: "program" }, "code" | "signal" | "stopped">,
  ): void {
    const edited = this.edited(role);
    this.add({ kind: "program", at: us(at), role, state, ...how, edited });
  }

  link(link: Link, at: number): void {
    this.add({ kind: "link", at: us(at), link });
  }

  line({ role, text, stream, typed }: Line, at: number): void {
    const more = { role, text, stream, typed: typed ?? null };
    this.add({ kind: "line", at: us(at), ...more });
  }

  wire(link: Link, event: WireEvent, detail: Detail): void {
    const { number, kind } = event;
    if (number <= this.#droppedUpTo) return;
    const before = this.#events.get(number);
    const bytes = kind === "message" ? maskNats(event.bytes) : event.bytes;
    const lines = detail.lines ?? before?.lines ?? [];
    const kept = { ...event, bytes };
    this.#bytes += bytes.length - (before?.event.bytes.length ?? 0);
    this.#events.set(number, { event: kept, link, lines });
    this.add({ kind: "wire", event: pageEvent(kept, lines) });
  }

  note(text: string, at: number): void {
    this.add({ kind: "note", at: us(at), text });
  }

  end({ ms, counts }: Totals): void {
    this.add({ kind: "over", at: us(ms), counts, failure: this.failure });
  }

  /** Shows all that is kept to somebody else. */
  replay(presenter: Presenter): void {
    const seen = new Set<number>();
    const counts: string[] = [];
    let end = 0;
    for (const item of this.items()) {
      const at = "at" in item ? item.at / 1000 : end;
      end = Math.max(end, at);
      if (item.kind === "run") presenter.begin(item.cast, []);
      else if (item.kind === "link") presenter.link(item.link, at);
      else if (item.kind === "line") {
        const { role, text, stream, typed } = item;
        presenter.line({ role, text, stream, typed: typed ?? undefined }, at);
      } else if (item.kind === "note") presenter.note(item.text, at);
      else if (item.kind === "program" && item.state === "ended") {
        const { role, code, signal, stopped } = item;
        presenter.ended({ role, code: code ?? 0, signal, stopped }, at);
      } else if (item.kind === "wire") this.#again(item.event, seen, presenter);
      else if (item.kind === "over") counts.push(...item.counts);
    }
    presenter.end({ ms: end, directions: [], counts, repeat: "" });
  }

  #again(
    { number, size, fate, delivered }: PageEvent,
    seen: Set<number>,
    presenter: Presenter,
  ): void {
    const kept = this.#events.get(number);
    if (!kept) return;
    const event = { ...kept.event, fate, delivered };
    const isUpdate = seen.has(number);
    seen.add(number);
    const hasLines = kept.link.protocol === "nats" && !isUpdate;
    const detail = { size, isUpdate };
    presenter.wire(
      kept.link,
      event,
      hasLines ? { ...detail, lines: kept.lines } : detail,
      event.sent / 1000,
    );
  }

  /** Lets the oldest go when there are too many. */
  #trim(): void {
    if (
      this.#events.size < KEPT_EVENTS + BATCH &&
      this.#items.length < KEPT_ITEMS + BATCH && this.#bytes < KEPT_BYTES
    ) return;
    const before = this.#droppedUpTo;
    let count = 0;
    for (const item of this.#items) {
      // Some room, so that this is not done for each item.
      if (
        this.#events.size <= KEPT_EVENTS && this.#bytes < KEPT_BYTES * 0.9 &&
        this.#items.length - count <= KEPT_ITEMS
      ) break;
      count++;
      this.#bytes -= sizeOf(item);
      const key = keyOf(item);
      if (key) this.#state.set(key, item);
      if (item.kind === "wire") this.#forget(item.event.number);
    }
    this.#items.splice(0, count);
    if (this.#droppedUpTo > before) {
      this.#items.push({ kind: "dropped", upTo: this.#droppedUpTo });
      this.#last++;
    }
  }

  /** An event, and all before it, are no longer kept. */
  #forget(upTo: number): void {
    this.#droppedUpTo = Math.max(this.#droppedUpTo, upTo);
    for (const [number, { event }] of this.#events) {
      // They are here in the order in which they were first shown: nearly that of
      // their numbers.
      if (number > this.#droppedUpTo) break;
      this.#bytes -= event.bytes.length;
      this.#events.delete(number);
    }
  }
}

/** What a reader reads from. */
interface Source {
  last(): number;
  /** Gives the items behind one; null if they are not all there. */
  since(number: number): ((at: number) => Item | undefined) | null;
  all(): Item[];
}

/** Reads items, some at a time. */
export class Reader {
  readonly #source: Source;
  #after: number;
  /** All that there was when it began; the last of them has number `#after`. */
  #rest: Item[] | null = null;
  #at = 0;

  /** 0 reads from the beginning. */
  constructor(source: Source, after: number) {
    this.#source = source;
    this.#after = after > 0 ? after : -1;
  }

  /** The next items, if there are any. */
  next(): { first: number; items: Item[] } | null {
    const since = this.#rest ? null : this.#source.since(this.#after);
    if (!this.#rest && !since) {
      this.#rest = this.#source.all();
      this.#at = 0;
      this.#after = this.#source.last();
    }
    const rest = this.#rest;
    const from = this.#at;
    const items = take(rest ? (at) => rest[from + at] : since);
    let first = this.#after + 1;
    if (rest) {
      first = this.#after - (rest.length - this.#at) + 1;
      this.#at += items.length;
      if (this.#at === rest.length) this.#rest = null;
    } else this.#after += items.length;
    return items.length > 0 ? { first, items } : null;
  }
}

/** As many items as are sent at once. */
function take(item: ((at: number) => Item | undefined) | null): Item[] {
  const items: Item[] = [];
  for (let bytes = 0; items.length < ITEMS_AT_ONCE;) {
    const next = item?.(items.length);
    if (!next) break;
    items.push(next);
    bytes += sizeOf(next);
    if (bytes > BYTES_AT_ONCE) break;
  }
  return items;
}

/** About how many bytes an item takes. */
function sizeOf(item: Item): number {
  if (item.kind === "wire") {
    const { bytes, lines } = item.event;
    return OVERHEAD + bytes.length +
      lines.reduce((sum, line) => sum + line.length, 0);
  }
  if (item.kind === "line") return OVERHEAD + item.text.length;
  return OVERHEAD + (item.kind === "hold" ? item.held.length * 8 : 0);
}

/** What an item says until the next one of the same key; "" if it is over at once. */
function keyOf(item: Item): string {
  switch (item.kind) {
    case "run":
    case "net":
    case "hold":
    case "over":
      return item.kind;
    case "program":
    case "asks":
      return `${item.kind} ${item.role}`;
    case "link":
      return `link ${item.link.name}`;
    default:
      return "";
  }
}

function pageEvent(
  { bytes, marks, causes, ...event }: WireEvent,
  lines: string[],
): PageEvent {
  return {
    ...event,
    bytes: bytes.subarray(0, FIRST_BYTES).toBase64(),
    size: bytes.length,
    marks: [...marks],
    causes: [...causes],
    lines,
  };
}

/** Milliseconds as whole microseconds. */
function us(ms: number): number {
  return Math.round(ms * 1000);
}
