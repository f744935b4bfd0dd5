/**
 * A line that somebody types, as the keys come in. It knows no terminal: bytes in,
 * a text and a cursor out.
 *
 * @module
 */
import { characters, fit, visible, width } from "./text.ts";

/** What a key may mean besides a change of the line. */
export type Key =
  | { kind: "line"; text: string }
  /** Ctrl-D on an empty line. */
  | { kind: "end" }
  /** Ctrl-C. */
  | { kind: "interrupt" }
  /** Ctrl-Z. */
  | { kind: "suspend" }
  /** Ctrl-L. */
  | { kind: "clear" }
  /** Tab: another program that asks. */
  | { kind: "next" };

/** How many lines the history keeps, and how long a line may become. */
const HISTORY = 200, LONGEST = 1 << 20;

/** One or more characters that are no keys; an escape sequence; a control key. */
const INPUT =
  // deno-lint-ignore no-control-regex
  /[^\x00-\x1f\x7f]+|\x1b\[[0-9;?]*[ -/]*[@-~]|\x1bO.|\x1b[^[O]|[\x00-\x1a\x1c-\x1f\x7f]/gy;

/** What may be the beginning of an escape sequence, at the end of a read. */
// deno-lint-ignore no-control-regex
const UNFINISHED = /^\x1b(?:O|\[[0-9;?]*[ -/]*)?$/;

/** Escape sequences of keys, as the control keys that do the same. */
const SEQUENCES: Record<string, string> = {
  "[A": "\x10",
  "OA": "\x10",
  "[B": "\x0e",
  "OB": "\x0e",
  "[C": "\x06",
  "OC": "\x06",
  "[D": "\x02",
  "OD": "\x02",
  "[H": "\x01",
  "OH": "\x01",
  "[1~": "\x01",
  "[7~": "\x01",
  "[F": "\x05",
  "OF": "\x05",
  "[4~": "\x05",
  "[8~": "\x05",
  "[1;5C": "word right",
  "[1;5D": "word left",
  "f": "word right",
  "b": "word left",
  "[3~": "delete",
  "\x7f": "\x17",
};

/**
 * The line that is being typed, and those before it.
 *
 * Left, right, Home, End, Ctrl-A, -E, -B, -F and Ctrl with an arrow move the cursor;
 * Backspace, Delete, Ctrl-W (a word), Ctrl-U (all before the cursor) and Ctrl-K (all
 * behind it) delete; up and down, Ctrl-P and -N go through the lines before.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LineEditor } from "./editor.ts";
 *
 * const editor = new LineEditor();
 * const keys = editor.feed(new TextEncoder().encode("helo\x1b[Dl\r"));
 * assertEquals(keys, [{ kind: "line", text: "hello" }]);
 * ```
 */
export class LineEditor {
  /** What stands before the cursor, and what behind it. */
  before = "";
  after = "";
  readonly #history: string[] = [];
  #place = 0; // in the history; behind its end is the new line
  #draft = ""; // the new line, while an old one is shown
  #rest = ""; // the beginning of an escape sequence
  #lastWasReturn = false;
  readonly #decoder = new TextDecoder();

  /** Takes what was typed or pasted; returns what it means besides. */
  feed(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    this.#rest = "";
    INPUT.lastIndex = 0;
    while (INPUT.lastIndex < text.length) {
      const at = INPUT.lastIndex;
      const part = INPUT.exec(text)?.[0];
      if (part === undefined) {
        const rest = text.slice(at);
        if (UNFINISHED.test(rest)) {
          this.#rest = rest;
          break;
        }
        INPUT.lastIndex = at + 1; // an Escape that begins nothing
        continue;
      }
      const key = this.#take(part, text.length === 1);
      if (key) keys.push(key);
    }
    return keys;
  }

  /** Empties the line, as when the program that asked has ended. */
  reset(): void {
    this.before = this.after = this.#rest = "";
    this.#place = this.#history.length;
  }

  #take(part: string, alone: boolean): Key | undefined {
    const wasReturn = this.#lastWasReturn;
    this.#lastWasReturn = part === "\r";
    const key = part.startsWith("\x1b")
      ? SEQUENCES[part.slice(1)] ?? "nothing"
      : part;
    switch (key) {
      case "\n":
        if (wasReturn) return; // CR and LF, as in a text from Windows
        return this.#enter();
      case "\r":
        return this.#enter();
      case "\x03":
        return { kind: "interrupt" };
      case "\x04":
        if (this.before + this.after === "") return { kind: "end" };
        return this.#deleteRight();
      case "\x1a":
        return { kind: "suspend" };
      case "\x0c":
        return { kind: "clear" };
      case "\t":
        if (alone) return { kind: "next" };
        return this.#insert("\t"); // pasted
      case "\x01":
        return this.#put("", this.before + this.after);
      case "\x05":
        return this.#put(this.before + this.after, "");
      case "\x02": {
        const left = lastCharacter(this.before);
        return this.#put(
          this.before.slice(0, this.before.length - left.length),
          left + this.after,
        );
      }
      case "\x06": {
        const right = firstCharacter(this.after);
        return this.#put(
          this.before + right,
          this.after.slice(right.length),
        );
      }
      case "word left": {
        const [word = ""] = /\S*\s*$/.exec(this.before) ?? [];
        return this.#put(
          this.before.slice(0, this.before.length - word.length),
          word + this.after,
        );
      }
      case "word right": {
        const [word = ""] = /^\s*\S*/.exec(this.after) ?? [];
        return this.#put(this.before + word, this.after.slice(word.length));
      }
      case "\x7f":
      case "\b": {
        const { length } = lastCharacter(this.before);
        return this.#put(
          this.before.slice(0, this.before.length - length),
          this.after,
        );
      }
      case "delete":
        return this.#deleteRight();
      case "\x17":
        return this.#put(this.before.replace(/\S*\s*$/, ""), this.after);
      case "\x15":
        return this.#put("", this.after);
      case "\x0b":
        return this.#put(this.before, "");
      case "\x10":
        return this.#recall(this.#place - 1);
      case "\x0e":
        return this.#recall(this.#place + 1);
    }
    const isText = key === part && !/^\p{Cc}/u.test(part);
    if (isText) this.#insert(part);
  }

  #insert(text: string): undefined {
    const room = LONGEST - this.before.length - this.after.length;
    this.before += text.slice(0, Math.max(0, room));
  }

  #put(before: string, after: string): undefined {
    this.before = before;
    this.after = after;
  }

  #deleteRight(): undefined {
    this.after = this.after.slice(firstCharacter(this.after).length);
  }

  #enter(): Key {
    const text = this.before + this.after;
    if (text !== "" && text !== this.#history.at(-1)) this.#history.push(text);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#place = this.#history.length;
    this.#draft = "";
    this.#put("", "");
    return { kind: "line", text };
  }

  #recall(place: number): undefined {
    if (place < 0 || place > this.#history.length) return;
    if (this.#place === this.#history.length) {
      this.#draft = this.before + this.after;
    }
    this.#place = place;
    this.#put(this.#history[place] ?? this.#draft, "");
  }
}

