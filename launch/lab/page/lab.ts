/**
 * What the page knows, and what it can ask the lab for.
 *
 * @module
 */
/// <reference lib="dom" />
import type {
  ExampleInfo,
  FromLab,
  FromPage,
  Item,
  PageEvent,
  Welcome,
} from "../messages.ts";
import { fromBase64 } from "./bytes.ts";
import { Connection, type ConnectionState } from "./connection.ts";
import { Draft } from "./drafts.ts";
import { recall, remember } from "./storage.ts";
import { GuideState } from "./guide_state.ts";
import { History, type RunView } from "./view/mod.ts";

/** The panels beside the diagram. */
export type Place =
  | "guide"
  | "bytes"
  | "network"
  | "hold"
  | "program"
  | "keep";

/** How far a run is. `opened`: a saved one, only to be looked at. */
export type Phase = "choose" | "idle" | "running" | "over" | "opened";

/** Something to tell the user, with what to do about it. */
export interface Trouble {
  text: string;
  /** The number of the trouble, so that the same text twice is told twice. */
  id: number;
}

/** How often new events are told to a screen reader, in ms. */
const STATUS_PAUSE = 3_000;

/** The bytes of a whole message, as far as the lab shows it. */
export interface Whole {
  bytes: Uint8Array;
  /** How many there are in all. */
  size: number;
}

/** The state of the page, without any DOM of its own. */
export class Lab {
  readonly connection: Connection;
  /** Grows when the history is another object, so that its view is made anew. */
  generation = 0;
  history: History = new History();
  welcome: Welcome | null = null;
  connected: ConnectionState = "connecting";
  over: (Item & { kind: "over" }) | null = null;
  /** Events up to this number are gone. */
  dropped = 0;
  troubles: Trouble[] = [];
  /** For a screen reader: said when there is a pause, and said at once. */
  polite = "";
  urgent = "";
  /** What is open beside the diagram; null: nothing. */
  place: Place | null = recall<Place>("place");
  /** The event whose bytes are shown. */
  shown: number | null = null;
  /** Whether any program has asked for a line in this run. */
  hasAsked = false;
  readonly guide: GuideState = new GuideState(
    () => [...this.history.items, ...this.looked],
    (step, number) => {
      if (number > 0) this.polite = `Step ${number} is done: ${step.title}`;
      this.changed();
    },
  );
  /** What was looked at, for the guide: the lab is not asked for it. */
  looked: Item[] = [];
  /** Whether the list of examples is open although a run is there. */
  choosing = false;
  keysShown = false;
  /** What draws the run now. */
  view: RunView | null = null;
  readonly drafts: Map<string, Draft> = new Map();
  /** The roles that are started from their edited copies. */
  edited: Set<string> = new Set(recall<string[]>("edited") ?? []);
  /** The script in the editor. */
  script: string | null = recall<string>("script");
  /** The seed for the next start; null: drawn by the lab. */
  seed: number | null = recall<number>("seed");
  /** A run kept aside, to compare with. */
  aside: History | null = null;
  /** Whether the run kept aside is in sight beside this one. */
  asideShown = false;
  #run: string | null = recall<string>("run");
  #last = 0;
  #started = false;
  #listeners = new Set<() => void>();
  #frame = 0;
  #asked = new Map<number, ((whole: Whole) => void)[]>();
  #troubles = 0;
  #fresh = { events: 0, lost: 0 };
  #statusAt = 0;
  #statusTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(address: string) {
    this.connection = new Connection(address, {
      hello: () => ({ type: "join", run: this.#run, after: this.#last }),
      take: (message) => this.#take(message),
      changed: (state) => this.#connected(state),
    });
  }

  /** Calls back once for each frame in which something has changed. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes fields of the page, and shows it. */
  set(change: Partial<Lab>): void {
    Object.assign(this, change);
    this.changed();
  }

  /** Shows what has changed, in the next frame. */
  changed(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      for (const listener of this.#listeners) listener();
    });
  }

  /** False if the lab cannot be reached; the user is told. */
  send(message: FromPage): boolean {
    if (this.connection.send(message)) return true;
    this.complain("The lab is not connected, so that was not done.");
    return false;
  }

  get run(): string {
    return this.#run ?? "";
  }

  get example(): ExampleInfo | undefined {
    const name = this.history.run?.example;
    return this.welcome?.examples.find((example) => example.name === name);
  }

