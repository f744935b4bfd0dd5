/**
 * The launcher's side of the reaper: who must not outlive the launcher.
 *
 * @module
 */
import { ROOT, RUN_FOLDER } from "./program.ts";

/** How the reaper is run; it may delete from the run folder alone. */
const REAPER =
  "run --quiet --no-prompt --allow-run --allow-write=.run launch/programs/reaper.ts";

/** The process that clears up when this one ends, whatever ends it. */
export class Reaper implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reports: WritableStreamDefaultWriter<Uint8Array>;

  /**
   * With `ownSession` a Ctrl-C does not reach it, not even while it starts. Then it
   * cannot put the terminal back, either.
   */
  constructor({ ownSession = Deno.build.os === "windows" } = {}) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: REAPER.split(" "),
      cwd: ROOT,
      stdin: "piped",
      // Windows ends all others of the window, or of this process, together.
      detached: ownSession,
    }).spawn();
    this.#reports = this.#process.stdin.getWriter();
    this.#reports.closed.catch(() => {}); // somebody has ended it
  }

  /** From now on a process must end with us. */
  async started(pid: number): Promise<void> {
    await this.#report(`+${pid}`);
  }

  /** A process has ended: its number may soon be another's. */
  async ended(pid: number): Promise<void> {
    await this.#report(`-${pid}`);
  }

  /** The terminal is not as it was: these are its settings; "" when it is again. */
  async terminal(settings: string): Promise<void> {
    await this.#report(`~${settings}`);
  }

  /** Makes a folder that goes in the end. */
  async folder(): Promise<string> {
    await Deno.mkdir(RUN_FOLDER, { recursive: true });
    const folder = await Deno.makeTempDir({ dir: RUN_FOLDER });
    await this.#report(`/${folder}`);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reports.close().catch(() => {});
    await this.#process.status;
  }

  async #report(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(`${line}\n`);
    await this.#reports.write(bytes).catch(() => {});
  }
}
