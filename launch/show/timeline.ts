/**
 * The one order in which everything is shown.
 *
 * @module
 */
import type {
  Cast,
  Ending,
  Line,
  Link,
  RunningState,
  Watcher,
} from "../programs/cast.ts";
import { setImmediate } from "node:timers";
import { NatsLines } from "../wire/nats_lines.ts";
import type { Side, WireEvent } from "../wire/relay.ts";
import {
  type Detail,
  type Direction,
  ends,
  type Presenter,
  type Totals,
} from "./presenter.ts";
import { fit, readable, visible } from "./text.ts";

/** What is shown waits for such a pause, but not longer. */
const IDLE_MS = 50, LONGEST_MS = 250;

/**
 * How long showing may take before others get a turn, and how long they get, in ms: a
 * short while, and a long one as long as more comes. So what is shown hardly slows
 * down what happens, and the picture catches up as soon as there is a pause.
 */
const WORK_MS = 10, REST_MS = 1, BUSY_MS = 120;

/**
 * From so many events on, showing takes half of the time, so many ms in a row:
 * programs that never rest are slowed down then, and memory has a bound.
 */
const FULL = 200_000, FULL_WORK_MS = BUSY_MS;

/** From so many on it is said how many events the view is behind. */
const BEHIND = 2_000;

/** So much of a message is kept until it is shown, unless all of it is wanted. */
const KEPT = 4_096;

/** INFO and CONNECT hold much that nobody wants to read. */
const NATS_COLUMNS = 64;

/** What arrives within so many ms cannot be told apart; see below. */
const BLUR_MS = 2, FAREWELL_MS = 20;

/**
 * When paced: how long all must be quiet, and how many events are paced. The TCP chat
 * waits 200 ms for the rest of a message; a UDP broker asks again before long.
 */
const QUIET_MS = 120, TCP_QUIET_MS = 320, PACED = 500;

/** Something to show. */
interface Entry {
  at: number;
  /** Who printed or sent it. */
  role: string;
  /** Whom it was sent to. */
  to: string | undefined;
  kind: "line" | "wire" | "other";
  /** The number of the event, if it is one. */
  number: number | undefined;
  /** Whether everything that came at the same time is here, too. */
  settled: boolean;
  show: (at: number) => void;
}

/** How a timeline works. */
export interface TimelineOptions {
  presenter: Presenter;
  /** Whether one thing happens at a time; see {@linkcode Timeline}. */
  paced?: boolean;
  /** Whether all bytes of a message are shown. */
  whole?: boolean;
  /** The clock: ms since the start. Since the timeline was made, by default. */
  now?: () => number;
}

/**
 * Puts what programs print and what relays report into one order, and shows it.
 *
 * What is sure: **a message shows no later than what its receiver does because of
 * it.** For a relay takes a message down here, and hands it on only then; the
 * receiver can print or answer only after that; and what it does comes here, too,
 * behind the message in the same queue.
 *
 * What a program prints and what it sends come here on two ways, a pipe and a
 * socket. When its message is here and, one look at all sockets and pipes later, its
 * line is not, then it has sent first. When both are here by then, nothing tells
 * which came first, and this is assumed: a program prints before it sends or closes;
 * only the last line of its life, if it is not the only one of that moment, comes
 * after ("Server closed.").
 *
 * What is not known: whether what two programs do at the same time, without a
 * message between them, happened in the order of the picture; and how long the
 * system kept a line before we could read it.
 *
 * A **paced** timeline also lets nothing happen on the wire, and no line be
 * typed, until all programs have been quiet for a moment. Two programs then
 * never do something at the same time, and every run gives the same order.
 */
export class Timeline implements Watcher {
  readonly turn?: (role: string) => Promise<void>;
  readonly #presenter: Presenter;
  readonly #paced: boolean;
  readonly #whole: boolean;
  readonly #now: () => number;
  readonly #totals = new Map<string, Direction>();
  readonly #queue: Entry[] = [];
  readonly #unsettled: Entry[] = [];
  readonly #underWay = new Set<number>();
  readonly #nats = new Map<string, Record<Side, NatsLines>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #active = new Map<string, number>(); // when it was, by role
  #quietMs = TCP_QUIET_MS;
  #turns = Promise.resolve();
  #events = 0;
  #saidBehind = 0;
  #left = 0; // how many waited after the last flush
  #over = false;

