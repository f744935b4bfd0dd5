/**
 * Edited copies of the project's scripts, kept on disk.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { EXAMPLES } from "../programs/examples.ts";
import { isScript, ROOT, taskCommand } from "../programs/program.ts";
import type { Source, SourceError } from "./messages.ts";

/** Where edited copies are kept, from the project's folder. */
export const FOLDER = ".lab";

/** How long `deno` may take to check a copy, in ms. */
const CHECK_MS = 60_000;

/** So many errors are told. */
const ERRORS = 100;

/** What is kept of a script. */
interface Edit {
  /** Null: there is no copy. */
  text: string | null;
  version: number;
  /** What going back to the original took away, if that was the last thing done. */
  reverted: string | null;
}

/** What cannot be done to a source; one line. */
export class BadEdit extends Error {
  override name = "BadEdit";
}

/** The sources of the examples' scripts, and their edited copies. */
export class Edits {
  readonly #scripts: ReadonlySet<string>;
  /** The file; others may write it, too, so it is read each time. */
  readonly #file: string;
  /** Where copies run, from the project's folder. */
  readonly #copies: string;
  readonly #errors = new Map<string, SourceError[]>();
  #changes: Promise<unknown> = Promise.resolve();
  #checks: Promise<unknown> = Promise.resolve();

  /** `folder` is where copies are kept, from the project's folder. */
  constructor(scripts: Iterable<string>, folder: string = FOLDER) {
    this.#scripts = new Set(scripts);
    this.#file = join(ROOT, folder, "edits.json");
    this.#copies = `${folder}/run`;
  }

  /** A script and its copy. Throws {@linkcode BadEdit} if it is none of ours. */
  async source(script: string): Promise<Source> {
    this.#check(script);
    const original = await Deno.readTextFile(join(ROOT, script));
    const { text, version, reverted } = await this.#edit(script);
    return {
      script,
      original,
      edited: text,
      version,
      canUndo: reverted !== null,
      errors: this.#errors.get(`${version} ${script}`) ?? [],
    };
  }