  get phase(): Phase {
    const { run } = this.history;
    if (!run) return "choose";
    if (run.opened) return "opened";
    const states = this.history.roles.map((role) =>
      this.history.state(role)?.state ?? "idle"
    );
    const isAlive = states.some((state) =>
      state === "starting" || state === "listening" || state === "running"
    );
    if (isAlive || this.#started) return "running";
    return this.over || states.includes("ended") ? "over" : "idle";
  }

  /** The roles that wait for a line. */
  get asking(): string[] {
    return this.history.roles.filter((role) =>
      this.history.prompt(role) !== null
    );
  }

  /** Now, in µs since the run started. */
  now(): number {
    const { start = Date.now() } = this.history.run ?? {};
    return Math.max(0, (Date.now() - start) * 1000);
  }

  /** The colour of a program: the same as in the terminal. */
  accent(role: string): string {
    const index = Math.max(0, this.history.roles.indexOf(role));
    return `var(--program-${index % 6 + 1})`;
  }

  // ------------------------------------------------------------------ actions

  choose(example: string): void {
    if (!this.send({ type: "choose", example })) return;
    this.shown = null;
    this.edited = new Set();
    remember("edited", []);
    this.set({ choosing: false, script: null });
    if (this.place === null && matchMedia("(min-width: 1000px)").matches) {
      this.open("guide");
    }
  }

  start(seed: number | null = this.seed): void {
    for (const draft of this.drafts.values()) draft.save();
    const edited = [...this.edited];
    if (this.phase === "running" && !this.send({ type: "stop" })) return;
    if (this.send({ type: "start", edited, seed })) {
      this.shown = null;
      this.#started = true;
      if (this.view) this.view.follow = true;
      this.changed();
    }
  }

  stop(): void {
    this.send({ type: "stop" });
  }

  /** Whether a program is started from its edited copy from now on. */
  useEdited(roles: string[], on: boolean): void {
    for (const role of roles) {
      if (on) this.edited.add(role);
      else this.edited.delete(role);
    }
    remember("edited", [...this.edited]);
    this.changed();
  }

  setSeed(seed: number | null): void {
    remember("seed", seed);
    this.set({ seed });
  }

  open(place: Place | null): void {
    remember("place", place);
    this.set({ place });
  }

  showBytes(number: number): void {
    this.shown = number;
    const [role, text, at] = ["", `#${number}`, this.now()];
    this.guide.look();
    this.looked.push({ kind: "did", at, action: "bytes", role, text });
    this.open("bytes");
  }

  showSource(script: string): void {
    this.loadSource(script);
    this.open("program");
  }

  loadSource(script: string): void {
    remember("script", script);
    this.set({ script });
    if (!this.drafts.has(script)) {
      this.connection.send({ type: "source", script });
    }
  }

  /** The whole of a message. */
  ask(number: number): Promise<Whole> {
    return new Promise((resolve) => {
      const waiting = this.#asked.get(number) ?? [];
      this.#asked.set(number, [...waiting, resolve]);
      if (waiting.length === 0) this.send({ type: "bytes", number });
    });
  }

  /** Switches the hold of a link on or off. */
  hold(link: string, on: boolean, containing = ""): void {
    this.send({ type: "hold", link, on, containing });
  }

  /** What waits at the relays, the oldest first. */
  get held(): PageEvent[] {
    const numbers = this.history.hold?.held ?? [];
    return numbers.flatMap((number) => this.history.event(number) ?? []);
  }

  /** How many wait, also those that are not shown. */
  get waiting(): number {
    return this.history.hold?.total ?? 0;
  }

  isHeld(link: string): boolean {
    return this.history.hold?.links.some(({ name }) => name === link) ?? false;
  }

  /** Holds all links, or lets all go. */
  toggleHold(): void {
    const links = this.example?.links.map(({ name }) => name) ??
      [...this.history.links.keys()];
    const isOn = links.some((link) => this.isHeld(link));
    for (const link of links) this.hold(link, !isOn);
    if (!isOn) this.open("hold");
  }

  next(): void {
    if (this.held.length > 0) this.send({ type: "next" });
    else this.say("Nothing waits.");
  }

  complain(text: string): void {
    this.troubles = [...this.troubles.slice(-2), {
      text,
      id: ++this.#troubles,
    }];
    this.urgent = text;
    this.changed();
  }

  dismiss(id: number): void {
    const troubles = this.troubles.filter((trouble) => trouble.id !== id);
    this.set({ troubles });
  }

  /** Says something to a screen reader when it has time. */
  say(text: string): void {
    this.polite = text;
    this.changed();
  }

  // ----------------------------------------------------------------- from the lab

  #connected(state: ConnectionState): void {
    this.connected = state;
    if (state === "gone") {
      this.urgent =
        "The lab has gone. Start it again with deno task lab, then reload.";
    }
    if (state === "open") {
      for (const draft of this.drafts.values()) {
        draft.forget();
        this.connection.send({ type: "source", script: draft.source.script });
      }
      for (const number of this.#asked.keys()) {
        this.connection.send({ type: "bytes", number });
      }
    } else {
      this.#started = false;
    }
    this.changed();
  }

