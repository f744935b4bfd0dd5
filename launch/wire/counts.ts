/**
 * Counts what became of what was sent, from events: live ones or saved ones.
 *
 * @module
 */
import type { Side, WireEvent } from "./relay.ts";

/** What became of the datagrams, or messages, of one link and direction. */
export interface Count {
  link: string;
  from: Side;
  /** `datagram` or `message`. */
  thing: "datagram" | "message";
  /** What the program sent, and the bytes of it. */
  sent: number;
  bytes: number;
  /** What arrived: copies and pieces count. */
  delivered: number;
  lost: number;
  /** Copies that were made on the way. */
  twice: number;
  late: number;
}

/**
 * Counts events; each is counted once, however often it is reported.
 *
 * @example
 * ```ts
 * import { Counts } from "./counts.ts";
 * import { Recording } from "./relay.ts";
 *
 * const counts = new Counts();
 * const recorder = new Recording((event) => counts.take(event));
 * ```
 */
export class Counts {
  readonly #counts = new Map<string, Count>();
  /** What was reported as under way, and is not at its end yet. */
  readonly #open = new Set<number>();

  take({ number, kind, link, from, bytes, fate, marks }: WireEvent): void {
    if (kind !== "message" && kind !== "datagram") return;
    const key = `${from} ${link}`;
    const count = this.#counts.get(key) ??
      {
        ...{ link, from, thing: kind, sent: 0, bytes: 0, delivered: 0 },
        lost: 0,
        twice: 0,
        late: 0,
      };
    this.#counts.set(key, count);
    if (!this.#open.delete(number)) {
      const isCopy = marks.includes("again");
      if (isCopy) count.twice++;
      else if (!marks.includes("injected")) {
        count.sent++;
        count.bytes += bytes.length;
      }
    }
    if (fate === "under way") this.#open.add(number);
    else if (fate === "lost") count.lost++;
    else {
      count.delivered++;
      if (marks.includes("late")) count.late++;
    }
  }

  /** Of each link and direction, in the order in which they were first used. */
  all(): Count[] {
    return [...this.#counts.values()];
  }

  /** Of one link and direction. */
  of(link: string, from: Side): Count | undefined {
    return this.#counts.get(`${from} ${link}`);
  }

  /** `server → client: 10 datagrams sent, 8 delivered, 2 lost, 1 twice, 3 late`. */
  lines(name: (link: string, side: Side) => string): string[] {
    return this.all().map((count) => {
      const { link, from, thing, sent, delivered, lost, twice, late } = count;
      const to = from === "client" ? "server" : "client";
      const things = `${sent.toLocaleString("en")} ${thing}${
        sent === 1 ? "" : "s"
      }`;
      const numbers = Object.entries({ delivered, lost, twice, late })
        .filter(([what, n]) => what === "delivered" || n > 0)
        .map(([what, n]) => `${n.toLocaleString("en")} ${what}`);
      return `${name(link, from)} → ${name(link, to)}: ${things} sent, ` +
        numbers.join(", ");
    });
  }
}
