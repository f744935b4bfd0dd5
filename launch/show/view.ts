/**
 * The wire view: a column for each program, what it prints beside its line, and
 * arrows for what goes over the wire, from top to bottom in time.
 *
 * @module
 */
import { basename } from "@std/path";
import type { Cast, Ending, Line, Link, Member } from "../programs/cast.ts";
import type { WireEvent } from "../wire/relay.ts";
import {
  type Detail,
  ends,
  fateOf,
  milliseconds,
  type Presenter,
  type Totals,
} from "./presenter.ts";
import type { Screen } from "./screen.ts";
import { characters, count, fit, hexDump, isNarrow, readable } from "./text.ts";
import { visible, width, wrap } from "./text.ts";

/** The columns for number and time, and the least and the most for all. */
const MARGIN = 13, LEAST = 40, MOST = 132, PAIR = 104;

/** How many rows a printed line, and a message, may take. */
const LINE_ROWS = 3, MESSAGE_ROWS = 12;

/** How much of a long text is looked at. */
const GLANCE = 4096;

/** How much of a message is said again when it arrives, in columns. */
const UPDATE = 16;

/** Where an arrow of what is under way stops, as a part of its length. */
const HALF = 0.6;

/** The columns between two names, and those that a name may take where it is narrow. */
const BETWEEN = 2, NAME = 16;

/** The columns of a hex dump with 16 bytes a row. */
const DUMP = 72;

/** Styles as SGR codes; the programs' differ in brightness, too. */
const BOLD = "1", DIM = "2", ALARM = "1;31";
const PROGRAMS = ["1;36", "35", "1;32", "38;5;166", "1;34", "36"];

/** One row of the terminal, put together piece by piece. */
class Row {
  /** What stands in each column, and in which style. */
  readonly #cells: string[];
  readonly #styles: string[];

  constructor(columns: number) {
    this.#cells = new Array(columns).fill(" ");
    this.#styles = new Array(columns).fill("");
  }

  /** Puts a text at a column; what does not fit is left out. */
  put(column: number, text: string, style = ""): void {
    const narrow = isNarrow(text);
    for (const character of characters(text)) {
      const columns = narrow ? 1 : width(character);
      if (columns === 0) continue;
      if (column < 0 || column + columns > this.#cells.length) return;
      this.#cells[column] = character;
      this.#styles[column] = style;
      // A wide character covers its second column.
      for (let i = 1; i < columns; i++) {
        this.#cells[column + i] = "";
        this.#styles[column + i] = style;
      }
      column += columns;
    }
  }

  render(colours: boolean): string {
    if (!colours) return this.#cells.join("").trimEnd();
    let result = "", current = "";
    for (const [column, text] of this.#cells.entries()) {
      const style = this.#styles[column] ?? "";
      if (style !== current && text !== "") {
        result += `\x1b[0${style && `;${style}`}m`;
        current = style;
      }
      result += text;
    }
    return result.trimEnd() + (current ? "\x1b[0m" : "");
  }
}

/** A part of a row. */
interface Piece {
  text: string;
  style: string;
}

/** What the view does besides. */
export interface ViewOptions {
  colours: boolean;
  /** Whether each message is also shown as a hex dump. */
  hex?: boolean;
  /** What stands before the name of the run. */
  title?: string;
  /** Whether the sentence that says what to look at is shown. */
  caption?: boolean;
  /** Whether it is said where a program of one's own, or a browser, may go. */
  invites?: boolean;
}

/** Shows a run as a sequence diagram that grows downwards. */
export class View implements Presenter {
  readonly #screen: Pick<Screen, "columns" | "rows" | "print">;
  readonly #options: ViewOptions;
  #members: Member[] = [];
  #running = new Set<string>();
  #columns = 0;
  #printed = 0; // rows since the names were shown
  #invited = false;

  constructor(
    screen: Pick<Screen, "columns" | "rows" | "print">,
    options: ViewOptions,
  ) {
    this.#screen = screen;
    this.#options = options;
  }

