/**
 * Launches the programs of an example together.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import {
  type Example,
  LISTENING,
  type Role,
  type TypedLine,
} from "./programs/examples.ts";
import type { Keyboard } from "./programs/keyboard.ts";
import {
  isScript,
  type Observer,
  Program,
  ROOT,
  start,
  taskCommand,
} from "./programs/program.ts";
import { relayTcp } from "./wire/tcp_relay.ts";
import { type Link, type Presenter, Timeline } from "./show/timeline.ts";
import { relayUdp } from "./wire/udp_relay.ts";
import { HOST, Recording, type Relay } from "./wire/relay.ts";

/** Limits in ms; generous, because they only matter when something is wrong. */
const READY = 20_000, STOPPED = 10_000, SETTLED = 1_000, GRACE = 300;

/** How the reaper is run, and the folder that it may delete from. */
const REAPER =
  "run --quiet --allow-run --allow-write=.run launch/programs/reaper.ts";
const FOLDERS = `${ROOT}.run`;

/** The seed for the random numbers of a paced run. */
const SEED = 7;

/** A prompt is one when nothing has followed it for so many ms. */
const PROMPT_MS = 15;

/** How an example is launched. */
export interface LaunchOptions {
  presenter: Presenter;
  keyboard: Keyboard;
  /** Ends everything when it aborts. */
  signal: AbortSignal;
  /** Whether one thing happens at a time; see {@linkcode Timeline}. */
  paced?: boolean;
  /** How long it may take, in ms; no limit, if a person types. */
  limit?: number;
}

/**
 * Runs an example from the start of its servers to the end of all its programs.
 *
 * The servers listen on ports that the system chooses, so that nothing else on
 * this machine is disturbed, and whoever talks to them is told the port of the
 * relay in front of them.
 *
 * Throws an Error when a program does not start, fails or does not end, and the
 * signal's reason when that aborts. Whether it returns or throws: afterwards
 * none of the programs is running.
 */