  #take(message: FromLab): void {
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "items":
        return this.#items(message.first, message.items);
      case "bytes": {
        const { number, size } = message;
        const whole = { bytes: fromBase64(message.bytes), size };
        for (const resolve of this.#asked.get(number) ?? []) resolve(whole);
        this.#asked.delete(number);
        return;
      }
      case "source":
        return this.#source(message.source);
      case "failed":
        if (message.what === "start") this.#started = false;
        if (message.what === "bytes") this.#asked.clear();
        for (const draft of this.drafts.values()) {
          if (message.what === "edit" || message.what === "check") {
            draft.forget();
            const { script } = draft.source;
            this.connection.send({ type: "source", script });
          }
        }
        // A conflict is told, and ended, in the editor.
        if (
          message.what === "edit" &&
          [...this.drafts.values()].some(({ conflict }) => conflict !== null)
        ) return;
        return this.complain(message.text);
    }
  }

  #welcome(welcome: Welcome): void {
    this.welcome = welcome;
    if (welcome.run !== this.#run) {
      this.#run = welcome.run;
      remember("run", welcome.run);
      this.#reset();
      this.history = new History();
      this.generation++;
      this.#last = 0;
      // With programs of one's own there is nothing to choose between.
      if (welcome.only !== null) this.choose(welcome.only);
    }
    if (this.script !== null && !this.drafts.has(this.script)) {
      this.connection.send({ type: "source", script: this.script });
    }
    this.changed();
  }

  #reset(): void {
    this.over = null;
    this.dropped = 0;
    this.looked = [];
    this.hasAsked = false;
    this.shown = null;
    this.#started = false;
    this.#fresh = { events: 0, lost: 0 };
  }

  #items(first: number, all: Item[]): void {
    // After a new connection some may come again.
    const items = all.slice(Math.max(0, this.#last + 1 - first));
    this.#last = Math.max(this.#last, first + all.length - 1);
    for (const item of items) this.#note(item);
    this.history.add(items);
    this.guide.choose(this.history.run?.example ?? "");
    this.guide.look();
    this.#status();
    this.changed();
  }

  #note(item: Item): void {
    switch (item.kind) {
      case "run":
        this.#reset();
        break;
      case "program":
        this.#started = false;
        this.over = null;
        break;
      case "over":
        this.#started = false;
        this.over = item;
        this.urgent = item.failure || "All programs have ended.";
        break;
      case "asks":
        if (item.prompt !== null) {
          this.hasAsked = true;
          this.urgent = `${item.role} asks: ${item.prompt}`;
        }
        break;
      case "dropped":
        this.dropped = item.upTo;
        break;
      case "wire":
        this.#fresh.events++;
        if (item.event.fate === "lost") this.#fresh.lost++;
        break;
      case "note":
        this.polite = item.text;
        break;
    }
  }

  /** A sentence now and then, so that a screen reader is not drowned. */
  #status(): void {
    const { events, lost } = this.#fresh, now = Date.now();
    if (events === 0) return;
    if (now - this.#statusAt < STATUS_PAUSE) {
      this.#statusTimer ??= setTimeout(() => {
        this.#statusTimer = null;
        this.#status();
      }, STATUS_PAUSE);
      return;
    }
    this.#statusAt = now;
    this.polite = `${events} more on the wire${lost ? `, ${lost} lost` : ""}`;
    this.#fresh = { events: 0, lost: 0 };
    this.changed();
  }

  #source(source: Draft["source"]): void {
    const draft = this.drafts.get(source.script);
    if (draft) return draft.take(source);
    this.drafts.set(
      source.script,
      new Draft(
        source,
        (message) => this.connection.send(message),
        () => this.changed(),
      ),
    );
    this.changed();
  }
}
