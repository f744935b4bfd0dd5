/**
 * The wire view: a column for each program, what it prints beside its line, and
 * arrows for what goes over the wire, from top to bottom in time.
 *
 * @module
 */
import { basename } from "@std/path";
import type { Example, Role } from "../programs/examples.ts";
import { characters, count, fit, hexDump, readable } from "./text.ts";
import { visible, width, wrap } from "./text.ts";
import { ends, type Line, type Link } from "./timeline.ts";
import type { Presenter, Totals } from "./timeline.ts";
import type { WireEvent } from "../wire/relay.ts";

/** Where the view goes. */
export interface Screen {
  /** How many columns it has now. */
  columns(): number;
  /** How many rows, if it is a terminal. */
  rows(): number;
  print(rows: string[]): void;
}

/** The columns for the time, and the least and the most for all. */
const MARGIN = 9, LEAST = 40, MOST = 132, PAIR = 104;

/** How many rows a printed line, and a message, may take. */
const LINE_ROWS = 3, MESSAGE_ROWS = 12;

/** How much of a long text is looked at. */
const GLANCE = 4096;

/** Styles as SGR codes; the programs' differ in brightness, too. */
const BOLD = "1", DIM = "2", ALARM = "1;31";
const PROGRAMS = ["1;36", "35", "1;32", "38;5;166", "1;34", "36"];

/** One row of the terminal, put together piece by piece. */
class Row {
  readonly #cells: { text: string; style: string }[];

