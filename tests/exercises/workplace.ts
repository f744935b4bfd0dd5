/**
 * Where a learner's program is tried: it runs as a process, with a relay of the
 * wire view between it and a peer that the check plays.
 *
 * Every wait has a bound. What does not happen within it becomes a verdict that
 * says what was waited for, never just "timeout".
 *
 * @module
 */
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import {
  type Command,
  fillIn,
  mentions,
} from "../../launch/programs/command.ts";
import { Program } from "../../launch/programs/program.ts";
import type { Reaper } from "../../launch/programs/reaper_client.ts";
import { networkOf } from "./network.ts";
import {
  Recording,
  type Relay,
  type WireEvent,
} from "../../launch/wire/relay.ts";
import { relayTcp } from "../../launch/wire/tcp_relay.ts";
import { relayUdp } from "../../launch/wire/udp_relay.ts";
import { Random } from "../torture/random.ts";
import type { Exercise, Step } from "./exercise.ts";
import { BUSY, CannotTell, lastLines, NotYet, toBytes } from "./verdict.ts";

export { pause };

/** How long a right program may take for what it does at once, in ms. */
export const PATIENCE = 5_000;

/** How long bytes may take that come one by one, in ms. */
const SLOWEST = 60_000;

/** How long a program may take to start, in ms. */
const START = 20_000;

/**
 * A timer of ours that is so late, in ms, says that the machine is too slow for any
 * limit of a check. Finer ones ask {@linkcode Workplace.measures}.
 */
const LATE = 400;

/** The same, where a repeat after 0.3 s is counted. */
const LATE_FOR_REPEATS = 150;

/** What a workplace is made for. */
export interface Task {
  exercise: Exercise;
  step: Step;
  /** What starts the learner's program; `{port}` and `{file}` are filled in. */
  command: Command;
  /** Where it runs. */
  cwd: string;
  /** An empty folder for the files of the step; `{folder}` in the command. */
  folder: string;
  /** What the data of the check are drawn from. */
  seed: number;
  /** Who ends the program if this process is ended first. */
  reaper?: Reaper;
}

/** One try of one step. Disposing of it ends all that it has started. */
export class Workplace implements AsyncDisposable {
  /** What went over the wire so far, by number. */
  readonly events: WireEvent[] = [];
  /** The program, once it has been started. */
  program: Program | undefined;
  /** Where files of the step lie; the program may read and write there. */
  readonly folder: string;
  /** The port at which the relay meets whoever is the client. */
  port = 0;

  readonly #task: Task;
  readonly #recording: Recording;
  readonly #open = new Set<Disposable>();
  #relay: Relay | undefined;
  #direct = false;
  readonly #random: Random;
  #latest = 0; // the longest delay of a timer of ours
  #ticker: ReturnType<typeof setInterval>;

