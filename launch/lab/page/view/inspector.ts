/**
 * One event in detail: what it was, what became of it, and its bytes.
 *
 * @module
 */
/// <reference lib="dom" />
import { count, visible } from "../../../show/text.ts";
import { type PageEvent, SHOWN_BYTES } from "../../messages.ts";
import { type Cell, hex, httpOf, linesOf, rowOf } from "./bytes.ts";
import { bytesOf, type History } from "./history.ts";
import { clock, duration, fates, hasBytes, nameOf, whichOf } from "./words.ts";

/** The height of a row of bytes, in px. */
const ROW = 22;

/** From this width on, 16 bytes stand in a row, in px. */
const WIDE = 640;

/** So many bytes, and lines, of a text are shown at once; all bytes are below it. */
const TEXT = 65_536, LINES = 2_000;

/** Asks the lab for all bytes of an event. */
export type Ask = (number: number) => Promise<{
  bytes: Uint8Array;
  size: number;
}>;

/** Shows one event. */
export class Inspector {
  readonly #root: HTMLElement;
  readonly #ask: Ask;
  readonly #goTo: (number: number) => void;
  #event: PageEvent | null = null;
  #table: ByteTable | null = null;

  /** `goTo` is called for the number of another event that was clicked. */
  constructor(
    root: HTMLElement,
    ask: Ask,
    goTo: (number: number) => void = () => {},
  ) {
    this.#root = root;
    this.#ask = ask;
    this.#goTo = goTo;
    root.classList.add("lv-inspector");
  }

  /** The number of the event that is shown; null for none. */
  get number(): number | null {
    return this.#event?.number ?? null;
  }

