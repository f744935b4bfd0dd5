/**
 * What a guide is.
 *
 * @module
 */
import type { Item } from "../messages.ts";

/** The steps through one example. */
export interface Guide {
  /** The example's name. */
  example: string;
  title: string;
  steps: Step[];
}

/** Something to do, and to look at. */
export interface Step {
  title: string;
  /** What to do. */
  do: string;
  /** What to look for. */
  look: string;
  /** A question that comes before the step is done; the run answers it. */
  guess?: {
    question: string;
    answers: string[];
    /** The number of the right one, from 0. */
    right: number;
    because: string;
  };
  /** Whether it has happened, and else what it waits for. */
  done(items: readonly Item[]): true | string;
}
