/**
 * The programs of an example and the relays between them, from the start of the
 * servers to the end of all.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Conditions, LinkName } from "../wire/conditions/conditions.ts";
import {
  HOST,
  type Recorder,
  type Relay,
  type Transport,
  type WireEvent,
} from "../wire/relay.ts";
import { relayTcp } from "../wire/tcp_relay.ts";
import { relayUdp } from "../wire/udp_relay.ts";
import type { Link, Watcher } from "./cast.ts";
import { type Command, fillIn, mentions, portsIn } from "./command.ts";
import {
  type Example,
  type LinkPlan,
  linksOf,
  LISTENING,
  type Role,
} from "./examples.ts";
import type { Keyboard } from "./keyboard.ts";
import {
  CannotStart,
  type Observer,
  Program,
  ROOT,
  start,
  startCommand,
} from "./program.ts";
import { startWhereFound } from "./places.ts";
import { listening } from "./ports.ts";
import type { Reaper } from "./reaper_client.ts";
import { Typing } from "./typing.ts";

/** Limits in ms; generous, because they only matter when something is wrong. */
const READY = 20_000, STOPPED = 10_000, SETTLED = 1_000, GRACE = 300;

/** How long a server may take that ends by itself when its client has gone. */
const FAREWELL = 2_000;

/** How long what is under way may take when the client has ended, in ms. */
const UNDER_WAY = 5_000;

/** How often a port is looked at that a program may have taken by now, in ms. */
const LOOK = 100;

/** The seed for the random numbers of a paced run. */
const SEED = 7;

/** What an example needs and this machine does not have. */
export class Missing extends Error {
  override name = "Missing";
}

/** How the programs of an example are run. */
export interface CrewOptions {
  watcher: Watcher;
  recorder: Recorder;
  keyboard: Keyboard;
  reaper: Reaper;
  /** What the network does to a link. */
  conditions: (link: LinkName) => Conditions;
  /** Commands of the user's own, by role. */
  own: Record<string, Command>;
  /** Ports that relays have, or that servers of the user's own listen on, by role. */
  ports: Record<string, number>;
  /** Whether one thing happens at a time. */
  paced: boolean;
  /** The folder of copies that a role's script is run from; see `StartOptions`. */
  copies?: (role: string) => string | undefined;
}

/** What a program has failed with, for the last line. */
interface Failure {
  name: string;
  code: number;
}

/** The programs of one example. */
export class Crew implements AsyncDisposable {
  readonly #example: Example;
  readonly #options: CrewOptions;
  readonly #watcher: Watcher;
  readonly #links: LinkPlan[];
  readonly #programs = new Map<string, Program>();
  readonly #relays = new Map<string, Relay>(); // by the link's name
  /** The ports that each role is told, by the role of the server. */
  readonly #told = new Map<string, Record<string, number>>();
  /** The ports that servers listen on themselves. */
  readonly #ports = new Map<string, number>();
  /** Where those run that write files: what they wrote is there when they come back. */
  readonly #folders = new Map<string, string>();
  readonly #starting = new Set<string>();
  readonly #endings: Promise<void>[] = [];
  readonly #typing: Typing;
  readonly #stopped = new Set<string>();
  #ending = false; // whatever else was to come does not

