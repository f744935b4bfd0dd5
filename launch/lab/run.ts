/**
 * One run of an example in the lab, from the start of its programs until nothing
 * runs any more.
 *
 * @module
 */
import type { Ending, Watcher } from "../programs/cast.ts";
import type { Command } from "../programs/command.ts";
import { Crew } from "../programs/crew.ts";
import { type Example, type LinkPlan, linksOf } from "../programs/examples.ts";
import type { Program } from "../programs/program.ts";
import type { Reaper } from "../programs/reaper_client.ts";
import { namesOf } from "../show/replay.ts";
import { Timeline } from "../show/timeline.ts";
import type { Conditions } from "../wire/conditions/conditions.ts";
import { Counts } from "../wire/counts.ts";
import { Recording, type Relay, type WireEvent } from "../wire/relay.ts";
import type { Feed } from "./feed.ts";
import { type Item, SHOWN_HELD } from "./messages.ts";
import { Typist } from "./typist.ts";

/** What is on hold is looked at so long after something has happened, in ms. */
const LOOK_MS = 50;

/** How a run is made. */
export interface RunOptions {
  feed: Feed;
  reaper: Reaper;
  own: Record<string, Command>;
  ports: Record<string, number>;
  /** What the network does to a link now. */
  conditions: (link: LinkPlan) => Conditions;
  /** What is on hold: by link, the text that a message must contain. */
  holds: ReadonlyMap<string, string>;
  /** The folder of copies that a role's script is run from. */
  copies: (role: string) => string | undefined;
  /**
   * Called when nothing runs any more, and all has been told to the feed: at once,
   * because what is told to a run that is over is lost.
   */
  over: () => void;
}

/** One run. */
export class Run {
  readonly #example: Example;
  readonly #options: RunOptions;
  readonly #links: LinkPlan[];
  readonly #counts = new Counts();
  readonly #recorder: Recording;
  readonly #timeline: Timeline;
  readonly #typist: Typist;
  readonly #crew: Crew;
  readonly #finished = Promise.withResolvers<void>();
  readonly #failed = new Map<string, number>();
  /** Those whose end somebody at a page wanted. */
  readonly #excused = new Set<string>();
  #started = false;
  #ending = false;
  #look: ReturnType<typeof setTimeout> | undefined;
  #held = JSON.stringify([[], [], 0]);