  constructor(task: Task) {
    this.#task = task;
    this.folder = task.folder;
    this.#random = new Random(`${task.seed}`);
    this.#recording = new Recording((event) => this.#record(event));
    let last = performance.now();
    this.#ticker = setInterval(() => {
      const now = performance.now();
      this.#latest = Math.max(this.#latest, now - last - 100);
      last = now;
    }, 100);
  }

  /** The port at which the program is to listen, if it is a server. */
  get target(): number {
    return this.#target;
  }

  /** Whether a timer of ours was so late that no limit can be trusted. */
  get late(): boolean {
    return this.#latest > LATE;
  }

  /**
   * Throws {@linkcode CannotTell} if a timer of ours was late, before a program is
   * blamed for what it repeats, or how long it takes.
   */
  measures(late: number = LATE_FOR_REPEATS): void {
    if (this.#latest <= late) return;
    throw new CannotTell(BUSY, true);
  }

  /**
   * Starts the program as a server and waits until it prints its first line, as
   * each exercise's text asks for. Then a relay stands in front of it.
   */
  async startServer(...args: string[]): Promise<Program> {
    const port = this.#freePort();
    const program = this.#start(port, args);
    await this.#ready(program);
    await this.#relayTo(port);
    return program;
  }

  /** Ends it with SIGKILL, as a crash or a power cut would, and starts it again. */
  async crash(...args: string[]): Promise<Program> {
    const port = this.#target;
    await this.program?.[Symbol.asyncDispose]();
    const program = this.#start(port, args);
    await this.#ready(program);
    return program;
  }

  /** Starts the program as a client of the server that the check plays at a port. */
  async startClient(serverPort: number, ...args: string[]): Promise<Program> {
    await this.#relayTo(serverPort);
    return this.#start(this.port, args);
  }

  /**
   * The same without a relay between them, so that the check meets the program's
   * own address. What the check's sockets send and get is noted instead.
   */
  startDirectly(serverPort: number, ...args: string[]): Program {
    this.port = serverPort;
    this.#direct = true;
    return this.#start(serverPort, args);
  }

  /** Notes a datagram of a direct exchange. */
  note(from: "client" | "server", bytes: Uint8Array): void {
    if (!this.#direct) return;
    const now = this.#recording.now();
    this.#record({
      number: this.#recording.next(),
      kind: "datagram",
      link: "server",
      connection: 1,
      from,
      bytes: bytes.slice(),
      sent: now,
      delivered: now,
      fate: "delivered",
      marks: [],
      causes: [],
      of: null,
      text: "",
    });
  }

  /** A TCP connection to the program, through the relay. */
  async connect(): Promise<Peer> {
    const connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: this.port,
    });
    return this.#keep(new Peer(connection));
  }

  /** A TCP connection that nobody reads from; writing is up to the check. */
  async connectDeaf(): Promise<Deno.TcpConn> {
    const { port } = this;
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    this.#keep({
      [Symbol.dispose]() {
        try {
          connection.close();
        } catch {
          // The check has closed it.
        }
      },
    });
    return connection;
  }

  /**
   * A client that says something, reads nothing, and vanishes with a reset. On
   * `node:net`, because closing a `Deno.Conn` is always a plain end.
   */
  async vanish(words: Uint8Array): Promise<void> {
    const socket = net.connect(this.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(words);
    await pause(200);
    socket.resetAndDestroy();
    await pause(100);
  }

  /** A TCP server of the check's own, for a program that is a client. */
  listen(): Listener {
    return this.#keep(new Listener(this));
  }

  /** A UDP socket of the check's own. */
  socket(): Socket {
    return this.#keep(new Socket(this));
  }

  /** The next number of the check's own random series, 0 ≤ n < `below`. */
  random(below: number): number {
    return this.#random.integer(0, below - 1);
  }

  /** So many random bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.random(256));
  }

  /** The value, or what `otherwise` says if it takes longer than `ms`. */
  async within<T>(
    promise: Promise<T>,
    otherwise: () => ConstructorParameters<typeof NotYet>[0],
    ms: number = PATIENCE,
  ): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new NotYet(otherwise())), ms);
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The program's exit status; it must end within `ms` milliseconds. */
  async exits(
    otherwise: () => ConstructorParameters<typeof NotYet>[0],
    ms: number = PATIENCE,
  ): Promise<number> {
    const { program } = this;
    if (!program) throw new Error("The step has started no program");
    return (await this.within(program.ended, otherwise, ms)).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ticker);
    for (const each of this.#open) each[Symbol.dispose]();
    await this.program?.[Symbol.asyncDispose]();
    await this.#relay?.[Symbol.asyncDispose]();
  }

  #target = 0;

  #keep<T extends Disposable>(thing: T): T {
    this.#open.add(thing);
    return thing;
  }

  #start(port: number, args: string[]): Program {
    const { command, cwd, folder, reaper } = this.#task;
    const values = { port: `${port}`, host: "127.0.0.1", folder };
    const { env, words: [executable, ...words] } = fillIn(command, values);
    // Without a place for the port, it comes first after the command.
    const rest = mentions(command, "port") ? args : [`${port}`, ...args];
    try {
      this.program = new Program(
        "your program",
        [...words, ...rest],
        {},
        cwd,
        executable,
        { PYTHONUNBUFFERED: "1", PYTHONIOENCODING: "utf-8", ...env },
        // It may be a script that starts others: all of them end together.
        Deno.build.os !== "windows",
      );
      const { group, ended } = this.program;
      reaper?.started(group);
      ended.then(() => reaper?.ended(group));
    } catch (error) {
      const why = error instanceof Error ? error.message : `${error}`;
      throw new CannotTell(`Cannot start ${executable}: ${why}`);
    }
    return this.program;
  }

  /** A server is ready when it has printed a line. */
  async #ready(program: Program): Promise<void> {
    const ended = () => program.status !== undefined;
    const end = performance.now() + START;
    while (!program.stdout.includes("\n")) {
      if (ended()) {
        throw new CannotTell(
          `Your program ended with status ${program.status?.code} before it ` +
            `listened.${lastWords(program)}`,
        );
      }
      if (performance.now() > end) {
        throw new CannotTell(
          `Your program printed no line in ${START / 1000} s. Print one when ` +
            "it listens. If you do: is the output held back in a buffer?",
        );
      }
      await pause(10);
    }
  }

  async #relayTo(port: number): Promise<void> {
    const { exercise: { transport }, step, seed } = this.#task;
    const options = {
      link: "server",
      target: { hostname: "127.0.0.1", port },
      recorder: this.#recording,
      conditions: await networkOf(step.net ?? [], transport, seed),
    };
    this.#target = port;
    this.#relay = transport === "tcp"
      ? await relayTcp(options)
      : await relayUdp(options);
    this.port = this.#relay.address.port;
  }

  #freePort(): number {
    if (this.#task.exercise.transport === "tcp") {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      return listener.addr.port;
    }
    const socket = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: 0,
    });
    const { port } = socket.addr as Deno.NetAddr;
    socket.close();
    return port;
  }

  #record(event: WireEvent): void {
    const index = this.events.findLastIndex(({ number }) =>
      number === event.number
    );
    if (index < 0) this.events.push(event);
    else this.events[index] = event;
  }
}