  constructor(columns: number) {
    this.#cells = Array.from(
      { length: columns },
      () => ({ text: " ", style: "" }),
    );
  }

  /** Puts a text at a column; what does not fit is left out. */
  put(column: number, text: string, style = ""): void {
    for (const character of characters(text)) {
      const columns = width(character);
      if (columns === 0) continue;
      if (column < 0 || column + columns > this.#cells.length) return;
      this.#cells[column] = { text: character, style };
      // A wide character covers its second column.
      for (let i = 1; i < columns; i++) {
        this.#cells[column + i] = { text: "", style };
      }
      column += columns;
    }
  }

  render(colours: boolean): string {
    let result = "", current = "";
    for (const { text, style } of this.#cells) {
      if (colours && style !== current && text !== "") {
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

/** Shows a run as a sequence diagram that grows downwards. */
export class View implements Presenter {
  readonly #screen: Screen;
  readonly #colours: boolean;
  readonly #hex: boolean;
  readonly #title: string;
  #roles: Role[] = [];
  #scripts: Record<string, string> = {};
  #running = new Set<string>();
  #columns = 0;
  #printed = 0; // rows since the names were shown

  constructor(
    screen: Screen,
    options: { colours: boolean; hex?: boolean; title?: string },
  ) {
    this.#title = options.title ?? "";
    this.#screen = screen;
    this.#colours = options.colours;
    this.#hex = options.hex ?? false;
  }

  begin(example: Example, scripts: Record<string, string>): void {
    this.#roles = example.roles;
    this.#scripts = scripts;
    this.#running = new Set(example.roles.map(({ name }) => name));
    this.#columns = this.#screen.columns();
    const row = this.#row(false);
    row.put(0, this.#title + example.name, BOLD);
    row.put(width(this.#title + example.name), ` · ${example.summary}`);
    const legend = this.#row(false);
    legend.put(0, this.#legend(), DIM);
    this.#print([row, legend, this.#row(false)]);
    this.#names(true);
  }

  link({ server, port, relay, transport }: Link): void {
    const at = this.#at(server);
    const text = `relay: ${transport.toUpperCase()} port ${relay} → ${port}`;
    this.#print(this.#beside(at, [{ text, style: DIM }], "", DIM));
  }

  line({ role, text, stream, typed = "" }: Line, at: number): void {
    if (text.trim() === "") return; // it only makes room
    this.#follow();
    const style = stream === "stderr" ? ALARM : this.#style(role);
    const mark = stream === "stderr" ? "!" : "●";
    const size = new TextEncoder().encode(text).length;
    const said = text.slice(0, text.length - typed.length);
    const room = this.#room(this.#at(role)).columns * LINE_ROWS;
    let pieces = [
      { text: visible(said.slice(0, GLANCE)), style },
      { text: visible(typed.slice(0, GLANCE)), style: `${BOLD};4` },
    ];
    const length = pieces.reduce((sum, { text }) => sum + width(text), 0);
    if (length > room || text.length > GLANCE) {
      const whole = count(size, "byte");
      const shown = fit(pieces.map(({ text }) => text).join(""), room - 20);
      pieces = [{ text: `${shown.replace(/…?$/, "…")} ${whole}`, style }];
    }
    const rows = this.#beside(this.#at(role), pieces, mark, style);
    this.#time(rows, at);
    this.#print(rows);
  }

  wire(link: Link, event: WireEvent, at: number): void {
    this.#follow();
    const [from, to] = ends(link, event);
    const start = this.#at(from), end = this.#at(to);
    const left = Math.min(start, end), right = Math.max(start, end);
    const isSecond = event.connection > 1 && link.transport === "tcp";
    const which = isSecond ? ` #${event.connection}` : "";
    const style = this.#style(from);
    const rows: Row[] = [];
    const isMessage = event.kind === "message" || event.kind === "datagram";
    let label: Piece[];
    if (isMessage) {
      const size = count(event.bytes.length, "byte") + which;
      const text = readable(event.bytes.subarray(0, GLANCE));
      const lines = text.split(/(?<=(?<!\\)(?:\\\\)*\\n)/);
      const inline = width(text) + width(size) + 3 <= right - left - 6;
      label = [{ text: size, style: DIM }];
      if (lines.length === 1 && inline && !this.#hex) {
        if (text) label.unshift({ text: `${text}  `, style: `${style};1` });
      } else {
        rows.push(...this.#block(lines, left, right, `${style};1`));
      }
    } else {
      const flags = {
        "connect": "connect",
        "refused": "refused (RST)",
        "end": "end (FIN)",
        "reset": "reset (RST)",
      }[event.kind as string] ?? event.kind;
      const alarm = event.kind === "reset" || event.kind === "refused";
      label = [{ text: flags + which, style: alarm ? ALARM : DIM }];
    }
    const dash = !isMessage ? "┄" : link.transport === "tcp" ? "─" : "╌";
    rows.push(this.#arrow(start, end, dash, label, style));
    this.#time(rows, at);
    this.#print(rows);
    if (isMessage && this.#hex) {
      this.#print(
        hexDump(event.bytes).map((text) => {
          const row = this.#row(false);
          row.put(2, text);
          return row;
        }),
      );
    }
  }

  ended(role: string, code: number, at: number): void {
    this.#follow();
    const ours = !this.#roles.find(({ name }) => name === role)?.command;
    const well = code === 0 || !ours;
    const text = well ? "" : `ended with status ${code}`;
    const style = well ? DIM : ALARM;
    const rows = this.#beside(this.#at(role), [{ text, style }], "■", style);
    this.#running.delete(role);
    this.#time(rows, at);
    this.#print(rows);
  }

  end({ ms, directions }: Totals): void {
    const used = directions.filter(({ messages }) => messages > 0);
    const names = Math.max(
      ...used.map(({ from, to }) => width(`${from} → ${to}`)),
    );
    const rows = [this.#row(false)];
    for (const { from, to, transport, messages, bytes } of used) {
      const row = this.#row(false);
      const thing = transport === "tcp" ? "message" : "datagram";
      row.put(MARGIN, `${from} → ${to}`, this.#style(from));
      row.put(
        MARGIN + names + 2,
        `${count(messages, thing)}, ${count(bytes, "byte")}`,
      );
      rows.push(row);
    }
    const row = this.#row(false);
    row.put(MARGIN, `${(ms / 1000).toFixed(1)} s in all`, DIM);
    this.#print([...rows, row]);
  }

  /** What the signs mean that this example uses. */
  #legend(): string {
    const used = new Set(this.#roles.map(({ listens }) => listens));
    const signs = [
      "● prints",
      used.has("udp") ? "╌► sends a datagram" : "",
      used.has("tcp") ? "─► sends over TCP  ┄► connects, closes" : "",
      "■ ends",
    ];
    return signs.filter((sign) => sign).join("  ");
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
    const names = this.#row(false), files = this.#row(false);
    const whole = Object.values(this.#scripts);
    const roomy = whole.every((file) => width(file) < this.#gap * 0.6);
    for (const [i, { name }] of this.#roles.entries()) {
      const at = this.#at(name), last = this.#roles.length - 1;
      const place = (text: string, row: Row, style: string) => {
        const columns = width(text);
        const half = Math.floor(columns / 2);
        const start = i === 0 ? -1 : i === last ? 2 - columns : -half;
        row.put(at + start, text, style);
      };
      place(name, names, `${this.#style(name)};${BOLD}`);
      const file = this.#scripts[name] ?? "";
      place(roomy ? file : fit(basename(file), this.#gap - 2), files, DIM);
    }
    this.#print(scripts ? [names, files, this.#row()] : [names, this.#row()]);
    this.#printed = 0;
  }

  /** How many columns all of it takes. */
  get #width(): number {
    const most = this.#roles.length > 2 ? MOST : PAIR;
    return Math.max(LEAST, Math.min(this.#columns || LEAST, most));
  }

  /** From one program's line to the next. */
  get #gap(): number {
    return (this.#width - MARGIN - 4) / Math.max(1, this.#roles.length - 1);
  }

  /** The column of a program's line. */
  #at(role: string | undefined): number {
    const index = this.#roles.findIndex(({ name }) => name === role);
    return Math.round(MARGIN + 1 + index * this.#gap);
  }

  #style(role: string): string {
    const index = this.#roles.findIndex(({ name }) => name === role);
    return PROGRAMS[index % PROGRAMS.length] ?? "";
  }

  /** A row with the lines of the programs that run. */
  #row(lines = true): Row {
    const columns = lines ? this.#width : Math.max(this.#columns, LEAST);
    const row = new Row(columns);
    for (const { name } of lines ? this.#roles : []) {
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
  ): Row {
    const row = this.#row();
    const left = Math.min(start, end), right = Math.max(start, end);
    for (let column = left + 1; column < right; column++) {
      const crossed = this.#roles.some(({ name }) =>
        this.#running.has(name) && this.#at(name) === column
      );
      row.put(column, crossed ? "┼" : dash, style);
    }
    if (start < end) row.put(right - 1, "►", style);
    else row.put(left + 1, "◄", style);
    const length = label.reduce((sum, { text }) => sum + width(text), 0);
    let column = left + Math.max(2, Math.ceil((right - left - length) / 2));
    row.put(column - 1, " ");
    for (const { text, style } of label) {
      row.put(column, text, style);
      column += width(text);
    }
    row.put(column, " ");
    return row;
  }

  #time([row]: Row[], at: number): void {
    row?.put(0, (at / 1000).toFixed(3).padStart(7), DIM);
  }

  #print(rows: Row[]): void {
    this.#printed += rows.length;
    this.#screen.print(rows.map((row) => row.render(this.#colours)));
  }
}