  /** Shows an event; again, when something has become of it. */
  show(event: PageEvent, history: History): void {
    const isSame = this.#event?.number === event.number &&
      this.#event.bytes === event.bytes;
    this.#event = event;
    const table = isSame ? this.#table : null;
    if (!table) this.#table?.destroy();
    this.#table = table;
    const title = make("h2", "");
    title.textContent = titleOf(event, history);
    const facts = this.#facts(event, history);
    if (isSame) {
      this.#root.querySelector("h2")?.replaceWith(title);
      this.#root.querySelector(".lv-facts")?.replaceWith(facts);
      return;
    }
    this.#root.replaceChildren(title, facts);
    if (!hasBytes(event)) return;
    const content = make("div", "lv-content");
    this.#root.append(content);
    const first = bytesOf(event);
    this.#content(content, event, first);
    if (event.size <= first.length) return;
    const wait = make("p", "lv-waits");
    wait.textContent = `These are the first ${
      count(first.length, "byte")
    }. The lab sends the others …`;
    content.prepend(wait);
    this.#ask(event.number).then(({ bytes }) => {
      if (this.#event?.number === event.number) {
        this.#content(content, event, bytes);
      }
    }, (error) => {
      const text = error instanceof Error ? error.message : `${error}`;
      wait.textContent =
        `Cannot get the other bytes: ${text} These are the first ${
          count(first.length, "byte")
        }.`;
    });
  }

  /** Shows nothing. */
  clear(): void {
    this.#event = null;
    this.#table?.destroy();
    this.#table = null;
    this.#root.replaceChildren();
  }

  #facts(event: PageEvent, history: History): HTMLElement {
    const list = make("dl", "lv-facts");
    const add = (name: string, ...value: (string | Node)[]) => {
      const dt = make("dt", ""), dd = make("dd", "");
      dt.textContent = name;
      dd.append(...value);
      list.append(dt, dd);
      return dd;
    };
    const link = history.links.get(event.link);
    const [from, to] = history.ends(event);
    const isMade = event.marks.includes("injected");
    const transport = link?.transport.toUpperCase() ?? "";
    if (event.kind === "condition" || event.kind === "trouble") {
      add("On the link to", event.link);
      add("When", `${clock(event.sent)} s`);
      add("What", visible(event.text));
      return list;
    }
    add("From", isMade ? `the relay, as ${from}` : from);
    add("To", to);
    const which = whichOf(event, history) ||
      `${transport === "UDP" ? "peer" : "connection"} ${event.connection}`;
    add(
      "Over",
      [transport, event.connection > 0 ? which : ""].filter(Boolean).join(", "),
    );
    if (hasBytes(event)) add("Size", count(event.size, "byte"));
    if (event.text) add("What", visible(event.text));
    add("Sent", `${clock(event.sent)} s`);
    if (event.fate === "delivered" && event.delivered !== null) {
      const took = event.delivered - event.sent;
      add("Delivered", `${clock(event.delivered)} s, ${duration(took)} later`);
    } else {
      const isLost = event.fate === "lost";
      const dd = add("Delivered", isLost ? "✕ never: it was lost" : "not yet");
      if (isLost) dd.className = "lv-lost";
    }
    const words = fates(event).filter((word) =>
      word !== "lost" && word !== "under way"
    );
    if (words.length > 0) add("The network", words.join(", "));
    if (event.causes.length > 0) add("Because of", event.causes.join(", "));
    const others = related(event, history);
    if (others.length > 0) {
      add(
        "See",
        ...others.map(({ number, text }) => {
          const button = make("button", "lv-goto");
          button.type = "button";
          button.textContent = text;
          button.addEventListener("click", () => this.#goTo(number));
          return button;
        }),
      );
    }
    return list;
  }

  /** What the bytes say, and the bytes. */
  #content(content: HTMLElement, event: PageEvent, bytes: Uint8Array): void {
    this.#table?.destroy();
    const parts: HTMLElement[] = [];
    if (event.size > bytes.length && bytes.length >= SHOWN_BYTES) {
      const cut = make("p", "lv-remark");
      cut.textContent = `These are the first ${
        count(bytes.length, "byte")
      } of ${
        event.size.toLocaleString("en-US")
      }. The lab shows no more of one message.`;
      parts.push(cut);
    }
    const http = httpOf(bytes);
    if (event.lines.length > 0) {
      parts.push(
        heading("Lines of NATS"),
        says(event.lines.map(visible).join("\n")),
      );
    } else if (http) {
      parts.push(heading("Head"));
      const start = make("p", "lv-start-line");
      start.textContent = http.start;
      const table = make("table", "lv-http");
      for (const [name, value] of http.headers) {
        const row = make("tr", ""), th = make("th", ""), td = make("td", "");
        th.scope = "row";
        th.textContent = name;
        td.textContent = value;
        row.append(th, td);
        table.append(row);
      }
      parts.push(start, table);
      const body = bytes.subarray(http.body);
      const size = count(body.length, "byte");
      parts.push(heading(`Body, ${http.isWhole ? size : "not here yet"}`));
      if (body.length > 0) parts.push(...text(body));
    } else if (bytes.length > 0) {
      parts.push(heading("Text"), ...text(bytes));
    } else {
      const none = make("p", "lv-remark");
      none.textContent = "It is empty: it has no bytes.";
      parts.push(none);
    }
    this.#table = null;
    if (bytes.length > 0) {
      const place = make("div", "lv-bytes");
      place.tabIndex = 0;
      place.setAttribute("role", "group");
      place.setAttribute("aria-label", "Bytes, in hexadecimal and as text");
      parts.push(heading("Bytes"), place);
      content.replaceChildren(...parts);
      this.#table = new ByteTable(place, bytes);
    } else content.replaceChildren(...parts);
  }
}

/** Rows of bytes, of which only those in sight are in the page. */
class ByteTable {
  readonly #place: HTMLElement;
  readonly #bytes: Uint8Array;
  readonly #rows = make("div", "lv-rows");
  readonly #observer: ResizeObserver;
  #across = 16;

