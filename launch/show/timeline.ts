/**
 * The one order in which everything is shown.
 *
 * @module
 */
import type { Example } from "../programs/examples.ts";
import type { WireEvent } from "../wire/relay.ts";

/** A server with what watches over its wire. */
export interface Link {
  /** The roles on the client's and on the server's side. */
  client: string;
  server: string;
  transport: "tcp" | "udp";
  /** Where the server listens, and the relay in front of it. */
  port: number;
  relay: number;
}

/** A line that a program printed. */
export interface Line {
  role: string;
  text: string;
  stream: "stdout" | "stderr";
  /** What was typed into it, at the end of a line that is a prompt. */
  typed: string | undefined;
}

/** Shows a run; `at` is the time since the start in ms. */
export interface Presenter {
  /** Begins, given the script of each role. */
  begin(example: Example, scripts: Record<string, string>): void;
  link(link: Link, at: number): void;
  line(line: Line, at: number): void;
  wire(link: Link, event: WireEvent, at: number): void;
  /** A program has ended. */
  ended(role: string, code: number, at: number): void;
  /** The run is over. */
  end(totals: Totals): void;
}

/** What a run came to. */
export interface Totals {
  ms: number;
  /** By direction, in the order in which they were first used. */
  directions: {
    from: string;
    to: string;
    transport: "tcp" | "udp";
    messages: number;
    bytes: number;
  }[];
}

/** What is shown waits for such a pause, but not longer, and not for more. */
const IDLE_MS = 50, LONGEST_MS = 250, MOST = 500;

/** What arrives within so many ms cannot be told apart; see below. */
const BLUR_MS = 2, FAREWELL_MS = 20;

/** When paced: how long all must be quiet, and how many events are paced. */
const QUIET_MS = 120, PACED = 500;

/** Something to show. */
interface Entry {
  at: number;
  /** Who printed or sent it. */
  role: string;
  /** Whom it was sent to. */
  to: string | undefined;
  kind: "line" | "wire" | "other";
  show: (at: number) => void;
}

/**
 * Puts what programs print and what relays report into one order, and shows it.
 *
 * Its order is true in this sense: **a message shows no later than what its
 * receiver prints because of it.** For a relay takes a message down here, and
 * hands it on only then; the receiver can print only after that; and what it
 * prints comes here, too, behind the message in the same queue.
 *
 * What a program prints and what it sends, however, come here on two ways, and
 * nothing tells which of the two came first when both arrive at once. So what is
 * shown waits in the queue for a moment, to take as little time as possible for
 * each arrival, and where two are too close, this is assumed: a program prints
 * before it sends or closes; only the last line of its life, if it is not the
 * only one of that moment, comes after ("Server closed.").
 *
 * A **paced** timeline also lets nothing happen on the wire, and no line be
 * typed, until all programs have been quiet for a moment. Two programs then
 * never do something at the same time, and every run gives the same order.
 */
export class Timeline {
  readonly #presenter: Presenter;
  readonly #paced: boolean;
  readonly #start = performance.now();
  readonly #totals = new Map<string, Totals["directions"][number]>();
  readonly #queue: Entry[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #active = new Map<string, number>(); // when it was, by role
  #turns = Promise.resolve();
  #events = 0;

  constructor(presenter: Presenter, paced: boolean) {
    this.#presenter = presenter;
    this.#paced = paced;
  }

  begin(example: Example, scripts: Record<string, string>): void {
    this.#presenter.begin(example, scripts);
  }

  link(link: Link): void {
    this.#add("other", link.server, (at) => this.#presenter.link(link, at));
  }

  /** A program has printed a line. */
  line(line: Line): void {
    const { role } = line;
    const entry = this.#add(
      "line",
      role,
      (at) => this.#presenter.line(line, at),
    );
    const blurred = ({ at, kind, role }: Entry) =>
      kind === "wire" && role === entry.role &&
      entry.at - at < BLUR_MS;
    let index = this.#queue.length - 1;
    for (; index > 0; index--) {
      const before = this.#queue[index - 1];
      if (!before || !blurred(before)) break;
    }
    this.#move(entry, index);
  }

  /** A program has printed something that is not a line yet. */
  stirred(role: string): void {
    this.#active.set(role, this.#now());
  }

  /** Takes down what is about to happen on a wire. */
  wire(link: Link, event: WireEvent): void {
    const [from, to] = ends(link, event);
    const { transport } = link;
    const total = this.#totals.get(`${from} ${to}`) ??
      { from, to, transport, messages: 0, bytes: 0 };
    this.#totals.set(`${from} ${to}`, total);
    if (event.kind === "message" || event.kind === "datagram") {
      total.messages++;
      total.bytes += event.bytes.length;
    }
    // Nothing that a client prints before it connects is worth a doubt.
    const kind = event.kind === "connect" ? "other" : "wire";
    this.#add(kind, from, (at) => this.#presenter.wire(link, event, at), to);
    this.stirred(to);
  }

  /** A program has ended; what it did before may still be on its way here. */
  async ended(role: string, code: number): Promise<void> {
    await pause(FAREWELL_MS);
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
    this.#add("other", role, (at) => this.#presenter.ended(role, code, at));
  }

  /** When paced: resolves when all programs have been quiet for a moment. */
  async turn(role: string): Promise<void> {
    if (!this.#paced || ++this.#events > PACED) return;
    this.stirred(role);
    const before = this.#turns;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns = promise;
    await before;
    const stirred = () => Math.max(...this.#active.values());
    while (this.#now() - stirred() < QUIET_MS) await pause(QUIET_MS / 4);
    this.stirred(role);
    resolve();
  }

  /** The run is over; shows what is left, and the totals. */
  end(): void {
    this.#flush();
    const directions = [...this.#totals.values()];
    this.#presenter.end({ ms: this.#now(), directions });
  }

  #add(
    kind: Entry["kind"],
    role: string,
    show: (at: number) => void,
    to?: string,
  ): Entry {
    const at = this.#now();
    this.#active.set(role, at);
    const entry = { at, role, to, kind, show };
    this.#queue.push(entry);
    if (this.#queue.length >= MOST) this.#flush();
    else if (!this.#paced) {
      this.#timer ??= setTimeout(() => this.#check(), IDLE_MS);
    }
    return entry;
  }

  /** Moves an entry of the queue to an index that is counted without it. */
  #move(entry: Entry, index: number): void {
    const from = this.#queue.indexOf(entry);
    if (from < 0 || index < 0 || from === index) return;
    this.#queue.splice(from, 1);
    this.#queue.splice(index, 0, entry);
    // Times, too, go in one direction.
    const neighbour = this.#queue[index < from ? index + 1 : index - 1];
    entry.at = neighbour?.at ?? entry.at;
  }

  /** Shows what waits when it has waited long enough. */
  #check(): void {
    const first = this.#queue[0]?.at ?? 0, last = this.#queue.at(-1)?.at ?? 0;
    const now = this.#now();
    if (now - last >= IDLE_MS || now - first >= LONGEST_MS) {
      this.#flush();
    } else {
      this.#timer = setTimeout(() => this.#check(), IDLE_MS / 2);
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { at, show } of this.#queue.splice(0)) show(at);
  }

  #now(): number {
    return performance.now() - this.#start;
  }
}

/** The roles that an event goes from and to. */
export function ends(link: Link, event: WireEvent): [string, string] {
  return event.from === "client"
    ? [link.client, link.server]
    : [link.server, link.client];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
