/**
 * Text for terminals: bytes made visible, and columns that stay aligned.
 *
 * @module
 */
/** ASCII and what diagrams are drawn with: one column each. */
const NARROW = /^[\x20-\x7e←-⇿─-●]*$/;

/** Characters that take two columns (East Asian Width W and F), by code point. */
const WIDE: [first: number, last: number][] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

/** Marks above others, joiners, the second halves of Korean syllables. */
const NO_COLUMN = /[\p{Mn}\p{Me}\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u1160-\u11ff]/u;

/** Whether each of its characters takes one column. */
export function isNarrow(text: string): boolean {
  return NARROW.test(text);
}

/** How many columns of a terminal a text takes. */
export function width(text: string): number {
  if (isNarrow(text)) return text.length;
  let columns = 0;
  for (const character of characters(text)) columns += columnsOf(character);
  return columns;
}

/** The columns of one character as a reader sees it. */
function columnsOf(character: string): number {
  // Emoji take two, however many parts they are joined from; so do flags.
  if (/^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u.test(character)) return 2;
  let columns = 0;
  for (const part of character) {
    if (NO_COLUMN.test(part)) continue;
    const code = part.codePointAt(0) ?? 0;
    const isWide = WIDE.some(([first, last]) => code >= first && code <= last);
    columns += isWide ? 2 : 1;
  }
  return columns;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** What a reader takes for its characters: é, 你, 👩‍🚀. */
export function characters(text: string): string[] {
  if (isNarrow(text)) return text.split("");
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/**
 * Control characters, and others that would move the cursor or turn the
 * direction of writing, as escapes; a joiner inside an emoji stays.
 */
export function visible(text: string): string {
  return text.replace(
    /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu,
    (c) => {
      const code = c.codePointAt(0) ?? 0;
      const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[c];
      const hex = code.toString(16);
      return short ??
        (code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
    },
  );
}

/**
 * Bytes as text: UTF-8 where they are UTF-8, else `\xNN`; with control
 * characters, and the backslash itself, as escapes, and blanks at either end as
 * `␣`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readable } from "./text.ts";
 *
 * assertEquals(readable(new Uint8Array([72, 105, 10, 255])), "Hi\\n\\xff");
 * ```
 */
export function readable(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const end = endOfUtf8(bytes, i);
    if (end > i) {
      const good = utf8.decode(bytes.subarray(i, end));
      text += visible(good.replaceAll("\\", "\\\\"));
    }
    i = end;
    if (i >= bytes.length) break;
    text += `\\x${bytes[i]?.toString(16).padStart(2, "0")}`;
    i++;
  }
  return text.replace(/^ +| +$/g, (blanks) => "␣".repeat(blanks.length));
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Where the bytes stop to be UTF-8, from a place on. */
function endOfUtf8(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0, second = bytes[at + 1] ?? 0;
    const length = first < 0x80
      ? 1
      : first < 0xc2
      ? 0
      : first < 0xe0
      ? 2
      : first < 0xf0
      ? 3
      : first < 0xf5
      ? 4
      : 0;
    if (length === 0 || at + length > bytes.length) break;
    let good = true;
    for (let i = at + 1; i < at + length; i++) {
      good &&= ((bytes[i] ?? 0) & 0xc0) === 0x80;
    }
    // Too long for what they say, halves of pairs, beyond the last code point.
    if (
      !good || first === 0xe0 && second < 0xa0 ||
      first === 0xed && second > 0x9f || first === 0xf0 && second < 0x90 ||
      first === 0xf4 && second > 0x8f
    ) break;
    at += length;
  }
  return at;
}

/** The beginning of a text that fits, with a mark where it was cut. */
export function fit(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let result = "", used = 0;
  for (const character of characters(text)) {
    used += width(character);
    if (used >= columns) break;
    result += character;
  }
  return `${result}…`;
}

/** Breaks a text into rows, between words where that leaves no large gaps. */
export function wrap(text: string, columns: number): string[] {
  const rows: string[] = [];
  let row = "", used = 0;
  for (const character of characters(text)) {
    if (used + width(character) > columns) {
      const blank = row.lastIndexOf(" ") + 1;
      const cut = character !== " " && blank > row.length / 2
        ? blank
        : row.length;
      rows.push(row.slice(0, cut).trimEnd());
      row = row.slice(cut);
      used = width(row);
    }
    if (character === " " && row === "" && rows.length > 0) continue;
    row += character;
    used += width(character);
  }
  return [...rows, row];
}

/** To make one takes longer than to use it a thousand times. */
const numbers = new Intl.NumberFormat("en-US");

/** `1 byte`, `1,024 bytes`. */
export function count(n: number, thing: string): string {
  return `${numbers.format(n)} ${thing}${n === 1 ? "" : "s"}`;
}

/** A hex dump, 16 or 8 bytes a row: where, the bytes, and what is ASCII of them. */
export function hexDump(bytes: Uint8Array, across: 16 | 8 = 16): string[] {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += across) {
    const row = bytes.subarray(at, at + across);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
    const left = hex.slice(0, 8).join(" ").padEnd(23);
    const right = across === 8 ? "" : hex.slice(8).join(" ").padEnd(23);
    const text = Array.from(
      row,
      (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    ).join("");
    const offset = at.toString(16).padStart(4, "0");
    rows.push(`${offset}  ${left}  ${right && `${right}  `}${text}`);
  }
  return rows;
}
