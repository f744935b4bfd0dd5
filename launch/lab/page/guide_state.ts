/**
 * How far somebody is in the guide, whatever is in sight meanwhile.
 *
 * @module
 */
import { type Guide, GUIDES, type Step } from "../guides/mod.ts";
import type { Item } from "../messages.ts";
import { recall, remember } from "./storage.ts";

/** A step is looked at so often at most, in ms. */
const PAUSE = 250;

/** What is kept over a reload. */
interface Progress {
  /** By the step's number: done, or skipped. */
  steps: ("done" | "skipped" | null)[];
  /** The answers that were guessed. */
  guesses: (number | null)[];
}

/** The guide of the example that is chosen, if it has one. */
export class GuideState {
  guide: Guide | null = null;
  /** What the current step waits for. */
  waits = "";
  #progress: Progress = { steps: [], guesses: [] };
  readonly #items: () => readonly Item[];
  readonly #done: (step: Step, number: number) => void;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `items` are those of the run; `done` is called when a step has happened. */
  constructor(
    items: () => readonly Item[],
    done: (step: Step, number: number) => void,
  ) {
    this.#items = items;
    this.#done = done;
  }

  /** The number of the current step, from 0; -1 after the last one. */
  get at(): number {
    return this.guide?.steps.findIndex((_, index) => !this.markOf(index)) ?? -1;
  }

  get current(): Step | undefined {
    return this.guide?.steps[this.at];
  }

  /** Whether the current step waits for a guess. */
  get isAsked(): boolean {
    return this.current?.guess !== undefined && this.guessOf(this.at) === null;
  }

  get hasBegun(): boolean {
    return this.#progress.steps.length > 0;
  }

  markOf(index: number): "done" | "skipped" | null {
    return this.#progress.steps[index] ?? null;
  }

  guessOf(index: number): number | null {
    return this.#progress.guesses[index] ?? null;
  }

  /** Takes the guide of an example, as far as it was followed. */
  choose(example: string): void {
    if (example === this.guide?.example) return;
    this.guide = GUIDES.find((guide) => guide.example === example) ?? null;
    this.waits = "";
    this.#progress = recall<Progress>(`guide.${example}`) ??
      { steps: [], guesses: [] };
  }

  guess(answer: number): void {
    this.#progress.guesses[this.at] = answer;
    this.#keep();
  }

  skip(): void {
    this.#mark("skipped");
  }

  beginAgain(): void {
    this.#progress = { steps: [], guesses: [] };
    this.#keep();
  }

  /** Something has happened: has the step? */
  look(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#look();
    }, PAUSE);
  }

  #look(): void {
    const step = this.current, number = this.at + 1;
    if (!step || this.isAsked) return;
    const result = step.done(this.#items());
    if (result === true) this.#mark("done");
    this.waits = result === true ? "" : result;
    this.#done(step, result === true ? number : 0);
  }

  #mark(how: "done" | "skipped"): void {
    if (this.at < 0) return;
    this.#progress.steps[this.at] = how;
    this.waits = "";
    this.#keep();
  }

  #keep(): void {
    if (this.guide) remember(`guide.${this.guide.example}`, this.#progress);
    this.look();
  }
}
