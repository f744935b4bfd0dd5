/**
 * Text in all that a run holds.
 *
 * @module
 */
import { readable } from "../../../show/text.ts";
import { FIRST_BYTES } from "../../messages.ts";
import { bytesOf, type Entry, type History } from "./history.ts";
import { fates, plainText } from "./words.ts";

/** Whether an entry holds a text; capitals count as small letters. */
export function holds(entry: Entry, text: string): boolean {
  return textOf(entry).toLowerCase().includes(text.toLowerCase());
}

/** All that can be found in an entry. */
function textOf({ item }: Entry): string {
  if (item.kind !== "wire") return plainText(item, true);
  const { event } = item;
  const bytes = event.bytes === "" ? "" : readable(bytesOf(event))
    .replaceAll("\\\\", "\\");
  const what = [...fates(event), ...event.causes].join(", ");
  return [`#${event.number}`, bytes, event.text, what, ...event.lines]
    .join("\n");
}

/** Whether an entry has bytes that are not on the page. */
export function isCut({ item }: Entry): boolean {
  return item.kind === "wire" && item.event.size > FIRST_BYTES;
}

/** All entries that hold a text, in order. */
export function search(history: History, text: string): Entry[] {
  return text === ""
    ? []
    : history.entries.filter((entry) => holds(entry, text));
}

/** A search that goes on, a little at a time, and takes in what comes. */
export class Search {
  readonly text: string;
  readonly #history: History;
  #found: Entry[] = [];
  #next: Entry | undefined;
  #isDone = false;
  #isCut = false;

  constructor(history: History, text: string) {
    this.#history = history;
    this.text = text;
    this.#next = history.entries[0];
    this.#isDone = text === "" || !this.#next;
  }

  /** What was found so far, in order. */
  get found(): readonly Entry[] {
    return this.#found;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether there are bytes that could not be looked at. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Looks on for so many ms. */
  work(ms: number): void {
    const until = performance.now() + ms;
    const { entries } = this.#history;
    let index = this.#next ? this.#history.indexOf(this.#next) : -1;
    // What it stood at was dropped: so was all before.
    if (index < 0) index = 0;
    for (; index < entries.length; index++) {
      const entry = entries[index];
      if (!entry) break;
      this.#look(entry);
      if (performance.now() > until) {
        index++;
        break;
      }
    }
    this.#next = entries[index];
    this.#isDone = this.#next === undefined;
  }

  /** Takes in entries that have come since. */
  add(entries: readonly Entry[]): void {
    if (this.text === "" || !this.#isDone) return;
    for (const entry of entries) this.#look(entry);
    this.#found.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  /** Forgets what is no longer kept. */
  drop(first: Entry | undefined): void {
    if (!first) this.#found = [];
    else {
      const { at, order } = first;
      this.#found = this.#found.filter((entry) =>
        entry.at > at || entry.at === at && entry.order >= order
      );
    }
  }

  #look(entry: Entry): void {
    if (isCut(entry)) this.#isCut = true;
    if (holds(entry, this.text)) this.#found.push(entry);
  }
}