/** A character may be several code points long; none is longer than this. */
const CHARACTER = 64;

function lastCharacter(text: string): string {
  return characters(text.slice(-CHARACTER)).at(-1) ?? "";
}

function firstCharacter(text: string): string {
  return characters(text.slice(0, CHARACTER))[0] ?? "";
}

/**
 * The rows that show a prompt and a line, and where the cursor stands in them. No
 * row reaches the last column, because terminals differ in what they do there. What
 * would take more than `most` rows is shortened around the cursor.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { layOut } from "./editor.ts";
 *
 * assertEquals(
 *   layOut("You: ", "hi", "", 80, 3),
 *   { rows: ["You: hi"], row: 0, column: 7 },
 * );
 * ```
 */
export function layOut(
  prompt: string,
  before: string,
  after: string,
  columns: number,
  most: number,
): { rows: string[]; row: number; column: number } {
  const across = Math.max(2, columns - 1);
  // One row less, for wide characters that do not fit at the end of a row.
  const room = across * Math.max(1, most) - Math.max(1, most);
  const head = fit(visible(prompt), Math.max(1, room - 8));
  const free = Math.max(4, room - width(head));
  // Much more than there is room for need not be looked at.
  const glance = free * 8;
  let left = visible(before.slice(-glance)),
    right = visible(after.slice(0, glance));
  const cutLeft = before.length > glance, cutRight = after.length > glance;
  if (cutLeft || cutRight || width(left) + width(right) >= free) {
    const rightRoom = Math.max(
      Math.floor(free / 3),
      free - width(left) - 1,
    );
    right = fit(right + (cutRight ? "…" : ""), Math.max(1, rightRoom));
    left = fitEnd(left, free - width(right) - 1, cutLeft);
  }
  const rows = [""];
  let used = 0, place = { row: 0, column: 0 };
  const put = (text: string) => {
    for (const character of characters(text)) {
      const more = width(character);
      if (used + more > across) {
        rows.push("");
        used = 0;
      }
      rows[rows.length - 1] += character;
      used += more;
    }
  };
  put(head + left);
  if (used >= across) {
    rows.push("");
    used = 0;
  }
  place = { row: rows.length - 1, column: used };
  put(right);
  return { rows, ...place };
}

/** The end of a text that fits, with a mark where it was cut. */
function fitEnd(text: string, columns: number, cut: boolean): string {
  if (!cut && width(text) <= columns) return text;
  let result = "", used = 1;
  for (const character of characters(text).reverse()) {
    used += width(character);
    if (used > columns) break;
    result = character + result;
  }
  return `…${result}`;
}