  constructor(
    { presenter, paced = false, whole = false, now }: TimelineOptions,
  ) {
    const start = performance.now();
    this.#now = now ?? (() => performance.now() - start);
    this.#presenter = presenter;
    this.#paced = paced;
    this.#whole = whole;
    if (paced) this.turn = (role) => this.#turn(role);
  }

  begin(cast: Cast, sentences: string[] = []): void {
    if (cast.members.some(({ listens }) => listens === "udp")) {
      this.#quietMs = QUIET_MS;
    }
    this.#presenter.begin(cast, sentences);
  }

  link(link: Link): void {
    if (this.#over) return;
    this.#add("other", link.server, (at) => this.#presenter.link(link, at));
  }

  note(text: string): void {
    this.moment((at) => this.#presenter.note(text, at));
  }

  /** Something that no program did; `show` is called when its place has come. */
  moment(show: (at: number) => void): void {
    if (this.#over) return;
    this.#add("other", "", show);
  }

  state(role: string, state: RunningState): void {
    this.moment((at) => this.#presenter.state?.(role, state, at));
  }

  line(line: Line): void {
    if (this.#over) return;
    const { role } = line;
    const entry = this.#add(
      "line",
      role,
      (at) => this.#presenter.line(line, at),
    );
    const together = (before: Entry) =>
      before.kind === "wire" && before.role === role &&
      (!before.settled || entry.at - before.at < BLUR_MS);
    let index = this.#queue.length - 1;
    for (; index > 0; index--) {
      const before = this.#queue[index - 1];
      if (!before || !together(before)) break;
    }
    this.#move(entry, index);
  }

  stirred(role: string): void {
    this.#active.set(role, this.#now());
  }

  wire(link: Link, event: WireEvent): void {
    if (this.#over) return;
    const [from, to] = ends(link, event);
    const isMessage = event.kind === "message" || event.kind === "datagram";
    // The pieces of a message show when they arrive, each in its place; one that
    // somebody holds shows at once, because it may be there for long.
    const isHeld = event.marks.includes("held");
    if (
      event.fate === "under way" && event.marks.includes("piece") && !isHeld
    ) {
      this.stirred(from);
      return;
    }
    const isUpdate = this.#underWay.has(event.number);
    if (event.fate === "under way") this.#underWay.add(event.number);
    else this.#underWay.delete(event.number);
    if (isMessage && !isUpdate) this.#count(link, from, to, event);
    const size = event.bytes.length;
    const detail: Detail = { size, isUpdate };
    if (link.protocol === "nats" && event.kind === "message" && !isUpdate) {
      detail.lines = this.#natsLines(link, event);
    }
    const kept = this.#whole || size <= KEPT
      ? event
      : { ...event, bytes: event.bytes.slice(0, KEPT) };
    // What has not been shown yet need not be shown twice, if nothing else has
    // happened meanwhile.
    const last = this.#queue.at(-1);
    if (isUpdate && last?.number === event.number) {
      last.show = (at) =>
        this.#presenter.wire(link, kept, { ...detail, isUpdate: false }, at);
      return;
    }
    // Nothing that a client prints before it connects is worth a doubt.
    const kind = event.kind === "connect" || isUpdate ? "other" : "wire";
    const entry = this.#add(
      kind,
      from,
      (at) => this.#presenter.wire(link, kept, detail, at),
      to,
      event.number,
    );
    if (kind === "wire") this.#settle(entry);
    this.stirred(to);
  }

  async ended(ending: Ending): Promise<void> {
    const { role } = ending;
    await pause(FAREWELL_MS);
    if (this.#over) return;
    const reversed = this.#queue.toReversed();
    const last = reversed.find((entry) =>
      entry.role === role && entry.kind === "line"
    );
    // What it did since something came from elsewhere; the latest comes first.
    const start = reversed.findIndex((entry) => entry.to === role);
    const moment = reversed.slice(0, start < 0 ? undefined : start)
      .filter((entry) => entry.role === role);
    const lines = moment.filter(({ kind }) => kind === "line");
    const sent = moment.find(({ kind }) => kind === "wire");
    if (last && sent && lines.length > 1) {
      const index = this.#queue.indexOf(sent);
      if (this.#queue.indexOf(last) < index) this.#move(last, index);
    }
    this.#add("other", role, (at) => this.#presenter.ended(ending, at));
  }

  /**
   * The run is over; shows what is left, and what it came to. What comes later is not
   * shown.
   */
  end({ counts, repeat }: Pick<Totals, "counts" | "repeat">): void {
    this.#flush(Infinity);
    this.#over = true;
    const directions = [...this.#totals.values()];
    this.#presenter.end({ ms: this.#now(), directions, counts, repeat });
  }

  /** Resolves when all programs have been quiet for a moment. */
  async #turn(role: string): Promise<void> {
    if (++this.#events > PACED) return;
    this.stirred(role);
    const before = this.#turns;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns = promise;
    await before;
    const stirred = () => Math.max(...this.#active.values());
    const quiet = this.#quietMs;
    while (this.#now() - stirred() < quiet) await pause(quiet / 4);
    this.stirred(role);
    resolve();
  }

  #count(link: Link, from: string, to: string, event: WireEvent): void {
    const key = `${from} ${to}`;
    const total = this.#totals.get(key) ??
      { from, to, transport: link.transport, messages: 0, bytes: 0 };
    this.#totals.set(key, total);
    total.messages++;
    total.bytes += event.bytes.length;
  }

  #natsLines(link: Link, event: WireEvent): string[] {
    const key = `${link.name} ${event.connection}`;
    const both = this.#nats.get(key) ??
      { client: new NatsLines(), server: new NatsLines() };
    this.#nats.set(key, both);
    return both[event.from].push(event.bytes).flatMap(({ text, payload }) =>
      [text, ...payload === null ? [] : [`  ${readable(payload)}`]]
        .map((line) => fit(visible(line), NATS_COLUMNS))
    );
  }

  #add(
    kind: Entry["kind"],
    role: string,
    show: (at: number) => void,
    to?: string,
    number?: number,
  ): Entry {
    const at = this.#now();
    this.#active.set(role, at);
    const entry = { at, role, to, kind, number, settled: false, show };
    this.#queue.push(entry);
    if (!this.#paced) this.#timer ??= setTimeout(() => this.#check(), IDLE_MS);
    else if (this.#queue.length > PACED) this.#flush(Infinity);
    return entry;
  }

  /** Two turns of the event loop read whatever was there at the same time. */
  #settle(entry: Entry): void {
    if (this.#unsettled.push(entry) > 1) return;
    setImmediate(() =>
      setImmediate(() => {
        for (const entry of this.#unsettled.splice(0)) entry.settled = true;
      })
    );
  }

  #move(entry: Entry, index: number): void {
    const from = this.#queue.indexOf(entry);
    if (from === index) return;
    this.#queue.splice(from, 1);
    this.#queue.splice(index, 0, entry);
    // Times, too, go in one direction.
    const neighbour = this.#queue[index < from ? index + 1 : index - 1];
    entry.at = neighbour?.at ?? entry.at;
  }

  /** Shows what waits when it has waited long enough. */
  #check(): void {
    this.#timer = undefined;
    const first = this.#queue[0]?.at ?? 0, last = this.#queue.at(-1)?.at ?? 0;
    const now = this.#now();
    if (now - last >= IDLE_MS || now - first >= LONGEST_MS) {
      this.#flush(WORK_MS);
    }
    if (this.#queue.length > 0 && this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#check(), IDLE_MS / 2);
    }
  }

  /** Shows what waits, for so many ms. */
  #flush(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const end = performance.now() + ms;
    let shown = 0;
    for (const { at, show } of this.#queue) {
      show(at);
      if (++shown % 16 === 0 && performance.now() > end) break;
    }
    this.#queue.splice(0, shown);
    if (this.#queue.length === 0) {
      this.#saidBehind = 0;
      return;
    }
    if (this.#queue.length > BEHIND + this.#saidBehind) {
      this.#saidBehind = this.#queue.length * 2;
      const count = this.#queue.length.toLocaleString("en-US");
      this.#presenter.note(
        `This picture is ${count} events behind.`,
        this.#now(),
      );
    }
    const more = shown + this.#queue.length > this.#left;
    this.#left = this.#queue.length;
    const isFull = this.#queue.length > FULL;
    const work = isFull ? FULL_WORK_MS : WORK_MS;
    const rest = more ? BUSY_MS : REST_MS;
    this.#timer = setTimeout(() => this.#flush(work), rest);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
