/**
 * When a file was saved.
 *
 * @module
 */
import { basename, dirname, resolve } from "@std/path";

/** Notes when one of some files is saved, also while a check is under way. */
export class Saves {
  #saved = Promise.withResolvers<void>();

  /** Watches these files from now on. */
  constructor(files: string[]) {
    const names = new Set(files.map((file) => basename(file)));
    // The folder, because many editors put a new file in the place of the old one.
    const folders = new Set(files.map((file) => dirname(resolve(file))));
    this.#watch(Deno.watchFs([...folders], { recursive: false }), names);
  }

  /** Resolves when one has been saved since the last call. */
  async next(): Promise<void> {
    await this.#saved.promise;
    this.#saved = Promise.withResolvers();
  }

  async #watch(watcher: Deno.FsWatcher, names: Set<string>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      if (!paths.some((path) => names.has(basename(path)))) continue;
      clearTimeout(timer); // an editor may write several times
      timer = setTimeout(() => this.#saved.resolve(), 100);
    }
  }
}
