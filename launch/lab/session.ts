/**
 * What pages do together: an example that is chosen, started, disturbed and stopped.
 *
 * @module
 */
import { castOf } from "../launch.ts";
import { quoted } from "../options.ts";
import type { Command } from "../programs/command.ts";
import { type Example, linksOf } from "../programs/examples.ts";
import type { Reaper } from "../programs/reaper_client.ts";
import { replay } from "../show/replay.ts";
import type { Network } from "../wire/conditions/conditions.ts";
import { parseNet } from "../wire/conditions/parse.ts";
import type { Relay } from "../wire/relay.ts";
import type { SavedRun } from "../wire/saved_run.ts";
import { scriptOf } from "./edits.ts";
import { Feed } from "./feed.ts";
import { type FromPage, type Item, SHOWN_BYTES } from "./messages.ts";
import { Run } from "./run.ts";
import type { Send, Sources } from "./sources.ts";

/** The largest datagram, and the largest message that may be put into a stream. */
const DATAGRAM = 65_507, MESSAGE = 1_048_576;

/** The largest seed that is drawn. */
const SEEDS = 999_999;

/** What all sessions of a lab share. */
export interface Shared {
  reaper: Reaper;
  sources: Sources;
  /** The examples that can be chosen. */
  examples: readonly Example[];
  /** Why an example cannot be run here; "" if it can. */
  missing: (example: Example) => string;
  /** Commands of the user's own, by role. */
  own: Record<string, Command>;
  ports: Record<string, number>;
  /** Conditions for each link that are set from the beginning; "" for none. */
  net: string;
  /** The words of the command that does the same in a terminal, if not a task's. */
  command?: string[];
}

/** What a page asked for cannot be done; one line for the user. */
export class Refused extends Error {
  override name = "Refused";
}

/** One example at a time, for all pages that have joined. */
export class Session {
  readonly id: string = crypto.randomUUID();
  readonly feed: Feed = new Feed();
  readonly #shared: Shared;
  readonly #net = new Map<string, string>(); // what was asked for, by link
  readonly #holds = new Map<string, string>();
  #example: Example | undefined;
  #network: Network | undefined;
  #seed = drawn();
  #run: Run | undefined;
  #copies = new Map<string, string>(); // by role
  #edited = new Set<string>();
  #end = 0; // when the last run ended, in µs since it began
  #turn: Promise<unknown> = Promise.resolve();

  constructor(shared: Shared) {
    this.#shared = shared;
    this.feed.edited = (role) => this.#edited.has(role);
  }

  /** The example that is chosen. */
  get example(): Example | undefined {
    return this.#example;
  }

  /** The seed of the run. */
  get seed(): number {
    return this.#seed;
  }

