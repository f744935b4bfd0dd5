/**
 * Two runs beside each other: where they first differ.
 *
 * @module
 */
import { readable } from "../../../show/text.ts";
import type { PageEvent } from "../../messages.ts";
import { bytesOf, type History } from "./history.ts";
import { hasBytes, nameOf } from "./words.ts";

/** Where two runs first differ. */
export interface Difference {
  /** The numbers of the events; null where a run has none. */
  a: number | null;
  b: number | null;
  link: string;
  from: "client" | "server";
  /** What differs. */
  what: "bytes" | "fate" | "missing";
  /** A sentence for the user. */
  text: string;
}

/**
 * The first difference of two runs; null if there is none. Events are matched by
 * link, connection, direction and order: times differ from run to run. Of a stream
 * its bytes are compared, because how they are cut into messages differs, too.
 */
export function compare(a: History, b: History): Difference | null {
  const left = lanesOf(a), right = lanesOf(b);
  const differences: { at: number; difference: Difference }[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const difference = compareLanes(left.get(key) ?? [], right.get(key) ?? []);
    if (!difference) continue;
    const one = difference.a === null ? null : a.event(difference.a);
    const two = difference.b === null ? null : b.event(difference.b);
    const at = Math.min(one?.sent ?? Infinity, two?.sent ?? Infinity);
    differences.push({ at, difference });
  }
  differences.sort((one, two) => one.at - two.at);
  return differences[0]?.difference ?? null;
}

/** Events by link, connection and direction, in order. */
function lanesOf(history: History): Map<string, PageEvent[]> {
  const lanes = new Map<string, PageEvent[]>();
  for (const { item } of history.entries) {
    if (item.kind !== "wire") continue;
    const { event } = item;
    if (event.kind === "condition" || event.kind === "trouble") continue;
    const key = `${event.link} ${event.connection} ${event.from}`;
    const lane = lanes.get(key) ?? [];
    lanes.set(key, lane);
    lane.push(event);
  }
  // As they were sent: what is lost is known later than the reset that lost it.
  for (const lane of lanes.values()) lane.sort((a, b) => a.number - b.number);
  return lanes;
}

function compareLanes(a: PageEvent[], b: PageEvent[]): Difference | null {
  let i = 0, j = 0;
  // What is left of a message of a stream, when the other one's was shorter.
  let restA = 0, restB = 0;
  while (i < a.length || j < b.length) {
    const one = a[i], two = b[j];
    if (!one || !two) {
      return difference(one, two, "missing");
    }
    if (one.kind === "message" && two.kind === "message") {
      const bytesA = bytesOf(one), bytesB = bytesOf(two);
      const length = Math.min(one.size - restA, two.size - restB);
      for (let k = 0; k < length; k++) {
        const x = bytesA[restA + k], y = bytesB[restB + k];
        // Beyond the first bytes of a message nothing is known.
        if (x === undefined || y === undefined) break;
        if (x !== y) return difference(one, two, "bytes");
      }
      // Where a stream is cut does not count, but whether it arrives does.
      if ((one.fate === "lost") !== (two.fate === "lost")) {
        return difference(one, two, "fate");
      }
      restA += length;
      restB += length;
      if (restA >= one.size) [i, restA] = [i + 1, 0];
      if (restB >= two.size) [j, restB] = [j + 1, 0];
      continue;
    }
    if (one.kind !== two.kind) return difference(one, two, "bytes");
    if (one.size !== two.size || one.bytes !== two.bytes) {
      return difference(one, two, "bytes");
    }
    if (fateOf(one) !== fateOf(two)) return difference(one, two, "fate");
    i++;
    j++;
  }
  return null;
}

/** What became of it, without how long it took. */
function fateOf({ fate, marks }: PageEvent): string {
  const lasting = marks.filter((mark) => mark !== "late" && mark !== "held");
  return [fate, ...lasting.toSorted()].join(", ");
}

function difference(
  one: PageEvent | undefined,
  two: PageEvent | undefined,
  what: Difference["what"],
): Difference {
  const { link = "", from = "client" } = one ?? two ?? {};
  const where = from === "client" ? `to ${link}` : `from ${link}`;
  const said = (event: PageEvent) =>
    hasBytes(event) ? `“${short(event)}” (${nameOf(event)})` : nameOf(event);
  let text: string;
  if (!one || !two) {
    const only = one ?? two;
    text = `Only ${one ? "the first" : "the second"} run has ${
      only ? `#${only.number}, ${said(only)}` : "this"
    }, ${where}.`;
  } else if (what === "fate" && one.kind === "message") {
    const [lost, ways] = one.fate === "lost"
      ? [one, ["is lost", "arrives"]]
      : [two, ["arrives", "is lost"]];
    text =
      `${said(lost)} ${where} ${ways[0]} in the first run (#${one.number})` +
      ` and ${ways[1]} in the second (#${two.number}).`;
  } else if (what === "fate") {
    text =
      `${said(one)} ${where} is ${
        fateOf(one)
      } in the first run (#${one.number})` +
      ` and ${fateOf(two)} in the second (#${two.number}).`;
  } else {
    text =
      `${capital(where)}, the first run has ${said(one)} (#${one.number}),` +
      ` the second ${said(two)} (#${two.number}).`;
  }
  return {
    a: one?.number ?? null,
    b: two?.number ?? null,
    link,
    from,
    what,
    text,
  };
}

function short(event: PageEvent): string {
  const text = readable(bytesOf(event).subarray(0, 40));
  return event.size > 40 ? `${text}…` : text;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
