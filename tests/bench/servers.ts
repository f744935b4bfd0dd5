/**
 * The programs that are measured, as processes that end with the benchmark,
 * whatever ends it.
 *
 * @module
 */
import { join } from "@std/path";
import { ROOT, taskCommand } from "../../launch/programs/program.ts";
import { unusedPort } from "../assertions.ts";
import { find } from "../needs.ts";
import { type Contestant, Missing } from "./contest.ts";

/** How long a server may take until it answers, and to end (ms). */
const PATIENCE_MS = 10_000;

/** Where the peers' programs are. */
const PEERS: string = join(ROOT, "tests", "bench", "peers");

const running = new Set<Server>();

/** Kills all servers at once, without waiting. */
export function killAll(): void {
  for (const server of running) server.kill("SIGKILL");
}

/** A program that runs until it is disposed of. */
export class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** The beginning of what it printed to standard error. */
  complaints = "";

  /** Starts a program; what it prints to standard output is thrown away. */
  constructor([program = "", ...args]: string[], cwd: string = ROOT) {
    this.#child = new Deno.Command(program, {
      args,
      cwd,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#listen();
    running.add(this);
    watch(`+${this.pid}`);
    this.#child.status.then(() => {
      running.delete(this);
      watch(`-${this.pid}`);
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until `test` says that it is there, or throws. */
  async ready(test: () => Promise<boolean>): Promise<this> {
    const end = Date.now() + PATIENCE_MS;
    while (!await test()) {
      if (Date.now() > end || !running.has(this)) {
        throw new Error(`It ended, or does not answer. ${this.complaints}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this;
  }

  /** Sends a signal, also to what it started. */
  kill(signal: Deno.Signal): void {
    if (!running.has(this)) return;
    for (const pid of signal === "SIGKILL" ? children(this.pid) : []) {
      signalTo(pid, signal);
    }
    signalTo(this.pid, signal);
  }

  /** Resolves when it has ended. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  async #listen(): Promise<void> {
    const texts = this.#child.stderr.pipeThrough(new TextDecoderStream());
    for await (const text of texts) {
      if (this.complaints.length < 10_000) this.complaints += text;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGTERM");
    const timer = setTimeout(() => this.kill("SIGKILL"), PATIENCE_MS);
    await this.#child.status;
    clearTimeout(timer);
  }
}

function signalTo(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** The processes that a process started; none where the system does not tell. */
function children(pid: number): number[] {
  try {
    const file = `/proc/${pid}/task/${pid}/children`;
    return Deno.readTextFileSync(file).split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Whether somebody accepts connections on a port of this machine. */
export async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes a contestant: `setup` puts the servers that it starts on the stack and
 * returns how to measure them. They end with the contestant, or when `setup`
 * throws.
 */
export async function contestant(
  setup: (stack: AsyncDisposableStack) => Promise<Contestant["measure"]>,
): Promise<Contestant> {
  await using stack = new AsyncDisposableStack();
  const measure = await setup(stack);
  const servers = stack.move();
  return { measure, [Symbol.asyncDispose]: () => servers.disposeAsync() };
}

/** A load on one server's port, and what it results in. */
export type Load = (port: number, seconds: number) => Promise<number>;

/** A contestant that is one TCP server under load. */
export function tcpServer(
  command: (port: number) => Promise<string[]>,
  load: Load,
): Promise<Contestant> {
  return contestant(async (stack) => {
    const port = unusedPort();
    const server = stack.use(new Server(await command(port)));
    await server.ready(() => accepts(port));
    return async (seconds) => [await load(port, seconds)];
  });
}

/** The command of a task of this project, with more arguments. */
export async function ours(task: string, args: string[]): Promise<string[]> {
  return [Deno.execPath(), ...await taskCommand(task), ...args];
}

/** The web server with another folder, which is then the one it may read. */
export async function webServer(
  folder: string,
  port: number,
): Promise<string[]> {
  const args = ["--root", folder, "--port", `${port}`];
  return (await ours("web:server", args))
    .filter((argument) => argument !== "--exit-on-close")
    .map((argument) =>
      argument.startsWith("--allow-read=") ? `--allow-read=${folder}` : argument
    );
}

/** The same command for another folder than this project's. */
export function fromElsewhere(command: string[]): string[] {
  return command.map((argument) =>
    /^\w.*\.ts$/.test(argument) ? join(ROOT, argument) : argument
  );
}

/** The command of a Python program in `peers/`. */
export async function pythonPeer(
  file: string,
  ...args: (string | number)[]
): Promise<string[]> {
  return [await installed("python3"), join(PEERS, file), ...args.map(String)];
}

/** The command of a Node program in `peers/`. */
export async function nodePeer(file: string, port: number): Promise<string[]> {
  return [await installed("node"), join(PEERS, file), `${port}`];
}

/**
 * The command of a program from npm, which is fetched once; throws
 * {@linkcode Missing}. It runs in Node, as its users run it.
 */
export async function npmPeer(
  name: string,
  version: string,
  ...args: string[]
): Promise<string[]> {
  const fetch = ["-y", "-p", `${name}@${version}`, "-c", `command -v ${name}`];
  const npx = new Deno.Command(await installed("npx"), { args: fetch });
  const { success, stdout } = await npx.output();
  if (!success) throw new Missing(`npm's ${name} cannot be fetched`);
  const path = new TextDecoder().decode(stdout).trim();
  return [await installed("node"), path, ...args];
}

/**
 * The path of a program; throws {@linkcode Missing}. Of Python it is that of
 * the interpreter itself, since the `python3` in the path may be a script that
 * looks for one (pyenv's takes longer for it than the interpreter to start).
 */
export async function installed(program: string): Promise<string> {
  const found = programs.get(program) ?? locate(program);
  programs.set(program, found);
  return await found;
}

const programs = new Map<string, Promise<string>>();

async function locate(program: string): Promise<string> {
  const path = find(program === "python3" ? python : program);
  if (path === undefined) throw new Missing(`${program} is not installed`);
  if (program !== "python3") return path;
  const args = ["-c", "import sys; print(sys.executable)"];
  const { success, stdout } = await new Deno.Command(path, { args }).output();
  if (!success) throw new Missing("python3 does not run");
  return new TextDecoder().decode(stdout).trim();
}

let python = "python3";

/** Chooses the Python interpreter. */
export function usePython(path: string): void {
  python = path;
}

// The launcher's reaper kills what is left when this process has been killed.
let reports: WritableStreamDefaultWriter<Uint8Array> | undefined;

function watch(line: string): void {
  reports ??= new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-run", "launch/programs/reaper.ts"],
    cwd: ROOT,
    stdin: "piped",
  }).spawn().stdin.getWriter();
  reports.write(new TextEncoder().encode(`${line}\n`)).catch(() => {});
}
