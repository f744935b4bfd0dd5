/**
 * What TCP and UDP relays share: the conditions of a link, its phases, and the
 * queues that they work on.
 *
 * @module
 */
import {
  CALM,
  type Condition,
  type Conditions,
} from "./conditions/conditions.ts";
import { Direction } from "./direction.ts";
import { type Lane, notice } from "./lane.ts";
import type { RelayOptions, Side, WireEvent } from "./relay.ts";

/** How often a trouble of the same text is reported, in µs. */
const AGAIN_US = 1e6;

/** The conditions of a link, for all its connections or peers. */
export class Link {
  readonly up: Direction;
  readonly down: Direction;
  conditions: Conditions = CALM;
  #holds: ((event: WireEvent) => boolean) | null = null;
  readonly #options: RelayOptions;
  readonly #lanes: () => Iterable<Lane>;
  readonly #troubles = new Map<string, number>();
  #timers: ReturnType<typeof setTimeout>[] = [];

  /** `lanes` returns all queues that exist now. */
  constructor(options: RelayOptions, lanes: () => Iterable<Lane>) {
    this.#options = options;
    this.#lanes = lanes;
    this.up = new Direction(options.link, "client");
    this.down = new Direction(options.link, "server");
    this.#set(options.conditions ?? CALM);
  }

  /** The direction of what comes from that side. */
  direction(from: Side): Direction {
    return from === "client" ? this.up : this.down;
  }

  /** What a new queue must hold. */
  get holds(): ((event: WireEvent) => boolean) | null {
    return this.#holds;
  }

  /** See {@linkcode Relay.change}. */
  change(conditions: Conditions): void {
    const fresh = this.#set(conditions);
    this.#tell(`now: ${textOf(conditions)}`, []);
    for (const lane of this.#lanes()) {
      lane.countFrom(fresh[lane.from]);
      lane.run();
    }
  }

  /** See {@linkcode Relay.hold}. */
  hold(holds: ((event: WireEvent) => boolean) | null): void {
    this.#holds = holds;
    for (const lane of this.#lanes()) lane.hold(holds);
  }

  held(): WireEvent[] {
    return [...this.#lanes()].flatMap((lane) => lane.held())
      .sort((a, b) => a.number - b.number);
  }

  /** Does something to the queue that holds it. */
  some(act: (lane: Lane) => boolean): boolean {
    return [...this.#lanes()].some(act);
  }

  /** Reports a trouble of the relay's own: each text once a second at most. */
  trouble(text: string, connection = 0): void {
    const { recorder, link } = this.#options;
    const now = recorder.now();
    const before = this.#troubles.get(text);
    if (before !== undefined && now - before < AGAIN_US) return;
    if (this.#troubles.size >= 100) this.#troubles.clear();
    this.#troubles.set(text, now);
    recorder.record(notice(recorder, link, "trouble", { text, connection }));
  }

  close(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    for (const lane of this.#lanes()) lane.close();
  }

  /** Returns what is new in each direction. */
  #set(conditions: Conditions): Record<Side, string[]> {
    this.conditions = conditions;
    const client = this.up.set(conditions.up, conditions.seed);
    const server = this.down.set(conditions.down, conditions.seed);
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    const all = new Map<string, Condition>();
    for (const condition of [...conditions.up, ...conditions.down]) {
      all.set(condition.text, condition);
    }
    for (const condition of all.values()) {
      if (!condition.phase) continue;
      this.#at(condition.phase.from, `${condition.text} begins`, condition);
      this.#at(condition.phase.to, `${condition.text} ends`, condition);
    }
    return { client, server };
  }

  /** Tells of a phase when it begins or ends. */
  #at(time: number, text: string, condition: Condition): void {
    const ms = Math.ceil((time - this.#options.recorder.now()) / 1000);
    if (ms < 0 || ms > 2 ** 31 - 1) return;
    const timer = setTimeout(() => {
      this.#tell(text, [condition.text]);
      for (const lane of this.#lanes()) lane.run();
    }, ms);
    Deno.unrefTimer(timer);
    this.#timers.push(timer);
  }

  #tell(text: string, causes: string[]): void {
    const { recorder, link } = this.#options;
    recorder.record(notice(recorder, link, "condition", { text, causes }));
  }
}

/** The conditions of a link as they were typed; "no conditions" if there are none. */
export function textOf({ up, down }: Conditions): string {
  const texts = new Set([...up, ...down].map(({ text }) => text));
  return [...texts].join(" ") || "no conditions";
}
