/**
 * A direction of a link as a queue with due times.
 *
 * Datagrams of all peers share one queue and may overtake each other. Each TCP
 * connection has a queue for each direction, which keeps its order. With nothing
 * to wait for, what comes leaves at once, past the queue.
 *
 * @module
 */
import type { Parcel } from "./conditions/trouble.ts";
import type { Direction, Stop } from "./direction.ts";
import type { Fate, Kind, Mark, Recorder, Side, WireEvent } from "./relay.ts";

/** How many bytes may wait: a stream is read no further, datagrams are lost. */
const STREAM_BYTES = 1024 ** 2, DATAGRAM_BYTES = 64 * 1024 ** 2;

/** A datagram in a queue takes about so many bytes more than it holds. */
const OVERHEAD = 256;

/** The longest time that a timer can wait, in ms. */
const LONGEST_MS = 2 ** 31 - 1;

const NOTHING = new Uint8Array();

/** What a queue needs to know, and whom it tells. */
export interface LaneOptions {
  link: string;
  from: Side;
  direction: Direction;
  recorder: Recorder;
  /** Whether what comes keeps its order (TCP). */
  ordered: boolean;
  /** Hands it on; false means: no more before {@linkcode Lane.unblock}. */
  out(kind: Kind, connection: number, bytes: Uint8Array): boolean;
  /** There is room in the queue again. */
  room?(): void;
  /** A condition stops the stream. */
  stop?(stop: Stop): void;
}