  constructor(example: Example, options: CrewOptions) {
    this.#example = example;
    this.#options = options;
    this.#watcher = options.watcher;
    this.#links = linksOf(example);
    this.#typing = new Typing(
      options.keyboard,
      this.#programs,
      async (role) => await this.#watcher.turn?.(role),
    );
  }

  /**
   * From the start of the servers to the end of all. Throws an Error with a line
   * that names the programs that failed.
   */
  async play(): Promise<void> {
    const client = await this.start();
    const typed = this.#typing.until(() => client.status !== undefined);
    await Promise.race([typed, client.ended]);
    if (this.#ending) return;
    const failures: Failure[] = [];
    const { code } = await client.ended;
    if (code !== 0) failures.push({ name: client.name, code });
    // What a bad network still has under way arrives before its receiver goes.
    const udp = this.#links.filter(({ transport }) => transport === "udp")
      .flatMap(({ name }) => this.#relays.get(name) ?? [])
      .filter(({ conditions: { up, down } }) => up.length + down.length > 0);
    await Promise.all(udp.map((relay) => relay.settled(UNDER_WAY)));
    failures.push(...await this.#dismiss());
    await this.settled();
    if (failures.length > 0) {
      throw new Error(
        failures.map(({ name, code }) => `${name} ended with status ${code}`)
          .join(", "),
      );
    }
  }

  /**
   * Starts the servers, and the client when they are ready; returns the client.
   * Throws an Error with a line when one of them does not start.
   */
  async start(): Promise<Program> {
    const [first] = this.#example.roles;
    for (const role of this.#inOrder()) {
      if (role !== first) await this.#startServer(role);
    }
    return await this.#start(first);
  }

  /**
   * Starts a program again that has ended. A server comes back on its port, behind
   * its relay. Throws an Error with a line when that cannot be done.
   */
  async restart(name: string): Promise<void> {
    const role = this.#example.roles.find((role) => role.name === name);
    const program = this.#programs.get(name);
    if (!role || !program) throw new Error(`${name} has not been started yet.`);
    if (program.status === undefined || this.#starting.has(name)) {
      throw new Error(`${name} still runs.`);
    }
    this.#stopped.delete(name);
    await this.#startServer(role);
  }

  /** Types what the keyboard has, until all is over. */
  async type(): Promise<void> {
    await this.#typing.until(() => this.#ending);
  }

  /** The program of a role; undefined before it is started. */
  program(role: string): Program | undefined {
    return this.#programs.get(role);
  }

  /** The relay of a link; undefined before it stands. */
  relay(link: string): Relay | undefined {
    return this.#relays.get(link);
  }

  /** Whether a program runs, or is about to. */
  get busy(): boolean {
    return this.#starting.size > 0 ||
      [...this.#programs.values()].some(({ status }) => status === undefined);
  }

  /** Resolves when nothing is under way on the wires, or soon. */
  async settled(): Promise<void> {
    const relays = [...this.#relays.values()];
    await Promise.all(relays.map((relay) => relay.settled(SETTLED)));
  }

  /** Starts a program and, if it is a server, waits for it and sets its relays up. */
  async #startServer(role: Role): Promise<void> {
    this.#starting.add(role.name);
    try {
      const { server, port } = await this.#serve(role);
      if (port === undefined) return;
      this.#ports.set(role.name, port);
      this.#watcher.state?.(role.name, "listening");
      for (const plan of this.#links) {
        if (plan.server !== role.name) continue;
        const known = this.#relays.get(plan.name);
        if (known) await listenAgain(known, port);
        const relay = known ?? await this.#relay(plan, role, server, port);
        server.ended.then(() => relay.stopListening());
        const before = this.#told.get(plan.client);
        this.#told.set(plan.client, {
          ...before,
          [role.name]: relay.address.port,
        });
      }
    } finally {
      this.#starting.delete(role.name);
      this.#typing.notify();
    }
  }

  /** The roles in an order in which each finds its servers ready. */
  #inOrder(): Role[] {
    const ready: Role[] = [];
    const visit = (role: Role) => {
      if (ready.includes(role)) return;
      const servers = this.#example.roles.filter(({ name }) =>
        role.talksTo?.includes(name)
      );
      for (const server of servers.reverse()) visit(server);
      ready.push(role);
    };
    for (const role of [...this.#example.roles].reverse()) visit(role);
    return ready;
  }

  /** Starts a server; returns the port that it listens on once it is ready. */
  async #serve(
    role: Role,
  ): Promise<{ server: Program; port: number | undefined }> {
    const own = this.#options.own[role.name];
    if (own) return await this.#serveOwn(role, own);
    const server = await this.#start(role);
    let port: number | undefined;
    if (role.listens && !role.command) {
      port = Number((await server.prints(LISTENING, { ms: READY }))[1]);
    }
    if (role.ready) {
      const ready = () => role.ready?.exec(server.stdout + server.stderr);
      const [, other] = await server.until(ready, "get ready", READY);
      if (other) port = Number(other);
      if (!role.listens) this.#watcher.state?.(role.name, "running");
    }
    return { server, port };
  }

  /** The same for a command of the user's own, which may print what it likes. */
  async #serveOwn(
    role: Role,
    command: Command,
  ): Promise<{ server: Program; port: number | undefined }> {
    const { name, listens } = role;
    if (!listens) return { server: await this.#start(role), port: undefined };
    const given = mentions(command, "port", "url")
      ? this.#ports.get(name) ?? await freePort(listens)
      : this.#options.ports[name] || undefined; // 0 says nothing of a server
    const server = await this.#start(
      role,
      given === undefined ? {} : { [name]: given },
    );
    const port = await this.#find(role, server, given);
    return { server, port };
  }

  /** Waits until a server listens, on a port that is known or that it prints. */
  async #find(
    { name, listens = "tcp", port: usual }: Role,
    server: Program,
    given: number | undefined,
  ): Promise<number> {
    const end = performance.now() + READY;
    while (performance.now() < end && server.status === undefined) {
      const [line = ""] = /^.*\n/m.exec(server.stdout + server.stderr) ?? [];
      const candidates = given === undefined
        ? [...portsIn(line), ...usual === undefined ? [] : [usual]]
        : [given];
      const taken = await listening();
      for (const port of candidates) {
        // A system that does not tell leaves us with what the server says.
        if (taken?.[listens].has(port) ?? (line || given)) return port;
      }
      await pause(LOOK);
    }
    const { status } = server;
    if (status) {
      throw new Error(
        `${server.name} ended with status ${status.code} before it listened`,
      );
    }
    throw new Error(
      given !== undefined
        ? `${server.name} does not listen on ${listens.toUpperCase()} port ${given}`
        : `Cannot see which ${listens.toUpperCase()} port ${server.name} listens on. ` +
          `Pass it as {port}, or say it with --port ${name}=PORT.`,
    );
  }

  /** Puts a relay between a server and one who talks to it. */
  async #relay(
    { name, client, server: serverName, transport }: LinkPlan,
    role: Role,
    server: Program,
    port: number,
  ): Promise<Relay> {
    const isFirst = name === serverName;
    // --port 0 is for all of them.
    const first = this.#example.roles[1]?.name ?? "";
    const usual = this.#options.ports[first] === 0 ? 0 : role.port;
    const wish = role.name in this.#options.own
      ? usual
      : this.#options.ports[role.name] ?? usual;
    const { conditions } = this.#options;
    const found: { link?: Link } = {};
    const recorder: Recorder = {
      next: () => this.#options.recorder.next(),
      now: () => this.#options.recorder.now(),
      record: (event: WireEvent) => {
        this.#options.recorder.record(event);
        if (found.link) this.#watcher.wire(found.link, event);
      },
    };
    // NATS has clocks of its own, and answers that are waited for.
    if (this.#options.paced && role.scheme !== "nats") {
      recorder.turn = async (_, from) =>
        await this.#watcher.turn?.(from === "client" ? client : serverName);
    }
    const begin = transport === "tcp" ? relayTcp : relayUdp;
    const options = {
      link: name,
      target: { hostname: HOST, port },
      recorder,
      conditions: conditions({ name, transport }),
    };
    const listen = { hostname: HOST, port: isFirst ? wish ?? 0 : 0 };
    let relay: Relay;
    try {
      relay = await begin({ ...options, listen });
    } catch (error) {
      // The usual port may be somebody else's; one that was asked for may not.
      const asked = this.#options.ports[role.name] === listen.port;
      if (listen.port === 0 || asked && !(role.name in this.#options.own)) {
        throw new Error(
          `Cannot listen on ${HOST}:${listen.port}: ${messageOf(error)}`,
        );
      }
      relay = await begin({ ...options, listen: { hostname: HOST, port: 0 } });
    }
    if (this.#ending) {
      await relay[Symbol.asyncDispose]();
      throw new Error(`${server.name} was stopped.`);
    }
    this.#relays.set(name, relay);
    const link: Link = {
      name,
      client,
      server: serverName,
      transport,
      relay: { hostname: HOST, port: relay.address.port },
      target: options.target,
      ...(role.scheme === "nats" ? { protocol: "nats" } as const : {}),
    };
    found.link = link;
    this.#watcher.link(link);
    const own = this.#options.own[client];
    const isMet = own === undefined ||
      mentions(own, "port", "url", `${serverName}.port`);
    if (!isMet && relay.address.port !== role.port) {
      this.#watcher.note(
        port === role.port
          ? `${serverName} itself has port ${port}, so ${client} may pass the relay by: write {port} into one of their commands.`
          : `Port ${role.port} is taken, so the relay has ${relay.address.port}: write {port} into the command of ${client}.`,
      );
    }
    return relay;
  }

  /** Starts the program of a role, which is told these ports, too. */
  async #start(
    role: Role,
    more: Record<string, number> = {},
  ): Promise<Program> {
    const ports = { ...this.#told.get(role.name), ...more };
    const known = this.#ports.get(role.name);
    const { keyboard, own, paced, reaper } = this.#options;
    const { name, writes, command } = role;
    const mine = own[name];
    const observer: Observer = {
      line: (_, text, stream, typed) => {
        const [shown] = role.shown?.exec(text) ?? [];
        if (role.shown && !shown && !mine) return;
        // A prompt that the program itself took back has said all it can say.
        if (typed === undefined && this.#typing.isPrompt(text)) {
          this.#watcher.stirred(name);
          return;
        }
        this.#watcher.line({
          role: name,
          text: shown ?? text,
          stream: shown ? "stdout" : stream,
          typed,
        });
      },
      change: () => {
        this.#watcher.stirred(name);
        this.#typing.notify();
      },
    };
    const task = role.task ?? `${this.#example.name}:${name}`;
    const args = role.args(ports, keyboard.isScript);
    // It comes back where its relay looks for it.
    if (known !== undefined) args[args.indexOf("--port") + 1] = `${known}`;
    const copy = this.#options.copies?.(name);
    this.#watcher.state?.(name, "starting");
    const program = mine
      ? startCommand(name, fillIn(mine, this.#values(role, ports)), observer)
      : command
      ? run(command, args, observer)
      : await start(task, args, observer, {
        ...writes ? { cwd: await this.#folder(name) } : {},
        ...paced ? { seed: SEED } : {},
        ...copy === undefined ? {} : { copy },
      });
    this.#programs.set(name, program);
    await reaper.started(program.group);
    if (this.#ending) program.kill("SIGKILL"); // it was stopped meanwhile
    const getsReady = role.ready !== undefined && !mine; // said when it is
    if (!role.listens && !getsReady) this.#watcher.state?.(name, "running");
    program.ended.then(() => reaper.ended(program.group));
    this.#endings.push(
      program.ended.then(({ code, signal }) =>
        this.#watcher.ended({
          role: name,
          code,
          signal,
          stopped: this.#stopped.has(name) || this.#ending,
        })
      ),
    );
    return program;
  }

  /** Where a role runs that writes files. */
  async #folder(name: string): Promise<string> {
    const folder = this.#folders.get(name) ??
      await this.#options.reaper.folder();
    this.#folders.set(name, folder);
    return folder;
  }

  /** What stands for `{port}` and the like in the command of a role. */
  #values(role: Role, ports: Record<string, number>): Record<string, string> {
    const all: Record<string, number> = {};
    for (const { name, port } of this.#example.roles) {
      const known = ports[name] ?? port;
      if (known !== undefined) all[name] = known;
    }
    const about = role.listens ? role.name : role.talksTo?.[0] ?? role.name;
    const port = all[about] ?? 0;
    const { scheme, listens = "tcp" } =
      this.#example.roles.find(({ name }) => name === about) ?? role;
    return {
      host: HOST,
      port: `${port}`,
      url: `${scheme ?? listens}://${HOST}:${port}${
        scheme === "http" ? "/" : ""
      }`,
      ...Object.fromEntries(
        Object.entries(all).map(([name, port]) => [`${name}.port`, `${port}`]),
      ),
    };
  }

  /** Ends the servers as a user would; returns those that did not end well. */
  async #dismiss(): Promise<Failure[]> {
    const failures: Failure[] = [];
    // Whoever started last goes first, so that nobody misses a server.
    for (const [name, program] of [...this.#programs].reverse()) {
      const role = this.#example.roles.find((role) => role.name === name);
      if (!role || role === this.#example.roles[0]) continue;
      const own = role.name in this.#options.own;
      if (role.endsWithClient) {
        const late = pause(FAREWELL, undefined, { ref: false });
        await Promise.race([program.ended, late]);
      }
      const byItself = program.status !== undefined;
      if (!byItself) {
        this.#stopped.add(role.name);
        program.kill("SIGTERM");
      }
      const { code } = byItself
        ? await program.ended
        : await this.#end(program);
      // What we have ended, and did not write, may end with what it likes.
      const excused = role.command !== undefined || own ||
        // Windows has no signals: there, kill() ends a program without asking.
        Deno.build.os === "windows";
      if (code !== 0 && !(excused && !byItself)) {
        failures.push({ name: program.name, code });
      }
    }
    return failures;
  }

  async #end(program: Program): Promise<Deno.CommandStatus> {
    await program.exits(STOPPED).catch(() => {});
    return await program.stop(0);
  }

  /**
   * Tells all programs to end, those that ask before those that are asked, and
   * resolves when they have.
   */
  async stop(): Promise<void> {
    this.#ending = true;
    this.#typing.notify();
    for (const [name, program] of [...this.#programs].reverse()) {
      if (program.status !== undefined) continue;
      this.#stopped.add(name);
      program.kill("SIGTERM");
      await this.#end(program);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    this.#typing.notify();
    const programs = [...this.#programs.values()];
    // Ctrl-C has reached them, too: a second signal would only disturb.
    const ended = Promise.all(programs.map(({ ended }) => ended));
    await Promise.race([ended, pause(GRACE, null, { ref: false })]);
    await Promise.all(programs.map((program) => program.stop()));
    await Promise.all(
      [...this.#relays.values()].map((relay) => relay[Symbol.asyncDispose]()),
    );
    await Promise.all(this.#endings);
  }
}

/** Runs a program of the system. */
function run(command: string, args: string[], observer: Observer): Program {
  const start = (place: string) =>
    new Program(command, args, observer, ROOT, place);
  const program = startWhereFound(command, start);
  if (program) return program;
  throw new Missing(
    `${command} is not installed. Install it with your system's packages: ` +
      "apt-get, dnf, brew, winget.",
  );
}

/** Lets a relay listen again, for a server that is back. */
async function listenAgain(relay: Relay, port: number): Promise<void> {
  try {
    await relay.listenAgain({ hostname: HOST, port });
  } catch (error) {
    const where = `${HOST}:${relay.address.port}`;
    throw new Error(`Cannot listen on ${where} again: ${messageOf(error)}`);
  }
}

/** A port of this machine that nobody has now. */
async function freePort(transport: Transport): Promise<number> {
  if (transport === "tcp") {
    using listener = Deno.listen({ hostname: HOST, port: 0 });
    return listener.addr.port;
  }
  const socket = Deno.listenDatagram({ transport, hostname: HOST, port: 0 });
  const { addr } = socket;
  socket.close();
  await Promise.resolve();
  return addr.transport === "udp" ? addr.port : 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`;
}

export { CannotStart };
