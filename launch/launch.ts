/**
 * Launches the programs of an example together.
 *
 * @module
 */
import type { Example, Role } from "./examples.ts";
import { type Observer, type Program, ROOT, start } from "./program.ts";

/** Limits in ms; generous, because they only matter when something is wrong. */
const READY = 20_000, DONE = 60_000, STOPPED = 10_000;

/**
 * Runs an example from the start of its servers to the end of all its programs.
 *
 * The servers listen on ports that the system chooses, so that nothing else on
 * this machine is disturbed; whoever talks to them is told which. The lines of
 * the script are typed one by one, each into the program that asks by then.
 *
 * Throws an Error when a program does not start, fails or does not end, and the
 * signal's reason when that aborts. Whether it returns or throws: afterwards
 * none of the programs is running.
 */
export async function launch(
  example: Example,
  script: string[],
  observer: Observer,
  signal: AbortSignal,
): Promise<void> {
  await using crew = new Crew(example, observer);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    if (signal.aborted) reject(signal.reason);
  });
  await Promise.race([play(example, script, crew), aborted]);
}

async function play(
  example: Example,
  script: string[],
  crew: Crew,
): Promise<void> {
  const ports: Record<string, number> = {};
  for (const role of example.servers) {
    const server = await crew.start(role, ports);
    // The first line that a server prints says where it listens.
    const listening = /^.*(?:port |:)(\d+).*\n/;
    const [, port] = await server.prints(listening, { ms: READY });
    ports[role.name] = Number(port);
  }
  const client = await crew.start(example.client, ports);
  await Promise.all([expectSuccess(client, DONE), crew.type(script, client)]);
  await crew.dismiss();
}

async function expectSuccess(program: Program, ms: number): Promise<void> {
  const code = await program.exits(ms);
  if (code !== 0) throw new Error(`${program.name} ended with status ${code}`);
}

/** The programs of one example, and the reaper that watches over them. */
class Crew implements AsyncDisposable {
  readonly #example: Example;
  readonly #observer: Observer;
  readonly #programs = new Map<Role, Program>();
  readonly #reaper: Deno.ChildProcess;
  readonly #reports: WritableStreamDefaultWriter<Uint8Array>;
  #change = Promise.withResolvers<void>();

  constructor(example: Example, observer: Observer) {
    this.#example = example;
    this.#observer = observer;
    this.#reaper = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-run", "launch/reaper.ts"],
      cwd: ROOT,
      stdin: "piped",
    }).spawn();
    this.#reports = this.#reaper.stdin.getWriter();
  }

  /** Starts the program of a role. */
  async start(role: Role, ports: Record<string, number>): Promise<Program> {
    const task = `${this.#example.name}:${role.name}`;
    const program = await start(task, role.args(ports), {
      ...this.#observer,
      change: (program) => {
        this.#change.resolve();
        this.#change = Promise.withResolvers();
        this.#observer.change?.(program);
      },
    });
    this.#programs.set(role, program);
    await this.#report(`+${program.pid}`);
    program.ended.then(() => this.#report(`-${program.pid}`));
    return program;
  }

  /** Types lines while the client runs; ends the input when there are none. */
  async type(lines: string[], client: Program): Promise<void> {
    const rest = lines.values();
    while (client.status === undefined) {
      const asking = this.#programs.values().find((program) => program.asking);
      if (asking) {
        const { value, done } = rest.next();
        await (done ? asking.endInput() : asking.type(value));
      } else {
        await this.#change.promise;
      }
    }
  }

  /** Ends the servers as a user would, and checks that they end well. */
  async dismiss(): Promise<void> {
    for (const [role, program] of this.#programs) {
      if (!role.endsWithClient) program.kill("SIGTERM");
    }
    for (const [role, program] of this.#programs) {
      // Windows has no signals: there, kill() ends a program without asking.
      const killed = Deno.build.os === "windows" && !role.endsWithClient;
      if (!killed) await expectSuccess(program, STOPPED);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const programs = [...this.#programs.values()];
    await Promise.all(programs.map((program) => program.stop()));
    await this.#reports.close();
    await this.#reaper.status;
  }

  async #report(line: string): Promise<void> {
    await this.#reports.write(new TextEncoder().encode(`${line}\n`));
  }
}
