/**
 * A program of this project, running as a process of its own: what it prints,
 * what is typed into it, how it ends.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import type { Command } from "./command.ts";
import { OutputFile } from "./output_file.ts";

/** The project's folder; every program runs there. */
export const ROOT: string = fromFileUrl(new URL("../..", import.meta.url));

/** Where files are that go when a run is over. */
export const RUN_FOLDER = `${ROOT}.run`;

/** What a {@linkcode Program} reports while it runs. */
export interface Observer {
  /**
   * A line that it printed; or a prompt, together with the line typed after it,
   * which is also given by itself.
   */
  line?(
    program: Program,
    text: string,
    stream: "stdout" | "stderr",
    typed: string | undefined,
  ): void;
  /** It printed something (a prompt, perhaps) or ended. */
  change?(program: Program): void;
}

/** The arguments of `deno` that a task of `deno.json` runs, without "deno". */
export async function taskCommand(task: string): Promise<string[]> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const [deno, ...args] = config.tasks[task]?.command.split(" ") ?? [];
  if (deno !== "deno") throw new Error(`No task ${task} that runs a program`);
  return args;
}

/** Whether a word of a command is the script, and not an option. */
export const isScript = (word: string): boolean => /^[^-].*\.ts$/.test(word);

/** How {@linkcode start} runs a task. */
export interface StartOptions {
  /** The folder that it runs in; the project's by default. */
  cwd?: string;
  /** A seed for its random numbers. */
  seed?: number;
  /**
   * The folder, from the project's, of a copy of the script's folder: its script
   * runs instead, with the same permissions.
   */
  copy?: string;
}

/**
 * Starts the program that `deno task TASK` runs, with more arguments; in another
 * folder, with a seed for its random numbers, or from a copy, on request.
 *
 * @example
 * ```ts
 * import { start } from "./program.ts";
 *
 * await using server = await start("tcp:server", ["--port", "0"]);
 * const [, port] = await server.prints(/port (\d+)/);
 * ```
 */
export async function start(
  task: string,
  args: string[] = [],
  observer: Observer = {},
  { cwd = ROOT, seed, copy }: StartOptions = {},
): Promise<Program> {
  const [run = "run", ...original] = await taskCommand(task);
  const script = original.find(isScript) ?? "";
  // A script that starts threads may read its own file: the copy may read its own.
  const rest = copy === undefined
    ? original
    : original.map((word) =>
      word === script || word.endsWith(`=${script}`)
        ? word.slice(0, -script.length) + `${copy}/${script}`
        : word
    );
  // The path of the script then holds from any folder; permissions don't.
  const command = rest.map((word) => isScript(word) ? join(ROOT, word) : word);
  const flags = seed === undefined ? [] : [`--seed=${seed}`];
  return new Program(task, [run, ...flags, ...command, ...args], observer, cwd);
}

/** What a program cannot be started without. */
export class CannotStart extends Error {
  override name = "CannotStart";
}

/**
 * Starts a command of the user's own. It may start others: all of them end together
 * with it. Python's output comes line by line, although it goes into a pipe.
 *
 * Throws CannotStart, with one line that says why.
 */
export function startCommand(
  name: string,
  { text, env, words: [executable, ...args] }: Command,
  observer: Observer = {},
): Program {
  try {
    return new Program(name, args, observer, Deno.cwd(), executable, {
      ...{ PYTHONUNBUFFERED: "1", PYTHONIOENCODING: "utf-8" },
      ...env,
    }, Deno.build.os !== "windows");
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? `there is no program ${executable} here`
      : error instanceof Deno.errors.PermissionDenied
      ? `${executable} may not be run`
      : error instanceof Error
      ? error.message
      : `${error}`;
    throw new CannotStart(`Cannot start "${text}": ${why}.`);
  }
}

/** So much of a line is waited for; then what has come is a line. */
const LONGEST = 65_536;

/** A program as a child process that is never left behind; Deno, by default. */
export class Program {
  /** Whether output goes into files and not through pipes; see {@linkcode OutputFile}. */
  static usesFiles: boolean = Deno.build.os === "windows";

  /** What it is called in output. */
  readonly name: string;
  /** The process identifier. */
  readonly pid: number;
  /** All that it printed to standard output so far. */
  stdout = "";
  /** All that it printed to standard error so far. */
  stderr = "";
  /** How it ended; undefined while it runs. */
  status: Deno.CommandStatus | undefined;
  /** Resolves when it has ended and all of its output has been read. */
  readonly ended: Promise<Deno.CommandStatus>;

  readonly #child: Deno.ChildProcess;
  readonly #files: Record<"stdout" | "stderr", OutputFile> | undefined;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #observer: Observer;
  readonly #waiting = new Set<() => void>();
  readonly #leads: boolean;
  readonly #unfinished = { stdout: "", stderr: "" };

