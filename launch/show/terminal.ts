/**
 * A keyboard with a person at it: raw keys in, the line that is being typed at the
 * bottom of the terminal, and all that is printed meanwhile above it.
 *
 * @module
 */
import process from "node:process";
import type { Asking, Keyboard, Typed } from "../programs/keyboard.ts";
import { layOut, LineEditor } from "./editor.ts";
import type { Screen } from "./screen.ts";
import { width } from "./text.ts";

/** The most rows that the line that is being typed takes. */
const ROWS = 4;

/** How many pasted lines may wait to be asked for. */
const WAITING = 10_000;

/** What a terminal is told and tells. */
export interface TerminalOptions {
  screen: Screen;
  /** Called on Ctrl-C. */
  interrupt: () => void;
  /** Is told the terminal's own settings while they are changed; "" afterwards. */
  changed?: (settings: string) => void;
}

/**
 * Types what a person does. Ctrl-D ends the input of the program that asks, Tab
 * goes to the next one that does, Ctrl-Z stops all until `fg`.
 */
export class Terminal implements Keyboard {
  readonly isScript = false;
  onChange: () => void = () => {};

  readonly #screen: Screen;
  readonly #interrupt: () => void;
  readonly #editor = new LineEditor();
  readonly #lines: (string | null)[] = [];
  readonly #settings: string;
  readonly #changed: (settings: string) => void;
  readonly #resumed = () => this.#resume();
  readonly #resized = () => this.#draw();
  #asking: readonly Asking[] = [];
  #chosen = ""; // the role that the line is for
  #drawn: { rows: string[]; row: number } | undefined;
  #disposed = false;

  constructor({ screen, interrupt, changed = () => {} }: TerminalOptions) {
    this.#screen = screen;
    this.#interrupt = interrupt;
    this.#changed = changed;
    this.#settings = savedSettings();
    this.#raw(true);
    if (Deno.build.os !== "windows") {
      process.on("SIGCONT", this.#resumed);
      process.on("SIGWINCH", this.#resized);
    }
    this.#read();
  }

  ask(asking: readonly Asking[]): void {
    const before = JSON.stringify(this.#asking);
    if (JSON.stringify(asking) === before) return;
    this.#asking = asking;
    this.#draw();
  }

  next(): Typed | undefined {
    const line = this.#lines[0];
    const role = this.#current()?.role;
    if (line === undefined || role === undefined) return undefined;
    return { role, line };
  }

  take(): void {
    this.#lines.shift();
  }

  /** Prints rows above the line that is being typed. */
  print(rows: string[]): void {
    this.#screen.print(rows, this.#erasing());
    this.#draw();
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (Deno.build.os !== "windows") {
      process.off("SIGCONT", this.#resumed);
      process.off("SIGWINCH", this.#resized);
    }
    this.#screen.write(this.#erasing());
    this.#raw(false);
  }

  /** Who gets the line. */
  #current(): Asking | undefined {
    return this.#asking.find(({ role }) => role === this.#chosen) ??
      this.#asking[0];
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    while (!this.#disposed) {
      const count = await Deno.stdin.read(buffer).catch(() => null);
      if (count === null) break;
      this.#take(buffer.subarray(0, count));
    }
    if (!this.#disposed) this.#interrupt(); // the terminal has gone
  }

  #take(bytes: Uint8Array): void {
    let news = false;
    for (const key of this.#editor.feed(bytes)) {
      switch (key.kind) {
        case "line":
          if (this.#lines.length < WAITING) this.#lines.push(key.text);
          news = true;
          break;
        case "end":
          this.#lines.push(null);
          news = true;
          break;
        case "interrupt":
          this.#interrupt();
          break;
        case "suspend":
          this.#suspend();
          break;
        case "clear":
          this.#drawn = undefined;
          this.#screen.write("\x1b[H\x1b[2J");
          break;
        case "next": {
          const at = this.#asking.indexOf(this.#current() ?? EMPTY);
          const next = this.#asking[(at + 1) % this.#asking.length];
          this.#chosen = next?.role ?? "";
        }
      }
    }
    this.#draw();
    if (news) this.onChange();
  }

  /** Gives the terminal back and stops all of us; `fg` goes on. */
  #suspend(): void {
    if (Deno.build.os === "windows") return;
    this.#screen.write(this.#erasing());
    this.#raw(false);
    // The whole group: the shell looks at its first process, `deno task`.
    try {
      process.kill(0, "SIGSTOP");
    } catch {
      this.#resume();
    }
  }

  #resume(): void {
    if (this.#disposed) return;
    this.#drawn = undefined;
    this.#raw(true);
    this.#draw();
  }

  #raw(raw: boolean): void {
    try {
      Deno.stdin.setRaw(raw);
      this.#changed(raw ? this.#settings : "");
    } catch {
      // The terminal has gone.
    }
  }

  #draw(): void {
    if (this.#disposed) return;
    const asking = this.#current();
    const { before, after } = this.#editor;
    const others = this.#asking.length > 1 && asking
      ? `${asking.role} (Tab: next) · `
      : "";
    const { rows, row, column } = layOut(
      others + (asking?.prompt ?? ""),
      before,
      after,
      this.#screen.columns(),
      Math.min(ROWS, this.#screen.rows() - 1),
    );
    const up = rows.length - 1 - row;
    const cursor = `\r${up > 0 ? `\x1b[${up}A` : ""}` +
      (column > 0 ? `\x1b[${column}C` : "");
    this.#screen.write(this.#erasing() + rows.join("\r\n") + cursor);
    this.#drawn = { rows, row };
  }

  /** What takes the drawn rows away, wherever the terminal has wrapped them. */
  #erasing(): string {
    if (!this.#drawn) return "";
    const columns = this.#screen.columns();
    const above = this.#drawn.rows.slice(0, this.#drawn.row)
      .reduce(
        (sum, text) => sum + Math.max(1, Math.ceil(width(text) / columns)),
        0,
      );
    this.#drawn = undefined;
    return `${above > 0 ? `\x1b[${above}A` : ""}\r\x1b[J`;
  }
}

const EMPTY: Asking = { role: "", prompt: "" };

/** The terminal's settings, as `stty` can restore them; "" if it cannot say. */
function savedSettings(): string {
  if (Deno.build.os === "windows") return "";
  try {
    const { success, stdout } = new Deno.Command("stty", {
      args: ["-g"],
      stdin: "inherit",
      stderr: "null",
    }).outputSync();
    const settings = new TextDecoder().decode(stdout).trim();
    return success && /^[\w:=.-]+$/.test(settings) ? settings : "sane";
  } catch {
    return "";
  }
}
