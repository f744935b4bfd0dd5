/**
 * What the tests share: programs started as processes, raw peers, and
 * assertions about what a user or a peer sees. Every wait has a bound.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { basename, join } from "@std/path";
import {
  Program,
  ROOT,
  start,
  taskCommand,
} from "../launch/programs/program.ts";
import { find } from "./needs.ts";

export { Program, ROOT, start };

/** How long to wait for what should come at once; for busy machines. */
export const PATIENCE_MS = 20_000;

/** Windows has no signals: what needs them is skipped there, by name. */
export const noSignals: boolean = Deno.build.os === "windows";

/** Stops a process (SIGSTOP); resolves when the system says that it stands still. */
export async function freeze(
  process: { pid: number; kill(signal: Deno.Signal): void },
): Promise<void> {
  const { pid } = process;
  const state = async () => {
    // proc_pid_stat(5): the state comes after the name, which is in brackets. Deno
    // itself reads no file there; and not every Linux has ps.
    const [program, ...args] = Deno.build.os === "linux"
      ? ["cat", `/proc/${pid}/stat`]
      : ["ps", "-o", "state=", "-p", `${pid}`];
    const { stdout } = await new Deno.Command(program, { args }).output();
    return new TextDecoder().decode(stdout).replace(/^.*\) /s, "");
  };
  process.kill("SIGSTOP");
  const stopped = async () => {
    while (!(await state()).startsWith("T")) await pause(10);
  };
  await within(20_000, stopped(), `process ${pid} to stop`);
}

/** A step of a test; what `needs()` and the like make of a test is one, too. */
export interface Step {
  name: string;
  ignore?: boolean;
  fn(t: Deno.TestContext): void | Promise<void>;
}

/** For tests whose steps run side by side: then nobody can say whose a socket is. */
export const UNCOUNTED = {
  sanitizeOps: false,
  sanitizeResources: false,
  sanitizeExit: false,
} as const;

/**
 * Runs steps of a test, so many at the same time, in their order: programs that
 * start, and waits, then cost less time. The test needs {@linkcode UNCOUNTED}, too.
 */
