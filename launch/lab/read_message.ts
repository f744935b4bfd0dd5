/**
 * One check for each message that comes from a page.
 *
 * @module
 */
import type { FromPage } from "./messages.ts";

/** A message may be so long, in characters. */
export const LONGEST_MESSAGE = 1_500_000;

/** What a page sent is no message; one line. */
export class BadMessage extends Error {
  override name = "BadMessage";
}

type Check = (value: unknown) => boolean;

/** A text of so many characters at most. */
const text = (most: number): Check => (value) =>
  typeof value === "string" && value.length <= most;

/** A whole number from 0 on. */
const count: Check = (value) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const flag: Check = (value) => typeof value === "boolean";
const side: Check = (value) => value === "client" || value === "server";
const or = (check: Check): Check => (value) => value === null || check(value);
const list = (check: Check, most: number): Check => (value) =>
  Array.isArray(value) && value.length <= most && value.every(check);

const name = text(100);
/** A line for a program; a line feed would make it two. */
const line: Check = (value) => text(65_536)(value) && !/\n/.test(`${value}`);
const bytes: Check = (value) => {
  try {
    return text(1_400_000)(value) && Uint8Array.fromBase64(`${value}`) !== null;
  } catch {
    return false;
  }
};

/** The fields of each message. */
type Fields = {
  [Type in FromPage["type"]]: Record<
    Exclude<keyof Extract<FromPage, { type: Type }>, "type">,
    Check
  >;
};
const FIELDS: Fields = {
  "join": { run: or(name), after: count },
  "choose": { example: name },
  "start": { edited: list(name, 20), seed: or(count) },
  "stop": {},
  "type": { role: name, line },
  "end-input": { role: name },
  "interrupt": { role: name },
  "kill": { role: name },
  "restart": { role: name, edited: flag },
  "net": { link: name, conditions: text(2_000) },
  "hold": { link: name, on: flag, containing: text(1_000) },
  "next": {},
  "release": { number: count, bytes: or(bytes) },
  "drop": { number: count },
  "double": { number: count },
  "cut": { number: count, at: count },
  "inject": { link: name, connection: count, from: side, bytes },
  "reset": { link: name, connection: count },
  "stall": { link: name },
  "bytes": { number: count },
  "source": { script: name },
  "edit": { script: name, text: text(300_000), version: count },
  "check": { script: name },
  "revert": { script: name },
  "undo-revert": { script: name },
};

const CHECKS = new Map<string, Record<string, Check>>(Object.entries(FIELDS));

/**
 * Reads a message. Throws {@linkcode BadMessage} if it is none of those that a page
 * may send, or has a field too many, too few or of another kind.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { readMessage } from "./read_message.ts";
 *
 * assertEquals(readMessage('{"type":"stop"}'), { type: "stop" });
 * assertThrows(() => readMessage('{"type":"run","command":"rm"}'));
 * ```
 */
export function readMessage(text: string): FromPage {
  if (text.length > LONGEST_MESSAGE) {
    throw new BadMessage(
      `A message of ${
        text.length.toLocaleString("en-US")
      } characters is too long.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadMessage("A message is not JSON.");
  }
  if (!isMessage(value)) {
    throw new BadMessage("A message is none that a page may send.");
  }
  return value;
}

function isMessage(value: unknown): value is FromPage {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  const { type, ...rest } = Object.fromEntries(Object.entries(value));
  const fields = typeof type === "string" ? CHECKS.get(type) : undefined;
  if (!fields) return false;
  return Object.keys(rest).length === Object.keys(fields).length &&
    Object.entries(fields).every(([key, check]) =>
      Object.hasOwn(rest, key) && check(rest[key])
    );
}