/** The other end of a TCP connection with the learner's program. */
export class Peer implements Disposable {
  readonly connection: Deno.TcpConn;
  #received: Uint8Array[] = [];
  #length = 0;
  #ended: "end" | "reset" | undefined;
  #closed = false;

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
    connection.setNoDelay(true);
    this.#read();
  }

  /** All that has come so far and was not taken. */
  get received(): Uint8Array {
    const [first] = this.#received;
    if (first && this.#received.length === 1) return first;
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#received) {
      all.set(piece, at);
      at += piece.length;
    }
    this.#received = [all];
    return all;
  }

  /** How the other side's direction ended; undefined while it is open. */
  get ended(): "end" | "reset" | undefined {
    return this.#ended;
  }

  /** Sends text as UTF-8, or bytes, whole. */
  async send(data: string | Uint8Array): Promise<void> {
    let rest = toBytes(data);
    try {
      while (rest.length > 0) {
        rest = rest.subarray(await this.connection.write(rest));
      }
    } catch {
      // The program has closed. What comes, or does not, will say so.
    }
  }

  /** Ends this side: the program reads an end, and may go on sending. */
  async end(): Promise<void> {
    await this.connection.closeWrite().catch(() => {});
  }

  /**
   * Asserts that exactly these bytes come next, and takes them: none of them more
   * than `ms` milliseconds after the one before. `property` says what a right program
   * does, `cause` why one does not.
   */
  async expect(
    expected: string | Uint8Array,
    property: string,
    cause: string,
    ms: number = PATIENCE,
  ): Promise<void> {
    const bytes = toBytes(expected);
    let right = 0; // so many are as they should be
    const differs = () => {
      const came = this.received;
      const end = Math.min(came.length, bytes.length);
      while (right < end && came[right] === bytes[right]) right++;
      return right < end;
    };
    const all = () => differs() || right === bytes.length;
    // A program that writes one byte at a time is slow, and right.
    const last = performance.now() + SLOWEST;
    for (let before = -1; before < this.#length && performance.now() < last;) {
      before = this.#length;
      await this.#settle(all, ms);
      if (all()) break;
    }
    if (right < bytes.length) {
      throw new NotYet({ property, expected, came: this.received, cause });
    }
    this.#take(bytes.length);
  }

  /** Asserts that the program ends its side, and that nothing else comes. */
  async expectEnd(
    property: string,
    cause: string,
    ms: number = PATIENCE,
  ): Promise<void> {
    await this.#settle(() => this.#ended !== undefined, ms);
    if (this.#ended === "end" && this.#length === 0) return;
    const came = this.#length > 0
      ? this.received
      : this.#ended === "reset"
      ? "(a reset: closed while bytes waited unread)"
      : "(no end: the connection stays open)";
    throw new NotYet({ property, expected: "", came, cause });
  }

  /** Asserts that nothing comes for so many ms, and the connection stays. */
  async expectSilence(
    ms: number,
    property: string,
    cause: string,
  ): Promise<void> {
    await this.#settle(() => this.#length > 0 || !!this.#ended, ms);
    if (this.#length === 0 && !this.#ended) return;
    const came = this.#length > 0 ? this.received : "(it closed)";
    throw new NotYet({ property, expected: "", came, cause });
  }

  /** The next bytes up to and with a line feed, or what came up to the end. */
  async line(ms: number = PATIENCE): Promise<string> {
    const end = () => this.received.indexOf(10);
    await this.#settle(() => end() >= 0 || !!this.#ended, ms);
    const length = end() >= 0 ? end() + 1 : this.#length;
    return new TextDecoder().decode(this.#take(length));
  }

  /** The next so many bytes, or what came up to the end. */
  async bytes(length: number, ms: number = PATIENCE): Promise<Uint8Array> {
    await this.#settle(() => this.#length >= length, ms);
    return this.#take(length);
  }

  /** All that comes up to the end, at most `ms` long. */
  async rest(ms: number = PATIENCE): Promise<Uint8Array> {
    await this.#settle(() => this.#ended !== undefined, ms);
    return this.#take(this.#length);
  }

  /** Closes without a word; with a reset, if something is unread. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.connection.close();
  }

  #take(length: number): Uint8Array {
    const all = this.received;
    const taken = all.slice(0, length);
    this.#received = [all.slice(length)];
    this.#length = all.length - taken.length;
    return taken;
  }

  /** Waits for `test`, for the program's end of the stream, or for `ms`. */
  async #settle(test: () => boolean, ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!test() && !this.#ended && performance.now() < end) await pause(5);
    test();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      while (true) {
        const count = await this.connection.read(buffer);
        if (count === null) break;
        this.#received.push(buffer.slice(0, count));
        this.#length += count;
      }
      this.#ended = "end";
    } catch {
      this.#ended = "reset";
    }
  }
}

