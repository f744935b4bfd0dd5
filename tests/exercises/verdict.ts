/**
 * What a check says when a program is not right yet.
 *
 * @module
 */

/** What was not as the exercise's text says. */
export interface Finding {
  /** The property that failed, as a sentence: "The second client gets nothing." */
  property: string;
  /** What was expected, whole. */
  expected?: string | Uint8Array;
  /** What came. */
  came?: string | Uint8Array;
  /** Whether these two tell of it in words, so that bytes are not compared. */
  inWords?: boolean;
  /** The usual cause, and what to look at. */
  cause: string;
}

/** The program is not right yet: exit status 1. */
export class NotYet extends Error {
  override name = "NotYet";
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.property);
    this.finding = finding;
  }
}

/**
 * Nothing can be said about the program, because it could not be tried: exit
 * status 2. The message says why, in one line.
 */
export class CannotTell extends Error {
  override name = "CannotTell";
  /** Whether it may be different the next time. */
  readonly busy: boolean;

  constructor(message: string, busy = false) {
    super(message);
    this.busy = busy;
  }
}

/** Why nothing can be told of a program on a machine that is too slow. */
export const BUSY =
  "This machine was too busy: the check's own timers were late.";

/** So many characters of a long text are shown on each side of a difference. */
const AROUND = 40;

/**
 * The lines that set what came beside what was expected, with a mark under the
 * first wrong byte.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compare } from "./verdict.ts";
 *
 * assertEquals(compare("echo\n", "ech"), [
 *   "expected  5 bytes  echo␊",
 *   "came      3 bytes  ech",
 *   "                      ^ byte 4: nothing more came",
 * ]);
 * ```
 */
export function compare(
  expected: string | Uint8Array,
  came: string | Uint8Array,
): string[] {
  const [right, real] = [toBytes(expected), toBytes(came)];
  let at = 0;
  while (at < right.length && at < real.length && right[at] === real[at]) at++;
  const head = (word: string, bytes: Uint8Array) =>
    `${word.padEnd(8)}  ${bytes.length.toLocaleString("en")} ${
      bytes.length === 1 ? "byte " : "bytes"
    }  `;
  const heads = [head("expected", right), head("came", real)];
  const width = Math.max(...heads.map((text) => text.length));
  const [line1 = "", line2 = ""] = heads.map((text) => text.padEnd(width));
  const text = isText(right) && isText(real);
  const around = text ? 2 * AROUND : AROUND / 2;
  // Not from inside a character.
  let start = Math.max(0, at - around);
  while (text && start > 0 && isInside(right[start])) start--;
  let mark = at;
  while (text && mark > start && isInside(right[mark] ?? real[mark])) mark--;
  const form = text ? shown : hex;
  const before = (start > 0 ? "…" : "") + form(right.subarray(start, mark));
  const after = (bytes: Uint8Array) =>
    (text ? "" : before ? " " : "") +
    form(bytes.subarray(mark, mark + around)) +
    (mark + around < bytes.length ? "…" : "");
  const what = at < right.length && at < real.length
    ? "the first one that differs"
    : at < right.length
    ? "nothing more came"
    : at < real.length
    ? "nothing more was expected"
    : "both are equal";
  return [
    line1 + before + after(right),
    line2 + before + after(real),
    `${
      " ".repeat(width + [...before].length + (!text && before ? 1 : 0))
    }^ byte ${(at + 1).toLocaleString("en")}: ${what}`,
  ];
}

/** Bytes as text, controls by their signs; in hexadecimal, if they are no UTF-8. */
export function shown(bytes: Uint8Array): string {
  if (!isText(bytes)) return hex(bytes);
  const text = new TextDecoder().decode(bytes).replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x1f\x7f]/g,
    (c) =>
      String.fromCodePoint(c === "\x7f" ? 0x2421 : 0x2400 + c.charCodeAt(0)),
  );
  return escape(text);
}

/** Makes a program's text safe to print: it cannot command the terminal. */
export function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
}

/**
 * The last lines that a program printed, safe to print; if they are a stack trace,
 * from the line on that names the error.
 */
export function lastLines(printed: string, most: number): string[] {
  const lines = printed.split("\n").filter((line) => line.trim() !== "");
  const error = lines.findIndex((line, index) =>
    index >= lines.length - 30 &&
    /^(error:|Uncaught|[\w.]*(Error|Exception)\b)/.test(line)
  );
  const from = error < 0 ? lines.length - most : Math.max(0, error);
  return lines.slice(Math.max(0, from)).slice(0, most).map(escape);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join(" ");
}

/** Whether bytes are UTF-8 that is not mostly control characters. */
function isText(bytes: Uint8Array): boolean {
  // A piece may begin or end inside a character: that is text, too.
  let from = 0, to = bytes.length;
  while (from < 3 && from < to && isInside(bytes[from])) from++;
  for (let cut = 0; cut <= 3 && to > from; cut++) {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(
        bytes.subarray(from, to),
      );
      return bytes.filter((b) => b < 9).length <= bytes.length / 4;
    } catch {
      to--;
    }
  }
  return to === from && bytes.length === 0;
}

/** Whether a byte goes on with a character that began before it. */
function isInside(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Text as its UTF-8 bytes. */
export function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}
