/**
 * The run as a list: one sentence for each entry, as real text.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Entry, History } from "./history.ts";
import { clock, sentence } from "./words.ts";

/** The least width at which an entry takes one row of text, in px. */
export const ONE_ROW = 620;

/** The height of an entry of the list, which is always the same, in px. */
export function itemHeight(width: number): number {
  return width >= ONE_ROW ? 34 : 64;
}

/** So much of a sentence is shown; the rest is in the inspector. */
const SHOWN = 600;

/** An entry of the list; the caller gives it its place. */
export function listItem(entry: Entry, history: History): HTMLElement {
  const item = document.createElement("li");
  item.dataset.key = entry.key;
  item.className = `lv-item ${kindOf(entry)}`;
  const role = roleOf(entry, history);
  const colour = role ? history.roles.indexOf(role) : -1;
  if (colour >= 0) item.classList.add(`c${colour % 6}`);
  const time = document.createElement("span");
  time.className = "lv-item-time";
  time.setAttribute("aria-hidden", "true"); // the sentence is its name
  time.textContent = `${clock(entry.at)} `;
  const text = document.createElement("span");
  text.className = "lv-item-text";
  const said = sentence(entry, history);
  text.textContent = said.length > SHOWN ? `${said.slice(0, SHOWN)}…` : said;
  item.append(time, text);
  return item;
}

function kindOf({ item }: Entry): string {
  if (item.kind !== "wire") return `lv-item-${item.kind}`;
  const { event } = item;
  const kinds = ["lv-item-wire", `lv-item-${event.kind}`];
  if (event.fate !== "delivered") {
    kinds.push(`lv-item-${event.fate.replace(" ", "-")}`);
  }
  return kinds.join(" ");
}

function roleOf({ item }: Entry, history: History): string {
  if (item.kind === "wire") {
    const { kind } = item.event;
    const isOfLink = kind === "condition" || kind === "trouble";
    return isOfLink ? "" : history.ends(item.event)[0];
  }
  return item.kind === "line" || item.kind === "program" ? item.role : "";
}

/** Whether an entry can be looked into. */
export function isEvent(entry: Entry | undefined): boolean {
  return entry !== undefined && entry.number > 0;
}