/** A server that the check plays. */
export class Listener implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #workplace: Workplace;
  readonly #peers: Peer[] = [];
  #closed = false;

  constructor(workplace: Workplace) {
    this.#workplace = workplace;
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** The next client; the program must connect within `ms` milliseconds. */
  async accept(ms: number = PATIENCE): Promise<Peer> {
    const { program } = this.#workplace;
    const gone = async (): Promise<never> => {
      const status = await program?.ended;
      await pause(500); // what it has connected before may still be on its way
      throw new NotYet({
        property: "Your program did not connect. It ended with status " +
          `${status?.code}.`,
        cause: "Connect to 127.0.0.1 and the port of the first argument. The " +
          "last that it printed may say why it did not.",
      });
    };
    const ended = gone();
    ended.catch(() => {}); // a program ends after it has connected, too
    const connection = await this.#workplace.within(
      Promise.race([this.#listener.accept(), ended]),
      () => ({
        property: `Your program did not connect within ${ms / 1000} s.`,
        cause: "Connect to 127.0.0.1 and the port of the first argument.",
      }),
      ms,
    );
    const peer = new Peer(connection);
    this.#peers.push(peer);
    return peer;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const peer of this.#peers) peer[Symbol.dispose]();
  }
}

/** A datagram that has come, and where from. */
export interface Datagram {
  bytes: Uint8Array;
  text: string;
  from: Deno.NetAddr;
  /** When it came, in ms. */
  at: number;
}

/** A UDP socket of the check's. */
export class Socket implements Disposable {
  readonly #socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  readonly #workplace: Workplace;
  readonly #received: Datagram[] = [];
  /** All that ever came, taken or not. */
  readonly all: Datagram[] = [];
  #closed = false;

  constructor(workplace: Workplace) {
    this.#workplace = workplace;
    this.#read();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  /** Sends one datagram; to the relay in front of the program, by default. */
  async send(data: string | Uint8Array, to?: Deno.NetAddr): Promise<void> {
    const relay = {
      transport: "udp",
      hostname: "127.0.0.1",
      port: this.#workplace.port,
    } as const;
    const bytes = toBytes(data);
    this.#workplace.note("server", bytes);
    await this.#socket.send(bytes, to ?? relay);
  }

  /** The next datagram; undefined if none comes within `ms` milliseconds. */
  async receive(ms: number = PATIENCE): Promise<Datagram | undefined> {
    const end = performance.now() + ms;
    while (this.#received.length === 0 && performance.now() < end) {
      await pause(2);
    }
    return this.#received.shift();
  }

  /** Asserts that this datagram comes next, and returns it. */
  async expect(
    expected: string | Uint8Array,
    property: string,
    cause: string,
    ms: number = PATIENCE,
  ): Promise<Datagram> {
    const datagram = await this.receive(ms);
    const bytes = toBytes(expected);
    const same = datagram?.bytes.length === bytes.length &&
      bytes.every((byte, index) => byte === datagram.bytes[index]);
    if (datagram && same) return datagram;
    const came = datagram?.bytes ?? "(no datagram)";
    throw new NotYet({ property, expected, came, cause });
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  async #read(): Promise<void> {
    while (true) {
      try {
        const [bytes, sender] = await this.#socket.receive(
          new Uint8Array(65_536),
        );
        const datagram = {
          bytes,
          text: new TextDecoder().decode(bytes),
          from: sender as Deno.NetAddr,
          at: performance.now(),
        };
        this.#workplace.note("client", bytes);
        this.#received.push(datagram);
        this.all.push(datagram);
      } catch (error) {
        // Windows reports that somebody whom we answered is gone.
        if (error instanceof Deno.errors.ConnectionReset) continue;
        return;
      }
    }
  }
}

function lastWords({ stdout, stderr }: Program): string {
  const [line] = lastLines(stdout + stderr, 1);
  return line ? ` It said: ${line}` : " It printed nothing.";
}
