/**
 * The keyboard of the lab: many programs at a time, each with lines of its own.
 *
 * @module
 */
import type { Asking, Keyboard, Typed } from "../programs/keyboard.ts";

/** How many lines may wait for one program. */
const WAITING = 1_000;

/** Types what is typed at the pages, into the program that it is for. */
export class Typist implements Keyboard {
  readonly isScript = false;
  onChange: () => void = () => {};
  readonly #asked: (role: string, prompt: string | null) => void;
  readonly #lines = new Map<string, (string | null)[]>();
  #asking = new Map<string, string>();
  #next: Typed | undefined;

  /** `asked` is told what a role asks; null: nothing any more. */
  constructor(asked: (role: string, prompt: string | null) => void) {
    this.#asked = asked;
  }

  /** Whether a line for this role must wait its turn. */
  waits(role: string): boolean {
    return this.#asking.has(role) || this.#lines.has(role);
  }

  /** Types a line when the role asks; null ends its input. False: too many wait. */
  type(role: string, line: string | null): boolean {
    const lines = this.#lines.get(role) ?? [];
    if (lines.length >= WAITING) return false;
    lines.push(line);
    this.#lines.set(role, lines);
    this.onChange();
    return true;
  }

  /** Forgets what waits for a program that has ended. */
  forget(role: string): void {
    this.#lines.delete(role);
  }

  ask(asking: readonly Asking[]): void {
    const now = new Map(asking.map(({ role, prompt }) => [role, prompt]));
    const before = this.#asking;
    this.#asking = now;
    for (const role of before.keys()) {
      if (!now.has(role)) this.#asked(role, null);
    }
    for (const [role, prompt] of now) {
      if (before.get(role) !== prompt) this.#asked(role, prompt);
    }
  }

  next(): Typed | undefined {
    for (const role of this.#asking.keys()) {
      const line = this.#lines.get(role)?.[0];
      if (line !== undefined) return this.#next = { role, line };
    }
    return this.#next = undefined;
  }

  take(): void {
    const { role = "" } = this.#next ?? {};
    const lines = this.#lines.get(role);
    lines?.shift();
    if (lines?.length === 0) this.#lines.delete(role);
  }

  [Symbol.dispose](): void {
    this.#lines.clear();
  }
}
