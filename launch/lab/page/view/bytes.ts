/**
 * Bytes beside what they say. No DOM.
 *
 * @module
 */
import { visible } from "../../../show/text.ts";

/** What a byte is a part of. */
export interface Cell {
  /** Where its character begins, and how many bytes that has. */
  start: number;
  length: number;
  /**
   * What is shown for it: the character at its first byte, a blank at the others, `·`
   * for what cannot be seen.
   */
  text: string;
  kind: "plain" | "control" | "multi" | "wrong";
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The character that a byte belongs to, as UTF-8. */
export function cellAt(bytes: Uint8Array, at: number): Cell {
  // A character has four bytes at most, so it begins at most three before.
  for (let start = at; start >= 0 && start > at - 4; start--) {
    const first = bytes[start] ?? 0;
    if (start < at && (first & 0xc0) === 0x80) continue;
    const length = lengthOf(first);
    if (length > 1 && start + length > at) {
      try {
        const text = utf8.decode(bytes.subarray(start, start + length));
        if (start + length <= bytes.length && text.length > 0) {
          // What cannot be seen, or would turn the direction of writing.
          const shown = visible(text) === text ? text : "·";
          return {
            start,
            length,
            text: start === at ? shown : " ",
            kind: "multi",
          };
        }
      } catch {
        // Not UTF-8 after all.
      }
    }
    if ((first & 0xc0) !== 0x80) break;
  }
  const byte = bytes[at] ?? 0;
  const own = { start: at, length: 1 };
  if (byte >= 0x80) return { ...own, text: "·", kind: "wrong" };
  if (byte < 0x20 || byte === 0x7f) {
    return { ...own, text: "·", kind: "control" };
  }
  return { ...own, text: String.fromCharCode(byte), kind: "plain" };
}

function lengthOf(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

/** The cells of a row. */
export function rowOf(bytes: Uint8Array, at: number, across: number): Cell[] {
  const cells: Cell[] = [];
  for (let i = at; i < Math.min(at + across, bytes.length); i++) {
    cells.push(cellAt(bytes, i));
  }
  return cells;
}

/** A byte as two digits. */
export function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** A message that looks like HTTP. */
export interface Http {
  start: string;
  headers: [name: string, value: string][];
  /** Where the body begins; the length of the bytes if it has none. */
  body: number;
  /** Whether the end of the head is in these bytes. */
  isWhole: boolean;
}

/** How much of a message can be its head. */
const HEAD = 64 * 1024;

const latin1 = new TextDecoder("latin1");
const START = /^(?:[A-Z]{3,12} \S+ HTTP\/1\.[01]|HTTP\/1\.[01] \d{3}(?: .*)?)$/;

/** The head of an HTTP message; null if it does not begin with one. */
export function httpOf(bytes: Uint8Array): Http | null {
  const text = latin1.decode(bytes.subarray(0, HEAD));
  const [first = ""] = text.split(/\r?\n/, 1);
  if (!START.test(first)) return null;
  const end = /\r?\n\r?\n/.exec(text);
  const head = end ? text.slice(0, end.index) : text;
  const headers = head.split(/\r?\n/).slice(1).filter((line) => line !== "")
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return colon < 0 ? ["", visible(line)] : [
        visible(line.slice(0, colon)),
        visible(line.slice(colon + 1).trim()),
      ];
    });
  const body = end ? end.index + end[0].length : bytes.length;
  return { start: visible(first), headers, body, isWhole: end !== null };
}

/** A line of a text, with what ends it as an escape. */
export interface TextLine {
  text: string;
  /** `\\n`, `\\r\\n`, or empty at the end of the text. */
  end: string;
}

/** Bytes as lines of text, with what cannot be seen as escapes. */
export function linesOf(bytes: Uint8Array): TextLine[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const lines: TextLine[] = [];
  for (const [line] of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const [end = ""] = /\r?\n$/.exec(line) ?? [];
    const own = line.slice(0, line.length - end.length);
    lines.push({ text: visible(own), end: visible(end) });
  }
  return lines;
}