  constructor(
    name: string,
    args: string[],
    observer: Observer = {},
    cwd: string = ROOT,
    executable: string = Deno.execPath(),
    env: Record<string, string> = {},
    /** Whether it leads a group of its own, which ends with it. */
    leads = false,
  ) {
    this.name = name;
    this.#leads = leads;
    this.#observer = observer;
    this.#files = Program.usesFiles
      ? {
        stdout: new OutputFile(RUN_FOLDER),
        stderr: new OutputFile(RUN_FOLDER),
      }
      : undefined;
    const files = Object.values(this.#files ?? {});
    try {
      this.#child = new Deno.Command(executable, {
        args,
        cwd,
        env: { NO_COLOR: "1", ...env },
        stdin: "piped",
        stdout: this.#files?.stdout.target ?? "piped",
        stderr: this.#files?.stderr.target ?? "piped",
        detached: leads,
      }).spawn();
    } catch (error) {
      for (const file of files) file.close();
      throw error;
    } finally {
      for (const file of files) file.started();
    }
    this.pid = this.#child.pid;
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {}); // it ended before its input did
    this.ended = this.#run();
  }

  /** What it printed after its last line; "" once something is typed there. */
  get prompt(): string {
    return this.#unfinished.stdout;
  }

  /** Whether it shows a prompt and nothing has been typed after it. */
  get asking(): boolean {
    return this.prompt !== "";
  }

  /** Types a line, as if at its keyboard. */
  async type(line: string): Promise<void> {
    this.#finishLine("stdout", line);
    await this.#input.write(new TextEncoder().encode(`${line}\n`))
      .catch(() => {}); // it has ended: so whoever waits for it is told
  }

  /** Ends its input, like Ctrl-D. */
  async endInput(): Promise<void> {
    if (this.asking) this.#finishLine("stdout", "^D");
    await this.#input.close().catch(() => {});
  }

  /** Sends a signal; none if it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      if (this.#leads) Deno.kill(-this.pid, signal);
      else this.#child.kill(signal);
    } catch {
      // It has ended, and perhaps not all of its output has been read.
    }
  }

  /** What the reaper is told: a group's number is that of its leader, below zero. */
  get group(): number {
    return this.#leads ? -this.pid : this.pid;
  }

  /**
   * Waits until standard output holds a text or matches a pattern, from an
   * offset on; returns the match. Throws when the program ends first, or does
   * not print it within `ms` milliseconds.
   */
  prints(
    expected: string | RegExp,
    { from = 0, ms = 20_000 }: { from?: number; ms?: number } = {},
  ): Promise<RegExpExecArray> {
    const pattern = typeof expected === "string"
      ? new RegExp(expected.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      : expected;
    return this.until(
      () => pattern.exec(this.stdout.slice(from)),
      `print ${expected}`,
      ms,
    );
  }

  /** Waits for its end, at most `ms` milliseconds; returns its exit code. */
  async exits(ms = 20_000): Promise<number> {
    return (await this.until(() => this.status, "end", ms)).code;
  }

  /**
   * Waits until `test` returns something; asks it whenever the program has
   * printed or ended. `what` completes "did not …" in the error that it throws
   * after `ms` milliseconds, or when the program has ended in vain.
   */
  until<T>(
    test: () => T | null | undefined | false,
    what: string,
    ms: number,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = () => {
      const result = test();
      if (result) resolve(result);
      else if (this.status) fail(`ended with ${this.status.code}`);
    };
    const fail = (why: string) =>
      reject(
        new Error(
          `${this.name} did not ${what}: ${why}. It printed:\n` +
            `${this.stdout}${this.stderr}`,
        ),
      );
    const timer = setTimeout(fail, ms, `waited ${ms} ms`);
    this.#waiting.add(check);
    check();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(check);
    });
  }

  /**
   * Ends it: asks with SIGTERM, insists with SIGKILL when it still runs `ms`
   * milliseconds later. Returns how it ended.
   */
  async stop(ms = 5_000): Promise<Deno.CommandStatus> {
    this.kill("SIGTERM");
    const timer = setTimeout(() => this.kill("SIGKILL"), ms);
    const status = await this.ended;
    clearTimeout(timer);
    if (this.#leads) this.kill("SIGKILL"); // those that it started
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended;
  }

  async #run(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      this.#child.status,
      this.#read("stdout"),
      this.#read("stderr"),
    ]);
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#unfinished[stream]) this.#finishLine(stream);
    }
    this.status = status;
    await this.#input.abort().catch(() => {});
    this.#notify();
    return status;
  }

  async #read(stream: "stdout" | "stderr"): Promise<void> {
    const output = this.#files
      ? ReadableStream.from(this.#files[stream].read(this.#child.status))
      : this.#child[stream];
    for await (const text of output.pipeThrough(new TextDecoderStream())) {
      this[stream] += text;
      const lines = (this.#unfinished[stream] + text).split("\n");
      this.#unfinished[stream] = lines.pop() ?? "";
      for (const line of lines) {
        this.#observer.line?.(this, withoutReturn(line), stream, undefined);
      }
      if (this.#unfinished[stream].length > LONGEST) this.#finishLine(stream);
      this.#notify();
    }
  }

  #finishLine(stream: "stdout" | "stderr", typed?: string): void {
    const line = this.#unfinished[stream] + (typed ?? "");
    this.#unfinished[stream] = "";
    this.#observer.line?.(this, line, stream, typed);
  }

  #notify(): void {
    for (const check of [...this.#waiting]) check();
    this.#observer.change?.(this);
  }
}

/** A line of a program that ends its lines as Windows does. */
function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