export async function launch(
  example: Example,
  { presenter, keyboard, signal, paced = false, limit }: LaunchOptions,
): Promise<void> {
  const timeline = new Timeline(presenter, paced);
  const scripts: Record<string, string> = {};
  for (const role of example.roles) {
    const command = role.command ?? await taskCommand(taskOf(example, role));
    scripts[role.name] = [command].flat().find(isScript) ?? `${command}`;
  }
  timeline.begin(example, scripts);
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const timer = limit === undefined ? undefined : setTimeout(() => {
    aborted.reject(new Error(`It takes longer than ${limit / 1000} s`));
  }, limit);
  try {
    await using crew = new Crew(example, timeline, keyboard, paced);
    await Promise.race([crew.play(), aborted.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    timeline.end();
  }
}

function taskOf(example: Example, role: Role): string {
  return role.task ?? `${example.name}:${role.name}`;
}

/** The programs of one example, and the reaper that watches over them. */
class Crew implements AsyncDisposable {
  readonly #example: Example;
  readonly #timeline: Timeline;
  readonly #keyboard: Keyboard;
  readonly #programs = new Map<Role, Program>();
  readonly #relays: Relay[] = [];
  readonly #prompts = new Set<string>();
  readonly #paced: boolean;
  readonly #endings: Promise<void>[] = [];
  readonly #reaper: Deno.ChildProcess;
  readonly #reports: WritableStreamDefaultWriter<Uint8Array>;
  #change = Promise.withResolvers<void>();
  #ending = false; // whatever else was to come does not

  constructor(
    example: Example,
    timeline: Timeline,
    keyboard: Keyboard,
    paced: boolean,
  ) {
    this.#paced = paced;
    this.#example = example;
    this.#timeline = timeline;
    this.#keyboard = keyboard;
    this.#keyboard.onChange = () => this.#notify();
    this.#reaper = new Deno.Command(Deno.execPath(), {
      args: [...REAPER.split(" ")],
      cwd: ROOT,
      stdin: "piped",
    }).spawn();
    this.#reports = this.#reaper.stdin.getWriter();
  }

  /** From the start of the servers to the end of all. */
  async play(): Promise<void> {
    const [first, ...servers] = this.#example.roles;
    const ports: Record<string, number> = {};
    servers.reverse().sort((a, b) =>
      Number(b.first ?? 0) - Number(a.first ?? 0)
    );
    for (const role of servers) {
      const server = await this.#start(role, ports);
      const printed = () => server.stdout + server.stderr;
      if (role.listens) {
        const [, port] = await server.prints(LISTENING, { ms: READY });
        ports[role.name] = await this.#watch(role, server, Number(port));
      }
      if (role.ready) {
        const ready = () => role.ready?.exec(printed());
        const [, port] = await server.until(ready, "get ready", READY);
        if (port) ports[role.name] = Number(port);
      }
    }
    const client = await this.#start(first, ports);
    await Promise.race([this.#type(client), client.ended]);
    if (this.#ending) return;
    await this.#succeeded(client);
    await this.#dismiss();
    await Promise.all(this.#relays.map((relay) => relay.settled(SETTLED)));
  }

  /** Puts a relay in front of a server; returns the relay's port. */
  async #watch(role: Role, server: Program, port: number): Promise<number> {
    const transport = role.listens ?? "tcp";
    const client = role.client ?? this.#example.roles[0].name;
    const link: Link = { client, server: role.name, transport, port, relay: 0 };
    const recorder = new Recording((event) => {
      this.#timeline.wire(link, event);
      if (event.kind === "refused") relay.stopListening();
    });
    if (this.#paced) {
      recorder.turn = (_, from) => this.#timeline.turn(link[from]);
    }
    const relay = await (transport === "tcp" ? relayTcp : relayUdp)({
      link: role.name,
      target: { hostname: HOST, port },
      recorder,
    });
    this.#relays.push(relay);
    server.ended.then(() => relay.stopListening());
    link.relay = relay.address.port;
    this.#timeline.link(link);
    return relay.address.port;
  }

  /** Starts the program of a role. */
  async #start(role: Role, ports: Record<string, number>): Promise<Program> {
    const { name, writes, command } = role;
    const args = role.args(ports, this.#keyboard.isScript);
    const observer: Observer = {
      line: (_, text, stream, typed) => {
        const [shown] = role.shown?.exec(text) ?? [];
        if (role.shown && !shown) return;
        // A prompt that the program itself took back has said all it can say.
        const isPrompt = typed === undefined && this.#prompts.has(text);
        if (isPrompt) this.#timeline.stirred(name);
        else {
          this.#timeline.line({
            role: name,
            text: shown ?? text,
            stream: shown ? "stdout" : stream,
            typed,
          });
        }
      },
      change: () => {
        this.#timeline.stirred(name);
        this.#notify();
      },
    };
    const program = command
      ? run(command, args, observer)
      : await start(taskOf(this.#example, role), args, observer, {
        ...writes ? { cwd: await this.#folder() } : {},
        ...this.#paced ? { seed: SEED } : {},
      });
    this.#programs.set(role, program);
    await this.#report(`+${program.pid}`);
    program.ended.then(() => this.#report(`-${program.pid}`));
    this.#endings.push(
      program.ended.then(({ code }) => this.#timeline.ended(role.name, code)),
    );
    return program;
  }

  /** Makes a folder that the reaper deletes in the end. */
  async #folder(): Promise<string> {
    await Deno.mkdir(FOLDERS, { recursive: true });
    const folder = await Deno.makeTempDir({ dir: FOLDERS });
    await this.#report(`/${folder}`);
    return folder;
  }

  /** Types lines, each into the program that asks, while the client runs. */
  async #type(client: Program): Promise<void> {
    let since = new Map<Role, number>(); // how much was printed by the last line
    while (client.status === undefined) {
      const changed = this.#change.promise;
      const asking = await this.#asking();
      this.#keyboard.show(asking?.[1].prompt ?? "");
      const next = asking && this.#keyboard.next();
      if (!asking || next === undefined || !this.#isDue(next, since)) {
        await changed;
        continue;
      }
      const [{ name }, program] = asking;
      await this.#timeline.turn(name);
      this.#keyboard.take();
      this.#keyboard.show("");
      const programs = [...this.#programs];
      since = new Map(programs.map(([role, p]) => [role, p.stdout.length]));
      if (next === null) await program.endInput();
      else await program.type(typeof next === "string" ? next : next.type);
    }
    this.#keyboard.show("");
  }

  /** Whether what a line waits for has been printed. */
  #isDue(line: string | TypedLine | null, since: Map<Role, number>): boolean {
    if (line === null || typeof line === "string") return true;
    const { role: name, prints } = line.after;
    return this.#programs.entries().some(([role, { stdout }]) =>
      role.name === name && prints.test(stdout.slice(since.get(role) ?? 0))
    );
  }

  /** Who asks; not a program in the middle of printing a long line. */
  async #asking(): Promise<[Role, Program] | undefined> {
    const asks = ([, { asking }]: [Role, Program]) => asking;
    const first = this.#programs.entries().find(asks);
    const prompt = first?.[1].prompt;
    if (!first || !prompt) return undefined;
    await pause(PROMPT_MS);
    if (first[1].prompt !== prompt) return undefined;
    this.#prompts.add(prompt);
    return first;
  }

  /** Ends the servers as a user would, and checks that they end well. */
  async #dismiss(): Promise<void> {
    for (const [role, program] of [...this.#programs].reverse()) {
      if (!role.endsWithClient) program.kill("SIGTERM");
      // Windows has no signals: there, kill() ends a program without asking.
      const killed = Deno.build.os === "windows" && !role.endsWithClient;
      if (killed || role.command) await program.exits(STOPPED);
      else await this.#succeeded(program, STOPPED);
    }
  }

  async #succeeded(program: Program, ms?: number): Promise<void> {
    const { code } = ms === undefined
      ? await program.ended
      : await program.exits(ms).then((code) => ({ code }));
    if (code !== 0) {
      throw new Error(`${program.name} ended with status ${code}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    const programs = [...this.#programs.values()];
    // Ctrl-C has reached them, too: a second signal would only disturb.
    const ended = Promise.all(programs.map(({ ended }) => ended));
    await Promise.race([ended, pause(GRACE, null, { ref: false })]);
    await Promise.all(programs.map((program) => program.stop()));
    await Promise.all(
      this.#relays.map((relay) => relay[Symbol.asyncDispose]()),
    );
    await Promise.all(this.#endings);
    await this.#reports.close();
    await this.#reaper.status;
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #report(line: string): Promise<void> {
    await this.#reports.write(new TextEncoder().encode(`${line}\n`));
  }
}

/** What an example needs and this machine does not have. */
export class Missing extends Error {
  override name = "Missing";
}

/** Runs a program of the system. */
function run(command: string, args: string[], observer: Observer): Program {
  try {
    return new Program(command, args, observer, ROOT, command);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Missing(
      `${command} is not installed. Install it with your system's packages.`,
    );
  }
}
