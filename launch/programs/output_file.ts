/**
 * A file in the place of a pipe, for what a program prints.
 *
 * On Windows Deno reads the pipes of its children with blocking threads, and has
 * four of them for each core. Two cores cannot read standard output and standard
 * error of five programs and still write to one of them: everything stands still.
 * A file needs no thread, because reading it never waits.
 *
 * @module
 */
import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** How often a file is looked at for more, in ms. */
const LOOK = 10;

/** How much is read at once, in bytes. */
const CHUNK = 65_536;

/** How often it is tried to make a file in a folder that others may remove. */
const TRIES = 20;

/** What one program prints to one of its streams. */
export class OutputFile {
  readonly #writer: number;
  readonly #reader: number;

  /**
   * Makes the file in a folder, and deletes it at once: it lives for as long as
   * somebody has it open, so nothing is left, whatever ends this process.
   */
  constructor(folder: string) {
    const path = makeFile(folder);
    this.#writer = openSync(path, "a");
    this.#reader = openSync(path, "r");
    unlinkSync(path);
    try {
      Deno.removeSync(folder);
    } catch {
      // Others have something in there.
    }
  }

  /**
   * What `Deno.Command` takes for `stdout` and `stderr`. Its types don't say that it
   * takes open files, too, by their number, as `node:child_process` does.
   */
  get target(): "piped" {
    const target: unknown = this.#writer;
    return target as "piped";
  }

  /** The program has the file now, or did not start: only it may write there. */
  started(): void {
    closeSync(this.#writer);
  }

  /** What is printed until `ended` resolves, and what is left then. */
  async *read(
    ended: Promise<unknown>,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    let over = false, at = 0;
    const end = ended.then(() => over = true);
    const chunk = new Uint8Array(CHUNK);
    try {
      while (true) {
        const isLast = over;
        const size = readSync(this.#reader, chunk, 0, CHUNK, at);
        at += size;
        if (size > 0) yield chunk.slice(0, size);
        else if (isLast) return;
        else await Promise.race([end, pause(LOOK)]);
      }
    } finally {
      this.close();
    }
  }

  /** Forgets what has not been read. */
  close(): void {
    closeSync(this.#reader);
  }
}

/** A new file; another program may remove the folder, which was empty, meanwhile. */
function makeFile(folder: string): string {
  for (let tries = 1;; tries++) {
    try {
      Deno.mkdirSync(folder, { recursive: true });
      return Deno.makeTempFileSync({ dir: folder });
    } catch (error) {
      if (tries === TRIES || !(error instanceof Deno.errors.NotFound)) {
        throw error;
      }
    }
  }
}