/** One queue. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #queue: Parcel[] = []; // by due time; those before #head have left
  #head = 0;
  #held: Parcel[] = [];
  #holds: ((event: WireEvent) => boolean) | null = null;
  #bytes = 0; // waiting, with OVERHEAD
  #behind = 0; // so many wait to be overtaken
  #blocked = false;
  #wasFull = false;
  #closed = false;
  #running = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #watches: ReturnType<typeof setTimeout>[] = [];
  #left = -Infinity; // when the last one left
  #turn = false; // it is waiting for its turn
  readonly #began: number;
  #sum = 0; // bytes that have left
  /** Where conditions that came later began to count. */
  readonly #since = new Map<string, { bytes: number; at: number }>();
  #stalledBy: string | null = null;
  #complained = -Infinity;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#began = options.recorder.now();
  }

  /**
   * Whether a stream should not be read for now. Once it was, `room` is called
   * when it is not any more.
   */
  get full(): boolean {
    const full = this.#blocked || this.#bytes >= STREAM_BYTES;
    this.#wasFull ||= full;
    return full;
  }

  /** Whether nothing waits here. */
  get empty(): boolean {
    return this.#queue.length === this.#head && this.#held.length === 0;
  }

  /** Which side it comes from. */
  get from(): Side {
    return this.#options.from;
  }

  /** Whether a condition lets nothing pass. */
  get stalled(): boolean {
    return this.#stalledBy !== null;
  }

  /**
   * Takes what has just come, or came at `at` (µs); its bytes belong to the queue
   * from now on.
   */
  take(
    kind: Kind,
    connection: number,
    bytes: Uint8Array = NOTHING,
    { text = "", mark, at }: { text?: string; mark?: Mark; at?: number } = {},
  ): void {
    if (this.#closed) return;
    const { direction, recorder, ordered } = this.#options;
    const now = at ?? recorder.now();
    const parcel: Parcel = {
      ...{ kind, connection, bytes, sent: now, due: now, gap: 0, lost: false },
      ...{ behind: 0, group: 0, marks: mark ? [mark] : [], causes: [] },
      ...{ origin: null, number: 0, reported: false },
    };
    if (text) parcel.text = text;
    if (direction.calm && this.#isFree()) {
      this.#leave(parcel, at === undefined ? now : recorder.now());
      return;
    }
    const parcels = direction.pass(parcel, now);
    for (const one of parcels) {
      // What waits for its turn may become a part of what waits before it.
      if (!recorder.turn) one.number = recorder.next();
      const size = one.bytes.length + OVERHEAD;
      if (!one.lost && !ordered && this.#bytes + size > DATAGRAM_BYTES) {
        one.lost = true;
        one.causes.push("relay");
        this.#complain(now);
      }
      if (one.lost) this.#report(one, "lost", null);
      else this.#insert(one);
    }
    this.run();
    // What only waits for the other side to take it is reported when it leaves.
    if (recorder.turn || (direction.calm && !this.stalled)) return;
    for (const one of parcels) {
      if (one.lost || one.reported) continue;
      this.#report(one, "under way", null);
    }
  }

  /** Sends what is due. */
  run(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    while (this.#step());
    this.#running = false;
    if (this.#head > 1000 || this.#head === this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** The other side can take more again. */
  unblock(): void {
    this.#blocked = false;
    this.run();
    this.#tellRoom();
  }

  /** The other side can take no more for now. */
  block(): void {
    this.#blocked = true;
  }

  /** Lets nothing pass any more, as long as that condition is at work. */
  stall(cause: string): void {
    this.#stalledBy = cause;
  }

  /** New conditions count bytes and time of the stream from now on. */
  countFrom(causes: string[]): void {
    const at = this.#options.recorder.now();
    for (const cause of causes) {
      this.#since.set(cause, { bytes: this.#sum, at });
    }
    this.watchTime();
  }

  /** Looks again when limits by time may be reached. */
  watchTime(): void {
    for (const us of this.#options.direction.limitTimes) {
      const ms = Math.min(us / 1000, LONGEST_MS);
      const timer = setTimeout(() => this.run(), Math.ceil(ms));
      Deno.unrefTimer(timer);
      this.#watches.push(timer);
    }
  }

  /** Holds what comes from now on, if the function says so; null ends that. */
  hold(holds: ((event: WireEvent) => boolean) | null): void {
    this.#holds = holds;
    if (holds) return;
    for (const parcel of this.#held.splice(0)) this.#go(parcel);
    this.run();
  }

  /** What is held, as events. */
  held(): WireEvent[] {
    return this.#held.map((parcel) => this.#event(parcel, "under way", null));
  }

  /** Lets a held one go: see Relay. */
  release(number: number, how: "once" | "twice", bytes?: Uint8Array): boolean {
    const index = this.#held.findIndex((parcel) => parcel.number === number);
    const parcel = this.#held[index];
    if (!parcel) return false;
    if (how === "twice" && parcel.kind !== "datagram") return false;
    if (bytes) {
      parcel.bytes = bytes;
      parcel.marks.push("changed");
    }
    const first = this.#options.ordered ? 0 : index;
    for (const one of this.#held.splice(first, index + 1 - first)) {
      this.#go(one);
    }
    if (how === "twice") {
      const copy: Parcel = {
        ...parcel,
        marks: [...parcel.marks, "again"],
        origin: parcel,
        number: this.#options.recorder.next(),
      };
      this.#go(copy);
    }
    this.run();
    return true;
  }

  /** Lets the first bytes of a held message go, and holds the rest. */
  cut(number: number, at: number): boolean {
    const index = this.#held.findIndex((parcel) => parcel.number === number);
    const parcel = this.#held[index];
    if (parcel?.kind !== "message" || at < 1 || at >= parcel.bytes.length) {
      return false;
    }
    const rest: Parcel = {
      ...parcel,
      bytes: parcel.bytes.subarray(at),
      marks: [...parcel.marks.filter((mark) => mark !== "piece"), "piece"],
      causes: [...parcel.causes],
      // All pieces are of the first one.
      origin: parcel.origin ?? parcel,
      number: this.#options.recorder.next(),
    };
    parcel.bytes = parcel.bytes.subarray(0, at);
    if (!parcel.marks.includes("piece")) parcel.marks.push("piece");
    this.#held.splice(index + 1, 0, rest);
    this.release(number, "once");
    this.#report(rest, "under way", null);
    return true;
  }

  /** Loses a held datagram. */
  drop(number: number): boolean {
    const index = this.#held.findIndex((parcel) =>
      parcel.number === number && parcel.kind === "datagram"
    );
    const [parcel] = index < 0 ? [] : this.#held.splice(index, 1);
    if (!parcel) return false;
    this.#report(parcel, "lost", null);
    return true;
  }

  /** Nothing leaves any more; what waits is lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const timer of this.#watches) clearTimeout(timer);
    const cause = this.#stalledBy;
    for (const parcel of [...this.#held, ...this.#queue.slice(this.#head)]) {
      const isData = parcel.kind === "message" || parcel.kind === "datagram";
      if (!parcel.reported && !isData) continue;
      if (cause && !parcel.causes.includes(cause)) parcel.causes.push(cause);
      this.#report(parcel, "lost", null);
    }
    this.#held = [];
    this.#queue.length = this.#head = this.#bytes = 0;
  }

  /** Whether what comes now may leave at once. */
  #isFree(): boolean {
    return this.empty && !this.#blocked && !this.#holds && !this.stalled &&
      !this.#options.recorder.turn && !this.#running;
  }

  /** Puts it where its due time says; a stream keeps its order. */
  #insert(parcel: Parcel): void {
    const { ordered } = this.#options;
    this.#bytes += parcel.bytes.length + OVERHEAD;
    if (parcel.behind > 0) {
      this.#behind++;
      parcel.due += parcel.behind;
    }
    let index = this.#queue.length;
    const last = this.#queue.at(-1);
    if (ordered) {
      if (last && index > this.#head) {
        parcel.due = Math.max(parcel.due, last.due);
      }
    } else {
      let low = this.#head, high = index;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((this.#queue[middle]?.due ?? 0) <= parcel.due) low = middle + 1;
        else high = middle;
      }
      index = low;
    }
    if (index === this.#queue.length) this.#queue.push(parcel);
    else this.#queue.splice(index, 0, parcel);
  }

  /** Sends the next one if it is due; false if there is nothing to do now. */
  #step(): boolean {
    const { direction, recorder, ordered, stop } = this.#options;
    if (this.#blocked || this.#closed || this.#turn) return false;
    const now = recorder.now();
    if (this.#stalledBy !== null) {
      if (direction.has(this.#stalledBy, now)) return false;
      this.#stalledBy = null;
    }
    const stream = (cause: string) => {
      const { bytes, at } = this.#since.get(cause) ??
        { bytes: 0, at: this.#began };
      return { bytes: this.#sum - bytes, age: now - at };
    };
    const limit = ordered ? direction.limit(stream, now) : null;
    if (limit?.stop && limit.bytes <= 0) {
      stop?.(limit.stop);
      return false;
    }
    const parcel = this.#queue[this.#head];
    if (!parcel) return false;
    const earliest = Math.max(parcel.due, this.#left + parcel.gap);
    if (earliest > now) {
      this.#wait(earliest - now);
      return false;
    }
    if (recorder.turn && !parcel.reported) {
      this.#takeTurn();
      return false;
    }
    this.#head++;
    this.#bytes -= parcel.bytes.length + OVERHEAD;
    if (limit && parcel.bytes.length > limit.bytes) {
      // The part up to the limit leaves, and the rest stays where it is.
      const rest = { ...parcel, bytes: parcel.bytes.subarray(limit.bytes) };
      this.#queue[--this.#head] = rest;
      this.#bytes += rest.bytes.length + OVERHEAD;
      rest.origin = parcel;
      rest.number = recorder.next();
      rest.marks = [...parcel.marks, "piece"];
      if (limit.stop) rest.causes = [...parcel.causes, limit.stop.cause];
      parcel.bytes = parcel.bytes.subarray(0, limit.bytes);
      parcel.marks.push("piece");
      this.#leave(parcel, now);
      this.#report(rest, "under way", null);
      return true;
    }
    if (this.#mustHold(parcel)) return true;
    this.#leave(parcel, now);
    return true;
  }

  /** Hands it on. */
  #leave(parcel: Parcel, now: number): void {
    const { out, ordered } = this.#options;
    this.#left = now;
    let { bytes } = parcel;
    if (parcel.behind > 0) {
      this.#behind--;
      parcel.behind = 0;
      if (!parcel.marks.includes("late")) parcel.marks.push("late");
    }
    this.#report(parcel, "delivered", now);
    if (parcel.group !== 0) {
      // What was glued to it leaves with it, in one write.
      const parts = [bytes];
      let next = this.#queue[this.#head];
      while (next && next.group === parcel.group && !this.#holds) {
        this.#head++;
        this.#bytes -= next.bytes.length + OVERHEAD;
        this.#report(next, "delivered", now);
        parts.push(next.bytes);
        next = this.#queue[this.#head];
      }
      if (parts.length > 1) bytes = concat(parts);
    }
    this.#sum += bytes.length;
    if (!out(parcel.kind, parcel.connection, bytes)) this.#blocked = true;
    if (!ordered && this.#behind > 0) this.#overtake(parcel, now);
    if (this.#wasFull) this.#tellRoom();
  }

  /** Lets those leave that waited to be overtaken by this one. */
  #overtake(by: Parcel, now: number): void {
    for (let i = this.#head; i < this.#queue.length; i++) {
      const parcel = this.#queue[i];
      if (!parcel || parcel.behind === 0 || parcel.number >= by.number) {
        continue;
      }
      // A delay of its own still counts.
      if (parcel.due - parcel.behind > now) continue;
      this.#queue.splice(i--, 1);
      this.#bytes -= parcel.bytes.length + OVERHEAD;
      parcel.marks.push("overtaken");
      this.#leave(parcel, now);
    }
  }

  #mustHold(parcel: Parcel): boolean {
    const isHeld = this.#holds && !parcel.marks.includes("held") &&
      (this.#options.ordered && this.#held.length > 0 ||
        this.#holds(this.#event(parcel, "under way", null)));
    if (!isHeld) return false;
    parcel.marks.push("held");
    this.#held.push(parcel);
    this.#report(parcel, "under way", null);
    return true;
  }

  /** Puts a held one back into the queue, to leave now. */
  #go(parcel: Parcel): void {
    parcel.due = this.#options.recorder.now();
    parcel.gap = 0;
    this.#bytes += parcel.bytes.length + OVERHEAD;
    const { ordered } = this.#options;
    // What was held came before what waits in the queue.
    let index = this.#head;
    while (this.#queue[index]?.marks.includes("held")) index++;
    if (ordered || index < this.#queue.length) {
      this.#queue.splice(index, 0, parcel);
    } else this.#queue.push(parcel);
  }

  #tellRoom(): void {
    if (!this.#wasFull || this.full) return;
    this.#wasFull = false;
    this.#options.room?.();
  }

  #wait(us: number): void {
    clearTimeout(this.#timer);
    const ms = Math.min(Math.ceil(us / 1000), LONGEST_MS);
    this.#timer = setTimeout(() => this.run(), ms);
  }

  /** Waits for its turn; what comes meanwhile becomes part of the same message. */
  #takeTurn(): void {
    const { recorder, link, from } = this.#options;
    this.#turn = true;
    recorder.turn?.(link, from).then(() => {
      this.#turn = false;
      const first = this.#queue[this.#head];
      if (!first || this.#closed) return;
      if (first.kind === "message" && first.gap === 0) {
        const parts = [first.bytes];
        let next = this.#queue[this.#head + 1];
        while (next?.kind === "message" && next.gap === 0) {
          parts.push(next.bytes);
          this.#queue.splice(this.#head + 1, 1);
          this.#bytes -= OVERHEAD;
          next = this.#queue[this.#head + 1];
        }
        if (parts.length > 1) first.bytes = concat(parts);
      }
      first.reported = true; // it has had its turn
      this.run();
    });
  }

  #report(parcel: Parcel, fate: Fate, delivered: number | null): void {
    parcel.reported = true;
    this.#options.recorder.record(this.#event(parcel, fate, delivered));
  }

  #event(parcel: Parcel, fate: Fate, delivered: number | null): WireEvent {
    const { link, from, recorder } = this.#options;
    parcel.number ||= recorder.next();
    return {
      number: parcel.number,
      kind: parcel.kind,
      link,
      connection: parcel.connection,
      from,
      bytes: parcel.bytes,
      sent: parcel.sent,
      delivered,
      fate,
      marks: parcel.marks.slice(),
      causes: parcel.causes.slice(),
      of: parcel.origin?.number ?? null,
      text: parcel.text ?? "",
    };
  }

  /** The relay's own limit is reached: says so, once a second at most. */
  #complain(now: number): void {
    if (now - this.#complained < 1e6) return;
    this.#complained = now;
    const { link, from, recorder } = this.#options;
    const mebibytes = DATAGRAM_BYTES / 1024 ** 2;
    recorder.record(notice(recorder, link, "trouble", {
      from,
      text:
        `The relay keeps at most ${mebibytes} MiB under way; it loses the rest.`,
    }));
  }
}

/** An event that is none of the wire's own. */
export function notice(
  recorder: Recorder,
  link: string,
  kind: Kind,
  more: { text: string; from?: Side; connection?: number; causes?: string[] },
): WireEvent {
  const now = recorder.now();
  return {
    number: recorder.next(),
    kind,
    link,
    connection: more.connection ?? 0,
    from: more.from ?? "client",
    bytes: NOTHING,
    sent: now,
    delivered: now,
    fate: "delivered",
    marks: [],
    causes: more.causes ?? [],
    of: null,
    text: more.text,
  };
}

function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