  /** The command that does the same in a terminal. */
  get command(): string {
    if (!this.#example) return "";
    const own = Object.entries(this.#shared.own)
      .flatMap(([role, { text }]) => [`--${role}`, text]);
    const task = ["deno", "task", this.#example.name, ...own];
    return quoted([
      ...this.#shared.command ?? task,
      ...this.#network?.options ?? [],
    ]);
  }

  /** What is typed after `--net` for all of its links. */
  get net(): string {
    return this.#network?.options[1] ?? "";
  }

  /** Does what a page asks for; throws an Error with one line if it cannot. */
  async handle(
    message: FromPage,
    send: Send,
  ): Promise<void> {
    switch (message.type) {
      case "join":
        throw new Refused("This page has joined a run already.");
      case "choose":
        return await this.#inTurn(() => this.#choose(message.example));
      case "start":
        return await this.#inTurn(() =>
          this.#start(message.edited, message.seed)
        );
      case "stop":
        return await this.stop();
      case "type":
        await this.#running().type(message.role, message.line);
        return this.#did("type", message.role, message.line);
      case "end-input":
        await this.#running().type(message.role, null);
        return this.#did("end-input", message.role);
      case "interrupt":
        this.#running().kill(message.role, "SIGINT");
        return this.#did("interrupt", message.role);
      case "kill":
        this.#running().kill(message.role, "SIGKILL");
        return this.#did("kill", message.role);
      case "restart":
        return await this.#restart(message.role, message.edited);
      case "net":
        return await this.#inTurn(() =>
          this.#change(message.link, message.conditions, "net")
        );
      case "stall":
        return await this.#inTurn(() => this.#stall(message.link));
      case "hold":
        return this.#hold(message);
      case "next":
        return this.#next();
      case "release":
        return this.#release(message.number, message.bytes);
      case "drop":
      case "double":
        return this.#held(
          message.number,
          message.type,
          (relay) => relay[message.type](message.number),
        );
      case "cut":
        return this.#held(
          message.number,
          "cut",
          (relay) => relay.cut(message.number, message.at),
          `at byte ${message.at}`,
        );
      case "inject":
        return this.#inject(message);
      case "reset":
        return this.#reset(message.link, message.connection);
      case "bytes": {
        const kept = this.feed.event(message.number);
        if (!kept) {
          throw new Refused(`Event #${message.number} is no longer kept.`);
        }
        const { bytes } = kept.event;
        return send({
          type: "bytes",
          number: message.number,
          bytes: bytes.subarray(0, SHOWN_BYTES).toBase64(),
          size: bytes.length,
        });
      }
      case "source":
      case "edit":
      case "check":
      case "revert":
      case "undo-revert":
        return await this.#shared.sources.handle(message, send);
    }
  }

  /** Chooses an example; it is started later. */
  async #choose(name: string): Promise<void> {
    const example = this.#shared.examples.find((one) => one.name === name);
    if (!example) throw new Refused(`There is no example ${name} here.`);
    await this.#stop();
    this.#example = example;
    this.#net.clear();
    this.#holds.clear();
    this.#edited.clear();
    this.#copies.clear();
    this.#seed = drawn();
    for (const { name } of linksOf(example)) {
      this.#net.set(name, this.#shared.net);
    }
    await this.#parse();
    await this.#clear("", Date.now());
  }

  /** Shows a saved run. */
  async open(run: SavedRun, file: string): Promise<void> {
    await this.#inTurn(() => this.#open(run, file));
  }

  /** Ends all programs. */
  async stop(): Promise<void> {
    await this.#inTurn(() => this.#stop());
  }

  async #open(run: SavedRun, file: string): Promise<void> {
    await this.#stop();
    this.#example = undefined;
    this.#net.clear();
    this.#holds.clear();
    this.#network = undefined;
    this.#seed = run.header.seed;
    this.feed.clear({
      example: "",
      seed: run.header.seed,
      opened: file,
      start: run.header.start,
    });
    replay(run, this.feed, file);
  }

  async #stop(): Promise<void> {
    await this.#run?.stop();
    this.#run = undefined;
  }

  /** One after the other, what would not go well together. */
  async #inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    await turn;
  }

  async #start(edited: string[], seed: number | null): Promise<void> {
    const example = this.#example;
    if (!example) throw new Refused("Choose an example first.");
    if (this.#run) throw new Refused("It runs already.");
    const missing = this.#shared.missing(example);
    if (missing) throw new Refused(missing);
    this.#copies.clear();
    this.#edited.clear();
    for (const role of edited) await this.#useCopy(role, true);
    this.#seed = seed ?? drawn();
    await this.#parse();
    const { reaper, own, ports } = this.#shared;
    const run = new Run(example, {
      ...{ feed: this.feed, reaper, own, ports, holds: this.#holds },
      conditions: (link) =>
        this.#network?.of(link) ?? { seed: this.#seed, up: [], down: [] },
      copies: (role) => this.#copies.get(role),
      over: () => {
        if (this.#run !== run) return;
        this.#end = run.now();
        this.#run = undefined;
      },
    });
    await this.#clear("", run.start);
    this.#run = run;
    this.#did("start");
    run.begin(); // what goes wrong is told by the run itself
  }

  async #restart(role: string, edited: boolean): Promise<void> {
    const run = this.#running();
    await this.#useCopy(role, edited);
    await run.restart(role);
    this.#did("restart", role);
  }

  /** From now on, a role's program is started from its copy, or from the original. */
  async #useCopy(name: string, edited: boolean): Promise<void> {
    this.#copies.delete(name);
    this.#edited.delete(name);
    if (!edited) return;
    const role = this.#example?.roles.find((role) => role.name === name);
    if (!role) throw new Refused(`There is no role ${name} here.`);
    if (role.command || name in this.#shared.own) {
      throw new Refused(`${name} is no script of this project.`);
    }
    const script = await scriptOf(
      role.task ?? `${this.#example?.name}:${name}`,
    );
    if (!await this.#shared.sources.edits.has(script)) {
      throw new Refused(`${script} has not been edited.`);
    }
    this.#copies.set(name, await this.#shared.sources.edits.prepare(script));
    this.#edited.add(name);
  }

  /** Begins the feed anew, with what is known before anything happens. */
  async #clear(opened: string, start: number): Promise<void> {
    const example = this.#example;
    if (!example) return;
    this.#end = 0;
    this.feed.clear({
      ...{ example: example.name, seed: this.#seed, opened, start },
    });
    this.feed.begin(await castOf(example, this.#shared.own));
    this.#tellNet();
    if (this.#holds.size > 0) this.#tellHold();
  }

  // ------------------------------------------------------------------ the network

  async #stall(link: string): Promise<void> {
    const { transport } = this.#link(link);
    if (transport !== "tcp") {
      throw new Refused(
        `The link to ${link} is UDP: there is nothing to stall.`,
      );
    }
    const now = this.#net.get(link) ?? "";
    const isStalled = now.split(" ").includes("stall=0B");
    await this.#change(
      link,
      isStalled ? now : `${now} stall=0B`.trim(),
      "stall",
    );
  }

  /** Sets the conditions of a link. */
  async #change(
    link: string,
    conditions: string,
    action: "net" | "stall",
  ): Promise<void> {
    this.#link(link);
    const words = conditions.split(/\s+/).filter((word) => word !== "");
    // Files are for the terminal, where one may read them anyway.
    const file = words.find((word) => word.startsWith("@"));
    if (file) throw new Refused(`"${file}" is no condition here.`);
    const before = this.#net.get(link);
    this.#net.set(link, words.join(" "));
    try {
      await this.#parse();
    } catch (error) {
      if (before === undefined) this.#net.delete(link);
      else this.#net.set(link, before);
      throw error;
    }
    this.#run?.changed(link);
    this.#tellNet();
    this.#did(action, link, words.join(" "));
  }

  /** Reads the conditions of all links, as they would stand after `--net`. */
  async #parse(): Promise<void> {
    const links = this.#example ? linksOf(this.#example) : [];
    const texts = links.flatMap(({ name }) =>
      (this.#net.get(name) ?? "").split(" ").filter((word) => word !== "")
        .map((word) => links.length > 1 ? `${name}:${word}` : word)
    );
    this.#network = await parseNet(texts, { links, seed: this.#seed });
  }

  #tellNet(): void {
    const links = this.#example ? linksOf(this.#example) : [];
    const conditions = Object.fromEntries(
      links.map(({ name }) => [name, this.#net.get(name) ?? ""]),
    );
    const sentences = this.#network?.sentences() ?? [];
    const command = this.command;
    this.#tell((at) => ({
      ...{ kind: "net", at, links: conditions, sentences, command },
    }));
  }

  // ------------------------------------------------------------------------ hold

  #hold({ link, on, containing }: FromPage & { type: "hold" }): void {
    this.#link(link);
    if (on) this.#holds.set(link, containing);
    else this.#holds.delete(link);
    this.#run?.changedHold(link);
    this.#tellHold();
    this.#did("hold", link, on ? containing || "on" : "off");
  }

  #tellHold(): void {
    if (this.#run) return this.#run.tellHold(true);
    const links = [...this.#holds]
      .map(([name, containing]) => ({ name, containing }));
    this.#tell((at) => ({ kind: "hold", at, links, held: [], total: 0 }));
  }

  #next(): void {
    const [oldest] = this.#running().held();
    if (!oldest) throw new Refused("Nothing is held.");
    this.#held(
      oldest.event.number,
      "next",
      (relay) => relay.release(oldest.event.number),
    );
  }

  #release(number: number, text: string | null): void {
    const bytes = text === null ? undefined : Uint8Array.fromBase64(text);
    this.#held(number, "release", (relay, { transport }) => {
      if (bytes) checkSize(bytes, transport);
      return relay.release(number, bytes);
    });
  }

  /** Does something to what is held. */
  #held(
    number: number,
    action: FromPage["type"],
    act: (relay: Relay, link: { transport: "tcp" | "udp" }) => boolean,
    text = "",
  ): void {
    const run = this.#running();
    const done = run.relays().some(({ relay, link }) => act(relay, link));
    if (!done) {
      throw new Refused(
        run.held().some(({ event }) => event.number === number)
          ? `That cannot be done to #${number}.`
          : `#${number} is not held any more.`,
      );
    }
    run.changedHold("");
    this.#did(action, "", text ? `#${number} ${text}` : `#${number}`);
  }

  #inject(
    { link, connection, from, bytes }: FromPage & { type: "inject" },
  ): void {
    const { transport } = this.#link(link);
    const data = Uint8Array.fromBase64(bytes);
    checkSize(data, transport);
    if (data.length === 0 && transport === "tcp") {
      throw new Refused("A stream carries bytes: write at least one.");
    }
    const relay = this.#relay(link);
    if (!relay.inject(connection, from, data)) {
      throw new Refused(
        connection === 0
          ? "A stranger can only send a datagram to a server."
          : `There is no connection #${connection} on the link to ${link} now.`,
      );
    }
    this.#did("inject", link, `${data.length} bytes from the ${from}'s side`);
  }

  #reset(link: string, connection: number): void {
    const { transport } = this.#link(link);
    if (transport !== "tcp") {
      throw new Refused(`The link to ${link} is UDP: it has no connections.`);
    }
    if (!this.#relay(link).reset(connection)) {
      throw new Refused(
        `There is no connection #${connection} on the link to ${link} now.`,
      );
    }
    this.#did("reset", link, `#${connection}`);
  }

  // ------------------------------------------------------------------------ other

  #running(): Run {
    if (!this.#run) throw new Refused("Nothing runs. Start it first.");
    return this.#run;
  }

  #relay(link: string): Relay {
    const relay = this.#running().relay(link);
    if (!relay) throw new Refused(`The link to ${link} does not stand yet.`);
    return relay;
  }

  #link(name: string): { transport: "tcp" | "udp" } {
    const links = this.#example ? linksOf(this.#example) : [];
    const link = links.find((link) => link.name === name);
    if (!link) throw new Refused(`There is no link to ${name} here.`);
    return link;
  }

  #did(action: FromPage["type"], role = "", text = ""): void {
    this.#tell((at) => ({ kind: "did", at, action, role, text }));
  }

  #tell(item: (at: number) => Item): void {
    if (this.#run) this.#run.tell(item);
    else this.feed.add(item(this.#end));
  }
}

function checkSize(bytes: Uint8Array, transport: "tcp" | "udp"): void {
  const most = transport === "udp" ? DATAGRAM : MESSAGE;
  if (bytes.length <= most) return;
  throw new Refused(
    `That is ${bytes.length.toLocaleString("en-US")} bytes, and ` +
      `${most.toLocaleString("en-US")} are the most.`,
  );
}

function drawn(): number {
  return 1 + Math.floor(Math.random() * SEEDS);
}
