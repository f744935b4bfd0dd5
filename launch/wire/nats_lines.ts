/**
 * The lines of the NATS protocol, as they go over a TCP connection.
 *
 * @module
 */

/** One line of the protocol, with what it carries. */
export interface NatsLine {
  /** `INFO`, `CONNECT`, `PUB`, `MSG`, …; empty if it is none of NATS. */
  op: string;
  /** The line without its end; a password in it is shown as `***`. */
  text: string;
  /** What `PUB`, `HPUB`, `MSG` or `HMSG` carry; null for the others. */
  payload: Uint8Array | null;
}

const OPS = [
  ...["INFO", "CONNECT", "SUB", "UNSUB", "PUB", "HPUB", "MSG", "HMSG"],
  ...["PING", "PONG", "+OK", "-ERR"],
];
const CARRIERS = ["PUB", "HPUB", "MSG", "HMSG"];

/** How long a line or what it carries may be; more is no NATS. */
const MOST = 64 * 1024 ** 2;

/** The values in CONNECT that nobody else may read. */
const SECRET = /"(?:pass|auth_token|jwt|sig|nkey)"\s*:\s*"((?:[^"\\]|\\.)*)"?/g;

const decoder = new TextDecoder();

/**
 * Splits what comes in one direction of one connection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { NatsLines } from "./nats_lines.ts";
 *
 * const lines = new NatsLines();
 * const encode = (text: string) => new TextEncoder().encode(text);
 * assertEquals(lines.push(encode("PING\r\nPUB a 2\r\nh")).length, 1);
 * const [line] = lines.push(encode("i\r\n"));
 * assertEquals(line?.text, "PUB a 2");
 * assertEquals(line?.payload, encode("hi"));
 * ```
 */
export class NatsLines {
  #rest = new Uint8Array();

  /** The lines that are whole with these bytes. */
  push(bytes: Uint8Array): NatsLine[] {
    this.#rest = this.#rest.length === 0
      ? bytes.slice()
      : join(this.#rest, bytes);
    const lines: NatsLine[] = [];
    let at = 0;
    while (at < this.#rest.length) {
      const end = this.#rest.indexOf(10, at);
      if (end < 0) break;
      const stop = end > at && this.#rest[end - 1] === 13 ? end - 1 : end;
      const text = mask(decoder.decode(this.#rest.subarray(at, stop)));
      const word = /^\S+/.exec(text)?.[0].toUpperCase() ?? "";
      const op = OPS.includes(word) ? word : "";
      if (!CARRIERS.includes(op)) {
        lines.push({ op, text, payload: null });
        at = end + 1;
        continue;
      }
      const size = Number(/(\d+)\s*$/.exec(text)?.[1] ?? NaN);
      if (!Number.isSafeInteger(size) || size > MOST) {
        lines.push({ op: "", text, payload: null });
        at = end + 1;
        continue;
      }
      if (this.#rest.length < end + 1 + size + 2) break;
      const payload = this.#rest.slice(end + 1, end + 1 + size);
      lines.push({ op, text, payload });
      at = end + 1 + size + 2;
    }
    this.#rest = this.#rest.slice(at);
    if (this.#rest.length > MOST + 4096) this.#rest = new Uint8Array();
    return lines;
  }
}

/** A text of the protocol with its passwords as `***`. */
function mask(text: string): string {
  if (!/^CONNECT\s/i.test(text)) return text;
  return text.replace(SECRET, (all, secret: string) => {
    const cut = all.endsWith('"') ? 1 : 0;
    return `${all.slice(0, all.length - cut - secret.length)}***${
      cut ? '"' : ""
    }`;
  });
}

/**
 * The same bytes, with each password of a CONNECT line as stars. Only text
 * changes, never the length.
 */
export function maskNats(bytes: Uint8Array): Uint8Array {
  // Latin-1 keeps one character for each byte.
  if (!includes(bytes, "CONNECT")) return bytes;
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const masked = text.replace(
    /^CONNECT\s[^\n]*/gim,
    (line) =>
      line.replace(SECRET, (all, secret: string) => {
        const from = all.lastIndexOf(secret);
        return all.slice(0, from) + "*".repeat(secret.length) +
          all.slice(from + secret.length);
      }),
  );
  if (masked === text) return bytes;
  return Uint8Array.from(masked, (character) => character.charCodeAt(0));
}

/** Whether an ASCII word is in the bytes, in small letters or capitals. */
function includes(bytes: Uint8Array, word: string): boolean {
  const letters = Array.from(word, (letter) => letter.charCodeAt(0));
  const isThere = (at: number) =>
    letters.every((letter, i) => ((bytes[at + i] ?? 0) & ~0x20) === letter);
  const [capital = 0] = letters;
  return [capital, capital | 0x20].some((first) => {
    let at = bytes.indexOf(first);
    while (at >= 0 && !isThere(at)) at = bytes.indexOf(first, at + 1);
    return at >= 0;
  });
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