  begin(cast: Cast, sentences: string[]): void {
    this.#members = cast.members;
    this.#running = new Set(cast.members.map(({ name }) => name));
    this.#columns = this.#screen.columns();
    const { title = "", caption = false } = this.#options;
    const row = this.#row(false);
    row.put(0, title + cast.name, BOLD);
    row.put(width(title + cast.name), ` · ${cast.summary}`);
    const rows = [row];
    if (caption) rows.push(...this.#prose(cast.look));
    rows.push(...this.#prose(this.#legend(), DIM));
    for (const sentence of sentences) {
      rows.push(...this.#prose(`Network: ${sentence}`, BOLD));
    }
    this.#print([...rows, this.#row(false)]);
    this.#names(true);
  }

  link({ name, client, server, relay, target, transport }: Link): void {
    const at = this.#at(server);
    const { listens } = this.#member(server) ?? {};
    const who = name === server || !listens ? "" : ` for ${client}`;
    const text = `relay${who}: ${transport.toUpperCase()} port ` +
      `${relay.port} → ${target.port}`;
    this.#print(this.#beside(at, [{ text, style: DIM }], "", DIM));
    const isFirst = client === this.#members[0]?.name && !this.#invited;
    if (!this.#options.invites || !isFirst) return;
    this.#invited = true;
    this.note(
      `Your own ${transport === "tcp" ? "client or browser" : "client"} ` +
        `is in the picture, too, at ${addressOf(relay)}.`,
    );
  }

  line({ role, text, stream, typed = "" }: Line, at: number): void {
    if (text.trim() === "") return; // it only makes room
    this.#follow();
    const style = stream === "stderr" ? ALARM : this.#style(role);
    const mark = stream === "stderr" ? "!" : "●";
    const said = text.slice(0, text.length - typed.length);
    const room = this.#room(this.#at(role)).columns * LINE_ROWS;
    let pieces = [
      { text: visible(said.slice(0, GLANCE)), style },
      { text: visible(typed.slice(0, GLANCE)), style: `${BOLD};4` },
    ];
    const length = pieces.reduce((sum, { text }) => sum + width(text), 0);
    if (length > room || text.length > GLANCE) {
      const whole = count(new TextEncoder().encode(text).length, "byte");
      const shown = fit(pieces.map(({ text }) => text).join(""), room - 20);
      pieces = [{ text: `${shown.replace(/…?$/, "…")} ${whole}`, style }];
    }
    const rows = this.#beside(this.#at(role), pieces, mark, style);
    this.#time(rows, at);
    this.#print(rows);
  }

  wire(link: Link, event: WireEvent, detail: Detail, at: number): void {
    this.#follow();
    const [from, to] = ends(link, event);
    const start = this.#at(from), end = this.#at(to);
    const left = Math.min(start, end), right = Math.max(start, end);
    const style = this.#style(from);
    if (event.kind === "trouble" || event.kind === "condition") {
      const alarm = event.kind === "trouble" ? ALARM : BOLD;
      const text = event.kind === "trouble"
        ? `relay: ${event.text}`
        : `network: ${event.text}`;
      const rows = this.#beside(
        this.#at(link.server),
        [
          { text: visible(text), style: alarm },
        ],
        "",
        alarm,
      );
      this.#time(rows, at, event.number);
      this.#print(rows);
      return;
    }
    const isSecond = event.connection > 1;
    const which = !isSecond
      ? ""
      : link.transport === "tcp"
      ? ` · connection ${event.connection}`
      : ` · peer ${event.connection}`;
    const isMessage = event.kind === "message" || event.kind === "datagram";
    const rows: Row[] = [];
    const fate = fateOf(event);
    let label: Piece[];
    if (detail.isUpdate) {
      const later = event.delivered === null
        ? ""
        : ` arrives ${milliseconds(event.delivered - event.sent)} later`;
      const text = fit(readable(event.bytes.subarray(0, GLANCE)), UPDATE);
      label = [{ text: `#${event.number}${later}`, style: DIM }];
      if (text) label.unshift({ text: `${text}  `, style: `${style};1` });
    } else if (isMessage) {
      const size = count(detail.size, "byte") + which;
      const text = readable(event.bytes.subarray(0, GLANCE));
      const lines = detail.lines ?? text.split(/(?<=(?<!\\)(?:\\\\)*\\n)/);
      const notes = fate.reduce((sum, note) => sum + width(note) + 3, 0);
      const only = detail.lines ? lines[0] ?? "" : text;
      const inline = width(only) + width(size) + notes + 3 <= right - left - 6;
      label = [{ text: size, style: DIM }];
      if (lines.length === 1 && inline && !this.#options.hex) {
        if (only) label.unshift({ text: `${only}  `, style: `${style};1` });
      } else {
        rows.push(...this.#block(lines, left, right, `${style};1`));
      }
    } else {
      const words: Partial<Record<WireEvent["kind"], string>> = {
        connect: "connect",
        refused: `refused (RST)${event.text ? `: ${visible(event.text)}` : ""}`,
        end: "sends no more (FIN)",
        reset: "reset (RST)",
      };
      const alarm = event.kind === "reset" || event.kind === "refused";
      const long = (words[event.kind] ?? event.kind) + which;
      const short = { end: "FIN", reset: "RST", refused: "RST" }[
        event.kind as string
      ] ?? event.kind;
      const fits = width(long) + 6 <= right - left;
      label = [{ text: fits ? long : short, style: alarm ? ALARM : DIM }];
    }
    const lost = event.fate === "lost";
    let tail = lost ? fate.join(" ") : "";
    for (const text of detail.isUpdate || lost ? [] : fate) {
      label.push({ text: `  ${text}`, style: BOLD });
    }
    // What does not fit on the arrow stands above it.
    const length = label.reduce((sum, { text }) => sum + width(text), 0);
    const room = right - left - 6;
    if (tail && length + width(tail) + 3 > room) {
      rows.push(...this.#pieces([{ text: tail, style: ALARM }], left));
      tail = "✕";
    }
    if (length + width(tail) > room && label.length > 1) {
      const above = label.splice(1).map(({ text, style }) => ({
        text: text.trim(),
        style,
      }));
      rows.push(...this.#pieces(above, left));
    }
    const dash = !isMessage ? "┄" : link.transport === "tcp" ? "─" : "╌";
    const half = event.fate === "under way";
    rows.push(this.#arrow(start, end, dash, label, style, { half, tail }));
    this.#time(rows, at, event.number);
    this.#print(rows);
    if (isMessage && this.#options.hex && !detail.isUpdate) {
      this.#print(this.#dump(event.bytes, left, right));
    }
  }

  ended({ role, code, signal, stopped }: Ending, at: number): void {
    this.#follow();
    const well = code === 0 || stopped;
    const text = code === 0
      ? ""
      : stopped
      ? "stopped"
      : signal
      ? `ended by ${signal}`
      : `ended with status ${code}`;
    const style = well ? DIM : ALARM;
    const rows = this.#beside(this.#at(role), [{ text, style }], "■", style);
    this.#running.delete(role);
    this.#time(rows, at);
    this.#print(rows);
  }

  note(text: string): void {
    this.#print(this.#prose(visible(text), DIM, MARGIN));
  }

  end({ ms, directions, counts, repeat }: Totals): void {
    const rows = [this.#row(false)];
    const used = directions.filter(({ messages }) => messages > 0);
    const names = Math.max(
      ...used.map(({ from, to }) => width(`${from} → ${to}`)),
    );
    for (const { from, to, transport, messages, bytes } of used) {
      if (counts.length > 0) break;
      const row = this.#row(false);
      const thing = transport === "tcp" ? "message" : "datagram";
      row.put(MARGIN, `${from} → ${to}`, this.#style(from));
      row.put(
        MARGIN + names + 2,
        `${count(messages, thing)}, ${count(bytes, "byte")}`,
      );
      rows.push(row);
    }
    for (const line of counts) rows.push(...this.#prose(line, "", MARGIN));
    if (repeat) rows.push(...this.#prose(`Again: ${repeat}`, BOLD, MARGIN));
    const row = this.#row(false);
    row.put(MARGIN, `${(ms / 1000).toFixed(1)} s in all`, DIM);
    this.#print([...rows, row]);
  }

  /** What the signs mean that this run uses. */
  #legend(): string {
    const used = new Set(this.#members.map(({ listens }) => listens));
    const signs = [
      "● prints",
      used.has("udp") ? "╌► sends a datagram" : "",
      used.has("tcp") ? "─► sends over TCP  ┄► connects, ends" : "",
      "■ ends",
    ];
    return signs.filter((sign) => sign).join("  ");
  }

  /** Rows of text across the terminal. */
  #prose(text: string, style = "", from = 0): Row[] {
    const columns = Math.max(LEAST, this.#columns) - from;
    return wrap(text, columns).map((part) => {
      const row = this.#row(false);
      row.put(from, part, style);
      return row;
    });
  }

  /** Rows with a hex dump, below an arrow; it moves left where it has no room. */
  #dump(bytes: Uint8Array, left: number, right: number): Row[] {
    const dump = hexDump(bytes, this.#width - MARGIN < DUMP ? 8 : 16);
    const columns = Math.max(0, ...dump.map(width));
    const middle = Math.floor((left + right - columns) / 2);
    const start = Math.max(
      0,
      Math.min(Math.max(left + 2, middle), this.#width - columns - 1),
    );
    return dump.map((text) => {
      const row = this.#row();
      row.put(start, text);
      return row;
    });
  }

  /** Rows with pieces of text from a program's line on. */
  #pieces(pieces: Piece[], left: number): Row[] {
    const whole = this.#width - 1;
    const most = Math.max(...pieces.map(({ text }) => width(text)));
    const start = Math.max(MARGIN + 2, Math.min(left + 2, whole - most));
    return pieces.flatMap(({ text, style }) =>
      wrap(text, whole - start).map((part) => {
        const row = this.#row();
        row.put(start, part, style);
        return row;
      })
    );
  }

  /** Shows the names again where they have moved, or left the screen. */
  #follow(): void {
    if (this.#columns !== this.#screen.columns()) {
      this.#columns = this.#screen.columns();
      this.#names(true);
    } else if (this.#printed > Math.max(20, this.#screen.rows() - 8)) {
      this.#names(false);
    }
  }

  #names(scripts: boolean): void {
    const titles = this.#members.map(({ title }) => title);
    const roomy = titles.every((title) => width(title) < this.#gap * 0.6);
    const names = this.#heading(
      this.#members.map(({ name }) => name),
      (i) => `${this.#style(this.#members[i]?.name ?? "")};${BOLD}`,
    );
    const files = this.#heading(roomy ? titles : titles.map(short), () => DIM);
    this.#print(scripts ? [names, files, this.#row()] : [names, this.#row()]);
    this.#printed = 0;
  }

  /** A row with a text for each program, near its line, with blanks between them. */
  #heading(all: string[], style: (index: number) => string): Row {
    const row = this.#row(false), last = all.length - 1;
    // The longest are cut until there is room for all, and each is near its line.
    let most = last > 1
      ? Math.max(NAME, Math.floor(this.#gap) - 2)
      : this.#width;
    const room = this.#width - BETWEEN * last;
    const taken = () =>
      all.reduce((sum, text) => sum + Math.min(width(text), most), 0);
    while (most > 1 && taken() > room) most--;
    const texts = all.map((text) => fit(text, most));
    const starts: number[] = [];
    let free = 0;
    for (const [i, text] of texts.entries()) {
      const at = this.#at(this.#members[i]?.name), columns = width(text);
      const middle = at - Math.floor(columns / 2);
      const wish = i === 0 ? at - 1 : i === last ? at + 2 - columns : middle;
      starts.push(Math.max(free, wish));
      free = (starts.at(-1) ?? 0) + columns + BETWEEN;
    }
    let end = this.#width;
    for (const [i, text] of [...texts.entries()].reverse()) {
      const start = Math.min(starts[i] ?? 0, end - width(text));
      row.put(start, text, style(i));
      end = start - BETWEEN;
    }
    return row;
  }

  /** How many columns all of it takes. */
  get #width(): number {
    const most = this.#members.length > 2 ? MOST : PAIR;
    return Math.max(LEAST, Math.min(this.#columns || LEAST, most));
  }

  /** From one program's line to the next. */
  get #gap(): number {
    return (this.#width - MARGIN - 4) / Math.max(1, this.#members.length - 1);
  }

  /** The column of a program's line. */
  #at(role: string | undefined): number {
    const index = this.#members.findIndex(({ name }) => name === role);
    return Math.round(MARGIN + 1 + index * this.#gap);
  }

  #member(role: string): Member | undefined {
    return this.#members.find(({ name }) => name === role);
  }

  #style(role: string): string {
    const index = this.#members.findIndex(({ name }) => name === role);
    return PROGRAMS[index % PROGRAMS.length] ?? "";
  }

  /** A row with the lines of the programs that run. */
  #row(lines = true): Row {
    const columns = lines ? this.#width : Math.max(this.#columns, LEAST);
    const row = new Row(columns);
    for (const { name } of lines ? this.#members : []) {
      if (this.#running.has(name)) row.put(this.#at(name), "│", DIM);
    }
    return row;
  }

  /** Where there is more room beside a program's line, and how much. */
  #room(at: number): { side: "left" | "right"; columns: number } {
    const left = at - MARGIN - 4, right = this.#width - at - 2;
    return right >= left
      ? { side: "right", columns: right }
      : { side: "left", columns: left };
  }

  /** Rows with a text beside a program's line, on which a mark may stand. */
  #beside(at: number, pieces: Piece[], mark: string, style: string): Row[] {
    const { side, columns } = this.#room(at);
    const texts = wrap(pieces.map(({ text }) => text).join(""), columns);
    const longest = Math.max(...texts.map(width));
    const start = side === "right" ? at + 2 : at - 1 - longest;
    // The pieces' styles, character by character.
    const styles = pieces.flatMap(({ text, style }) =>
      characters(text).map(() => style)
    );
    let next = 0;
    return texts.map((text, index) => {
      const row = this.#row();
      if (mark && index === 0) row.put(at, mark, style);
      let column = start;
      for (const character of characters(text)) {
        row.put(column, character, styles[next++] ?? style);
        column += width(character);
      }
      return row;
    });
  }

  /** Rows with what a message says, above its arrow. */
  #block(lines: string[], left: number, right: number, style: string): Row[] {
    const whole = this.#width - 1;
    const most = Math.max(...lines.map(width));
    const needed = Math.min(most, Math.max(right - left - 4, 48));
    const start = Math.max(MARGIN + 2, Math.min(left + 2, whole - needed));
    const texts = lines.flatMap((line) => wrap(line, whole - start));
    const shown = texts.slice(0, MESSAGE_ROWS);
    if (texts.length > shown.length) {
      shown[shown.length - 1] = fit(
        `${shown.at(-1)}${" ".repeat(whole)}`,
        Math.min(width(shown.at(-1) ?? "") + 1, whole - start),
      );
    }
    return shown.map((text) => {
      const row = this.#row();
      row.put(start, text, style);
      return row;
    });
  }

  #arrow(
    start: number,
    end: number,
    dash: string,
    label: Piece[],
    style: string,
    { half, tail }: { half: boolean; tail: string },
  ): Row {
    const row = this.#row();
    const left = Math.min(start, end), right = Math.max(start, end);
    const most = right - left - 1;
    const length = label.reduce((sum, { text }) => sum + width(text), 0);
    const reached = tail
      ? most - width(tail) - 2
      : half
      ? Math.min(most - 1, Math.max(length + 4, Math.floor(most * HALF)))
      : most;
    const from = start < end ? left + 1 : right - reached;
    row.put(from, dash.repeat(Math.max(0, reached)), style);
    for (const { name } of this.#members) {
      const column = this.#at(name);
      if (column < from || column >= from + reached) continue;
      if (this.#running.has(name)) row.put(column, "┼", style);
    }
    if (tail) {
      const column = start < end ? right - width(tail) - 1 : left + 2;
      row.put(column, tail, ALARM);
    } else {
      const head = half ? "┈" : start < end ? "►" : "◄";
      row.put(start < end ? from + reached - 1 : from, head, style);
    }
    let column = from + Math.max(1, Math.ceil((reached - length) / 2));
    row.put(column - 1, " ");
    for (const { text, style } of label) {
      row.put(column, text, style);
      column += width(text);
    }
    row.put(column, " ");
    return row;
  }

  #time([row]: Row[], at: number, number?: number): void {
    if (number !== undefined) row?.put(0, `${number}`.padStart(4), DIM);
    row?.put(5, (at / 1000).toFixed(3).padStart(7), DIM);
  }

  #print(rows: Row[]): void {
    this.#printed += rows.length;
    this.#screen.print(rows.map((row) => row.render(this.#options.colours)));
  }
}

/** A script or command without the folders in it. */
function short(title: string): string {
  return title.split(" ").map((word) =>
    /:\/\/|["'{}]/.test(word) ? word : basename(word)
  ).join(" ");
}

/** An address as a person types it. */
function addressOf({ hostname, port }: Link["relay"]): string {
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}