  constructor(example: Example, options: RunOptions) {
    this.#example = example;
    this.#options = options;
    this.#links = linksOf(example);
    const { feed, reaper, own, ports, copies } = options;
    this.#recorder = new Recording((event) => this.#took(event));
    const timeline = new Timeline({
      presenter: feed,
      whole: true,
      now: () => this.#recorder.now() / 1000,
    });
    this.#timeline = timeline;
    this.#typist = new Typist((role, prompt) =>
      this.tell((at) => ({ kind: "asks", at, role, prompt }))
    );
    const watcher: Watcher = {
      link: (link) => {
        timeline.link(link);
        this.#hold(link.name);
      },
      state: (role, state) => timeline.state(role, state),
      line: (line) => timeline.line(line),
      stirred: (role) => timeline.stirred(role),
      wire: (link, event) => timeline.wire(link, event),
      ended: (ending) => this.#ended(ending),
      note: (text) => timeline.note(text),
    };
    this.#crew = new Crew(example, {
      ...{ watcher, recorder: this.#recorder, keyboard: this.#typist, reaper },
      ...{ own, ports, paced: false, copies },
      conditions: (link) => {
        const plan = this.#links.find(({ name }) => name === link.name);
        return plan ? options.conditions(plan) : { seed: 0, up: [], down: [] };
      },
    });
  }

  /** When it began, in ms since 1970. */
  get start(): number {
    return this.#recorder.start;
  }

  /** Now, in µs since it began. */
  now(): number {
    return this.#recorder.now();
  }

  /** Tells the feed something in its place. */
  tell(item: (at: number) => Item): void {
    this.#timeline.moment((ms) =>
      this.#options.feed.add(item(Math.round(ms * 1000)))
    );
  }

  /** Starts all programs; what goes wrong ends the run, and is told. */
  async begin(): Promise<void> {
    this.#crew.type().catch((error) => this.#timeline.note(messageOf(error)));
    try {
      await this.#crew.start();
      this.#started = true;
      this.#mayBeOver();
    } catch (error) {
      if (!this.#ending) await this.#finish(messageOf(error));
    }
  }

  /** Ends all programs. */
  async stop(): Promise<void> {
    if (!this.#ending) await this.#finish("");
    else await this.#finished.promise;
  }

  /** Starts a program again that has ended. */
  async restart(role: string): Promise<void> {
    this.#failed.delete(role);
    this.#excused.delete(role);
    this.#typist.forget(role);
    try {
      await this.#crew.restart(role);
    } finally {
      this.#mayBeOver();
    }
  }

  /** Types a line into a program, now or when it asks; null ends its input. */
  async type(role: string, line: string | null): Promise<void> {
    const program = this.#running(role);
    if (this.#typist.waits(role)) {
      if (this.#typist.type(role, line)) return;
      throw new Error(`Too many lines wait for ${role}.`);
    }
    // One may also type before one is asked.
    if (line === null) await program.endInput();
    else await program.type(line);
  }

  /** Sends a signal that somebody wanted. */
  kill(role: string, signal: "SIGINT" | "SIGKILL"): void {
    const program = this.#running(role);
    this.#excused.add(role);
    program.kill(signal);
  }

  /** The relay of a link. */
  relay(link: string): Relay | undefined {
    return this.#crew.relay(link);
  }

  /** The relays, with their links. */
  relays(): { link: LinkPlan; relay: Relay }[] {
    return this.#links.flatMap((link) => {
      const relay = this.#crew.relay(link.name);
      return relay ? [{ link, relay }] : [];
    });
  }

  /** Takes over what `conditions` says now of a link. */
  changed(link: string): void {
    const plan = this.#links.find(({ name }) => name === link);
    if (plan) this.relay(link)?.change(this.#options.conditions(plan));
  }

  /** Takes over what `holds` says now of a link. */
  changedHold(link: string): void {
    this.#hold(link);
    this.#lookAtHeld();
  }

  /** What is held on all links, the oldest first. */
  held(): { relay: Relay; event: WireEvent }[] {
    return this.relays().flatMap(({ relay }) =>
      relay.held().map((event) => ({ relay, event }))
    ).sort((a, b) => a.event.number - b.event.number);
  }

  #running(role: string): Program {
    const program = this.#crew.program(role);
    if (program && program.status === undefined && !this.#ending) {
      return program;
    }
    throw new Error(`${role} does not run.`);
  }

  #hold(link: string): void {
    const containing = this.#options.holds.get(link);
    const relay = this.relay(link);
    if (containing === undefined) {
      relay?.hold(null);
      return;
    }
    const wanted = new TextEncoder().encode(containing);
    relay?.hold(({ kind, bytes, marks }) => {
      if (marks.includes("injected") || kind === "connect") return false;
      if (wanted.length === 0) return kind !== "reset";
      return contains(bytes, wanted);
    });
  }

  #took(event: WireEvent): void {
    this.#counts.take(event);
    if (event.marks.includes("held")) this.#lookAtHeld();
  }

  /** Tells soon what is on hold, if that has changed. */
  #lookAtHeld(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      if (!this.#ending) this.tellHold(false);
    }, LOOK_MS);
  }

  /** Tells what is on hold; only if it has changed, unless `always`. */
  tellHold(always: boolean): void {
    const held = this.held().map(({ event }) => event.number);
    const links = [...this.#options.holds]
      .map(([name, containing]) => ({ name, containing }));
    const total = held.length;
    const shown = held.slice(0, SHOWN_HELD);
    const text = JSON.stringify([links, shown, total]);
    if (text === this.#held && !always) return;
    this.#held = text;
    this.tell((at) => ({ kind: "hold", at, links, held: shown, total }));
  }

  async #ended(ending: Ending): Promise<void> {
    const { role, code, stopped } = ending;
    this.#typist.forget(role);
    if (code !== 0 && !stopped && !this.#excused.has(role)) {
      this.#failed.set(role, code);
    }
    await this.#timeline.ended(ending);
    this.#mayBeOver();
  }

  #mayBeOver(): void {
    if (!this.#started || this.#ending || this.#crew.busy) return;
    const failed = [...this.#failed]
      .map(([role, code]) => `${role} ended with status ${code}`);
    this.#finish(failed.join(", "));
  }

  /** Ends what still runs, and tells the end. */
  async #finish(failure: string): Promise<void> {
    this.#ending = true;
    clearTimeout(this.#look);
    const { feed } = this.#options;
    try {
      await this.#crew.stop();
      await this.#crew.settled();
      await this.#crew[Symbol.asyncDispose]();
    } finally {
      this.tellHold(false);
      feed.failure = failure;
      const names = new Map(this.#links.map((link) => [link.name, link]));
      this.#timeline.end({
        counts: this.#counts.lines(namesOf(names)),
        repeat: "",
      });
      this.#options.over();
      this.#finished.resolve();
    }
  }
}

/** Whether bytes contain others. */
function contains(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first); at >= 0;) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return true;
    at = bytes.indexOf(first, at + 1);
  }
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`;
}
