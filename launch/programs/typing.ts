/**
 * One keyboard, several programs: each line goes to a program that asks.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { TypedLine } from "./examples.ts";
import type { Asking, Keyboard } from "./keyboard.ts";
import type { Program } from "./program.ts";

/** A prompt is one when nothing has followed it for so many ms. */
const PROMPT_MS = 15;

/** Types what a keyboard has into the programs that ask. */
export class Typing {
  readonly #keyboard: Keyboard;
  readonly #programs: ReadonlyMap<string, Program>;
  readonly #turn: (role: string) => Promise<void>;
  readonly #prompts = new Set<string>();
  #change = Promise.withResolvers<void>();

  /** `turn` is waited for before each line. */
  constructor(
    keyboard: Keyboard,
    programs: ReadonlyMap<string, Program>,
    turn: (role: string) => Promise<void>,
  ) {
    this.#keyboard = keyboard;
    this.#programs = programs;
    this.#turn = turn;
    keyboard.onChange = () => this.notify();
  }

  /** Is told when a program has printed something or ended. */
  notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** Whether a line that a program has printed is a prompt that it took back. */
  isPrompt(line: string): boolean {
    return this.#prompts.has(line);
  }

  /**
   * Types, each line into a program that asks, until `isOver` says so when a program
   * has printed something or ended, or {@linkcode notify} was called.
   */
  async until(isOver: () => boolean): Promise<void> {
    let since = new Map<string, number>(); // how much was printed by the last line
    while (!isOver()) {
      const changed = this.#change.promise;
      const asking = await this.#asking();
      this.#keyboard.ask(asking);
      const next = this.#keyboard.next();
      const program = this.#programs.get(next?.role ?? "");
      if (!next || !program?.asking || !this.#isDue(next.line, since)) {
        await changed;
        continue;
      }
      const { role, line } = next;
      await this.#turn(role);
      this.#keyboard.take();
      // The others still ask.
      this.#keyboard.ask(asking.filter((other) => other.role !== role));
      since = new Map(
        [...this.#programs].map(([role, { stdout }]) => [role, stdout.length]),
      );
      if (line === null) await program.endInput();
      else await program.type(typeof line === "string" ? line : line.type);
    }
    this.#keyboard.ask([]);
  }

  /** Whether what a line waits for has been printed. */
  #isDue(line: string | TypedLine | null, since: Map<string, number>): boolean {
    if (line === null || typeof line === "string") return true;
    const { role, prints } = line.after;
    const stdout = this.#programs.get(role)?.stdout ?? "";
    return prints.test(stdout.slice(since.get(role) ?? 0));
  }

  /** Who asks; not a program in the middle of printing a long line. */
  async #asking(): Promise<Asking[]> {
    const all = this.#prompting();
    if (all.length === 0) return [];
    await pause(PROMPT_MS);
    const now = new Map(this.#prompting().map((a) => [a.role, a.prompt]));
    const still = all.filter(({ role, prompt }) => now.get(role) === prompt);
    for (const { prompt } of still) this.#prompts.add(prompt);
    return still;
  }

  #prompting(): Asking[] {
    return [...this.#programs]
      .filter(([, program]) => program.asking)
      .map(([role, { prompt }]) => ({ role, prompt }));
  }
}