  constructor(place: HTMLElement, bytes: Uint8Array) {
    this.#place = place;
    this.#bytes = bytes;
    place.append(this.#rows);
    place.addEventListener("scroll", () => this.#paint());
    this.#observer = new ResizeObserver(() => this.#measure());
    this.#observer.observe(place);
    this.#measure();
  }

  destroy(): void {
    this.#observer.disconnect();
  }

  #measure(): void {
    this.#across = this.#place.clientWidth >= WIDE ? 16 : 8;
    const rows = Math.ceil(this.#bytes.length / this.#across);
    this.#rows.style.height = `${rows * ROW}px`;
    this.#paint();
  }

  #paint(): void {
    const top = this.#place.scrollTop, height = this.#place.clientHeight || 420;
    const rows = Math.ceil(this.#bytes.length / this.#across);
    const first = Math.max(0, Math.floor(top / ROW) - 8);
    const last = Math.min(rows, Math.ceil((top + height) / ROW) + 8);
    const shown: HTMLElement[] = [];
    for (let i = first; i < last; i++) {
      const row = this.#row(i * this.#across);
      row.style.top = `${i * ROW}px`;
      shown.push(row);
    }
    this.#rows.replaceChildren(...shown);
  }

  #row(at: number): HTMLElement {
    const row = make("div", "lv-row");
    const offset = make("span", "lv-offset");
    const digits = this.#bytes.length > 0xffff ? 6 : 4;
    offset.textContent = at.toString(16).padStart(digits, "0");
    const cells = rowOf(this.#bytes, at, this.#across);
    const codes = make("span", "lv-hex"), texts = make("span", "lv-chars");
    for (const run of runsOf(cells)) {
      const code = part(run.cells[0]), word = part(run.cells[0]);
      const from = at + run.first;
      code.textContent = run.cells.map((_, i) =>
        hex(this.#bytes[from + i] ?? 0)
      )
        .join(" ");
      word.textContent = run.cells.map(({ text }) => text).join("");
      const isMiddle = run.first + run.cells.length === 8 &&
        this.#across === 16;
      codes.append(code, isMiddle ? "  " : " ");
      texts.append(word);
    }
    const missing = this.#across - cells.length;
    let blank = "   ".repeat(missing);
    if (cells.length < 8 && this.#across === 16) blank += " ";
    codes.append(blank);
    row.append(offset, codes, texts);
    return row;
  }
}

/** Cells that look alike, or are one character. */
function runsOf(cells: Cell[]): { first: number; cells: Cell[] }[] {
  const runs: { first: number; cells: Cell[] }[] = [];
  for (const [index, cell] of cells.entries()) {
    const last = runs.at(-1), before = last?.cells.at(-1);
    const isSame = before?.kind === cell.kind &&
      (cell.kind !== "multi" || before.start === cell.start);
    // The gap in the middle is between two runs.
    if (last && isSame && index !== 8) last.cells.push(cell);
    else runs.push({ first: index, cells: [cell] });
  }
  return runs;
}

let multi = 0;

function part(cell: Cell | undefined): HTMLElement {
  const element = make("span", "");
  switch (cell?.kind) {
    case "multi":
      // Neighbours differ, so that one sees where a character ends.
      multi = cell.start;
      element.className = `lv-multi${
        Math.floor(multi / cell.length) % 2 === 1 ? " lv-other" : ""
      }`;
      break;
    case "control":
      element.className = "lv-escape";
      break;
    case "wrong":
      element.className = "lv-wrong";
      break;
  }
  return element;
}

/** `#12 client → server, 5 bytes`. */
function titleOf(event: PageEvent, history: History): string {
  if (event.kind === "condition") return `#${event.number} The network changes`;
  if (event.kind === "trouble") return `#${event.number} Trouble at the relay`;
  const [from, to] = history.ends(event);
  return `#${event.number} ${from} → ${to}, ${nameOf(event)}`;
}

/** How a later event belongs to one. */
function onward({ marks }: PageEvent): string {
  if (marks.includes("again")) return "came again as";
  if (marks.includes("piece")) return "goes on in";
  return marks.includes("glued") ? "glued with" : "belongs to";
}

/** So many events around one are looked through for those that belong to it. */
const NEAR = 400;

/** Other events that have to do with one. */
function related(
  event: PageEvent,
  history: History,
): { number: number; text: string }[] {
  const others: { number: number; text: string }[] = [];
  const how = (one: PageEvent) =>
    one.marks.includes("again")
      ? "again of"
      : one.marks.includes("piece")
      ? "piece of"
      : one.marks.includes("glued")
      ? "glued to"
      : "belongs to";
  if (event.of !== null) {
    others.push({ number: event.of, text: `${how(event)} #${event.of}` });
  }
  for (let number = event.number + 1; number < event.number + NEAR; number++) {
    const other = history.event(number);
    if (other?.of !== event.number) continue;
    others.push({ number, text: `${onward(other)} #${number}` });
    if (others.length >= 12) break;
  }
  return others;
}

function heading(text: string): HTMLElement {
  const element = make("h3", "");
  element.textContent = text;
  return element;
}

function says(text: string): HTMLElement {
  const element = make("pre", "lv-says");
  element.tabIndex = 0;
  element.textContent = text;
  return element;
}

function text(bytes: Uint8Array): HTMLElement[] {
  const lines = linesOf(bytes.subarray(0, TEXT));
  const shown = says("");
  for (const { text, end } of lines.slice(0, LINES)) {
    const sign = make("span", "lv-escape");
    sign.textContent = end;
    shown.append(text, sign, end ? "\n" : "");
  }
  if (bytes.length <= TEXT && lines.length <= LINES) return [shown];
  const more = make("p", "lv-remark");
  more.textContent = "This is not the whole text; all bytes are below.";
  return [shown, more];
}

function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  name: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (name) element.className = name;
  return element;
}