export async function sideBySide(
  t: Deno.TestContext,
  lanes: number,
  steps: Step[],
): Promise<void> {
  const left = [...steps];
  const work = async () => {
    for (let step = left.shift(); step; step = left.shift()) {
      await t.step({ ...step, ...UNCOUNTED });
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
}

/** Starts a client of the server on that port. */
export async function startClient(
  task: string,
  port: number,
): Promise<Program> {
  return await start(task, ["--port", `${port}`]);
}

/** Starts a server on a free port; `port` is the one that it printed. */
export async function startServer(
  task: string,
  args: string[] = [],
): Promise<{ server: Program; port: number } & AsyncDisposable> {
  const server = await start(task, ["--port", "0", ...args]);
  try {
    const [, port] = await server.prints(/^.*(?:port |:)(\d+).*\n/);
    return {
      server,
      port: Number(port),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts a program at a terminal (a pseudo-terminal; it needs python3). */
export async function startOnTerminal(
  task: string,
  args: string[] = [],
): Promise<Program> {
  const spawn = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  const command = [Deno.execPath(), ...await taskCommand(task), ...args];
  return new Program(
    `${task} at a terminal`,
    ["-S", "-c", spawn, ...command],
    {},
    ROOT,
    find("python3"),
  );
}

/** Asserts that the program prints a text, or something that matches. */
export async function assertPrints(
  program: Program,
  expected: string | RegExp,
  from = 0,
): Promise<RegExpExecArray> {
  return await program.prints(expected, { from, ms: PATIENCE_MS });
}

/** Asserts that it asks with a prompt; then types a line. */
export async function answerPrompt(
  program: Program,
  prompt: string,
  line: string,
): Promise<void> {
  await program.until(
    () => program.asking && program.stdout.endsWith(prompt),
    `ask "${prompt}"`,
    PATIENCE_MS,
  );
  await program.type(line);
}

/** Asserts how it ends, and that it ended without complaint if that is 0. */
export async function assertExits(
  program: Program,
  status: number,
): Promise<void> {
  const code = await program.exits(PATIENCE_MS);
  assertEquals(code, status, program.stdout + program.stderr);
  if (status === 0) assertEquals(program.stderr, "");
}

/**
 * Asserts that a program, started like this, gives up: with that exit status
 * and one line on standard error that matches.
 */
export async function assertFails(
  task: string,
  args: string[],
  status: number,
  complaint: RegExp,
): Promise<void> {
  await using program = await start(task, args);
  await assertExits(program, status);
  assertComplaint(program, complaint);
}

/** Asserts that standard error is one line, without a stack trace. */
export function assertComplaint(program: Program, complaint: RegExp): void {
  assertMatch(program.stderr, complaint);
  assertMatch(program.stderr, /^[^\n]+\n$/, "more than one line");
}

/** A TCP connection without manners: bytes out, bytes in, nothing else. */
export class TcpPeer implements Disposable {
  readonly connection: Deno.TcpConn;
  #received = "";
  #ended = false;
  readonly #decoder = new TextDecoder();

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
  }

  /** Connects to a port of this machine. */
  static async connect(port: number): Promise<TcpPeer> {
    return new TcpPeer(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends text as UTF-8, or bytes, whole. */
  async send(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (rest.length > 0) {
      rest = rest.subarray(await this.connection.write(rest));
    }
  }

  /** Asserts that exactly this text comes next. */
  async assertReplies(expected: string): Promise<void> {
    while (this.#received.length < expected.length && await this.#read());
    assertEquals(this.#received.slice(0, expected.length), expected);
    this.#received = this.#received.slice(expected.length);
  }

  /** Asserts that what comes next matches, and takes it; returns the match. */
  async assertMatches(pattern: RegExp): Promise<RegExpExecArray> {
    let match = pattern.exec(this.#received);
    while (!match && await this.#read()) match = pattern.exec(this.#received);
    assert(match, `"${this.#received}" does not match ${pattern}`);
    this.#received = this.#received.slice(match.index + match[0].length);
    return match;
  }

  /** Asserts that the other side closes, or resets, and sends nothing more. */
  async assertCloses(): Promise<void> {
    assertEquals(await this.rest(), "");
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<string> {
    while (await this.#read());
    const text = this.#received;
    this.#received = "";
    return text;
  }

  /** Closes without a word: with a reset, if something is unread. */
  [Symbol.dispose](): void {
    try {
      this.connection.close();
    } catch {
      // A test may have closed it.
    }
  }

  async #read(): Promise<boolean> {
    if (this.#ended) return false;
    const buffer = new Uint8Array(65536);
    const reading = this.connection.read(buffer).catch(() => null);
    const count = await within(PATIENCE_MS, reading, "bytes or an end");
    this.#ended = count === null;
    this.#received += this.#decoder.decode(buffer.subarray(0, count ?? 0), {
      stream: true,
    });
    return !this.#ended;
  }
}

/** A raw server: waits on a free port for one client. */
export class TcpListener implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  get port(): number {
    return this.#listener.addr.port;
  }

  async accept(): Promise<TcpPeer> {
    const accepting = this.#listener.accept();
    return new TcpPeer(await within(PATIENCE_MS, accepting, "a client"));
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** The largest datagram that a system lets its programs send, in bytes. */
export const LARGEST_DATAGRAM: number = Deno.build.os === "darwin"
  ? 9_216
  : 65_507;

/** A UDP socket on a free port of this machine. */
export class UdpPeer implements Disposable {
  readonly socket: Deno.DatagramConn = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });

  get port(): number {
    return portOf(this.socket.addr);
  }

  /** Sends one datagram, text as UTF-8, to a port of this machine. */
  async send(data: string | Uint8Array, port: number): Promise<void> {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : data;
    const address = { transport: "udp", hostname: "127.0.0.1", port } as const;
    await this.socket.send(bytes, address);
  }

  /** The next datagram, and the port that it came from. */
  async receive(): Promise<{ bytes: Uint8Array; text: string; port: number }> {
    const receiving = this.#receive();
    const [bytes, sender] = await within(PATIENCE_MS, receiving, "a datagram");
    const text = new TextDecoder().decode(bytes);
    return { bytes, text, port: portOf(sender) };
  }

  async #receive(): Promise<[Uint8Array, Deno.Addr]> {
    while (true) {
      try {
        return await this.socket.receive(new Uint8Array(65536));
      } catch (error) {
        // Windows tells so what became of a datagram to a port without a
        // program; it says nothing about those to come.
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      }
    }
  }

  /** Asserts that the next datagram is this text; returns its sender's port. */
  async assertReceives(expected: string): Promise<number> {
    const { text, port } = await this.receive();
    assertEquals(text, expected);
    return port;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** Sends a datagram from the same port of another address, to a port of this machine. */
export async function sendFrom(
  hostname: string,
  peer: UdpPeer,
  port: number,
): Promise<void> {
  const script = `
    const socket = Deno.listenDatagram({
      transport: "udp", hostname: "${hostname}", port: ${peer.port},
    });
    const to = { transport: "udp", hostname: "127.0.0.1", port: ${port} };
    await socket.send(new TextEncoder().encode("forged"), to);`;
  const args = ["eval", "--unstable-net", script];
  const { success } = await new Deno.Command(Deno.execPath(), { args })
    .output();
  assert(success);
}

function portOf(address: Deno.Addr): number {
  if (address.transport !== "udp") throw new Error("Not a UDP address");
  return address.port;
}

/**
 * A port of this machine that nobody listens on. The system gives none of this range
 * to others (it begins at 32768, or at 49152), so nobody has it by chance meanwhile.
 */
export function unusedPort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** The promise's value; throws when it takes longer. */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  what: string,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Waited ${ms} ms in vain for ${what}`)),
    ms,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Copies a script alone (or with the modules that it cannot do without) into an
 * empty folder and starts it there with the command in its header and more
 * arguments.
 *
 * Where JSR is out of reach its imports would fail; so there the folder also
 * gets what makes Deno use `.std/`, and nothing else of this project.
 */
export async function startAlone(
  script: string,
  args: string[],
  modules: string[] = [],
): Promise<Program & AsyncDisposable> {
  const text = await Deno.readTextFile(join(ROOT, script));
  const [, command] = /^ \* {5}deno (run .*)$/m.exec(text) ?? [];
  assert(command, `${script} has no command in its header`);
  const folder = await Deno.makeTempDir({ prefix: "alone-" });
  const file = basename(script);
  for (const path of [script, ...modules]) {
    await Deno.copyFile(join(ROOT, path), join(folder, basename(path)));
  }
  if (await exists(join(ROOT, ".std"))) {
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({ workspace: ["./.std/*"], lock: false }),
    );
    // Windows lets everybody make junctions, but not everybody links.
    const type = "junction";
    await Deno.symlink(join(ROOT, ".std"), join(folder, ".std"), { type });
  }
  const program = new Program(
    `${file} alone`,
    [...command.split(" "), ...args],
    {},
    folder,
  );
  program.ended.then(() => Deno.remove(folder, { recursive: true }));
  return program;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