  /** Whether there is a copy. */
  async has(script: string): Promise<boolean> {
    return this.#scripts.has(script) &&
      (await this.#edit(script)).text !== null;
  }

  /** Keeps a copy, if `version` is the latest. */
  async edit(script: string, text: string, version: number): Promise<void> {
    await this.#change(script, (edit) => {
      if (edit.version !== version) {
        throw new BadEdit(
          `${script} was changed in another page meanwhile, so this change is not kept.`,
        );
      }
      return { text, reverted: null };
    });
  }

  /** Goes back to the original. */
  async revert(script: string): Promise<void> {
    await this.#change(script, ({ text }) => {
      if (text === null) throw new BadEdit(`${script} has not been edited.`);
      return { text: null, reverted: text };
    });
  }

  /** Takes that back. */
  async undoRevert(script: string): Promise<void> {
    await this.#change(script, ({ reverted }) => {
      if (reverted === null) {
        throw new BadEdit(`There is no copy of ${script} to bring back.`);
      }
      return { text: reverted, reverted: null };
    });
  }

  /**
   * Makes a copy ready to run, beside copies of its neighbours, because a script may
   * import them or start itself as a thread. Returns the folder of copies.
   */
  async prepare(script: string): Promise<string> {
    this.#check(script);
    const folder = dirname(script);
    await Deno.mkdir(join(ROOT, this.#copies, folder), { recursive: true });
    for await (const { name, isFile } of Deno.readDir(join(ROOT, folder))) {
      if (!isFile || !name.endsWith(".ts")) continue;
      const path = `${folder}/${name}`;
      const { text } = await this.#edit(path);
      const source = text ?? await Deno.readTextFile(join(ROOT, path));
      await Deno.writeTextFile(join(ROOT, this.#copies, path), source);
    }
    return this.#copies;
  }

  /** Asks `deno` what is wrong with a copy; {@linkcode source} tells it afterwards. */
  async check(script: string): Promise<void> {
    this.#check(script);
    const { version } = await this.#edit(script);
    const check = async () => {
      const copies = await this.prepare(script);
      // `deno check` passes by what deno.json excludes.
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["cache", "--quiet", "--check", `${copies}/${script}`],
        cwd: ROOT,
        env: { NO_COLOR: "1" },
        stdin: "null",
        stdout: "null",
        signal: AbortSignal.timeout(CHECK_MS),
      }).output();
      const text = new TextDecoder().decode(stderr);
      const errors = errorsIn(text, `${copies}/${script}`);
      this.#errors.clear();
      this.#errors.set(
        `${version} ${script}`,
        success || errors.length > 0 ? errors : [{
          line: 1,
          column: 1,
          text: text.trim().split("\n")[0] || "deno cannot check this copy.",
        }],
      );
    };
    this.#checks = this.#checks.catch(() => {}).then(check);
    await this.#checks;
  }

  #check(script: string): void {
    if (this.#scripts.has(script)) return;
    throw new BadEdit(`${script} is no script of an example.`);
  }

  async #edit(script: string): Promise<Edit> {
    return (await this.#read()).get(script) ??
      { text: null, version: 0, reverted: null };
  }

  async #change(
    script: string,
    change: (edit: Edit) => Pick<Edit, "text" | "reverted">,
  ): Promise<void> {
    this.#check(script);
    const write = async () => {
      const all = await this.#read();
      const before = all.get(script) ??
        { text: null, version: 0, reverted: null };
      all.set(script, { ...change(before), version: before.version + 1 });
      await this.#write(all);
    };
    // One after the other.
    this.#changes = this.#changes.catch(() => {}).then(write);
    await this.#changes;
  }

  async #read(): Promise<Map<string, Edit>> {
    try {
      const value: unknown = JSON.parse(await Deno.readTextFile(this.#file));
      return new Map(Object.entries(value ?? {}).filter(isEntry));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Map();
      throw new BadEdit(`Cannot read ${this.#file}: ${messageOf(error)}`);
    }
  }

  /** Writes all at once, so that nothing is lost in between. */
  async #write(all: Map<string, Edit>): Promise<void> {
    try {
      await Deno.mkdir(dirname(this.#file), { recursive: true });
      const text = JSON.stringify(Object.fromEntries(all), null, 1);
      await Deno.writeTextFile(`${this.#file}.new`, text);
      await Deno.rename(`${this.#file}.new`, this.#file);
    } catch (error) {
      throw new BadEdit(`Cannot write ${this.#file}: ${messageOf(error)}`);
    }
  }
}

/** The scripts that play the roles of the examples. */
export async function scriptsOfExamples(): Promise<Set<string>> {
  const scripts = new Set<string>();
  for (const { name, roles } of EXAMPLES) {
    for (const role of roles) {
      if (role.command) continue;
      scripts.add(await scriptOf(role.task ?? `${name}:${role.name}`));
    }
  }
  return scripts;
}

/** The script that a task runs. */
export async function scriptOf(task: string): Promise<string> {
  return (await taskCommand(task)).find(isScript) ?? "";
}

/**
 * The errors that `deno` tells of a script, with their places. It says what is wrong
 * in a line or two, then shows where in the source, then says where that is.
 */
export function errorsIn(output: string, script: string): SourceError[] {
  const errors: SourceError[] = [];
  let text = "";
  for (const row of output.split("\n")) {
    const [, message] = /^(?:TS\d+ \[ERROR\]|error): (.*)/.exec(row) ?? [];
    if (message !== undefined) text = message.replace(/^SyntaxError: /, "");
    const [, path = "", line, column] =
      /^ +at (file:\/\/.*):(\d+):(\d+)$/.exec(row) ?? [];
    if (!path.endsWith(`/${script}`) || text === "") continue;
    errors.push({ line: Number(line), column: Number(column), text });
    text = "";
    if (errors.length === ERRORS) break;
  }
  return errors;
}

function isEntry(entry: [string, unknown]): entry is [string, Edit] {
  const [, value] = entry;
  if (typeof value !== "object" || value === null) return false;
  const { text, version, reverted }: Record<string, unknown> = { ...value };
  return (text === null || typeof text === "string") &&
    typeof version === "number" &&
    (reverted === null || typeof reverted === "string");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`;
}
