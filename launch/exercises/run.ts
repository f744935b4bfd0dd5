/**
 * Tries a learner's program, step by step, up to the first thing that is not
 * right.
 *
 * @module
 */
import type { Exercise, Step } from "../../tests/exercises/exercise.ts";
import {
  CannotTell,
  type Finding,
  NotYet,
} from "../../tests/exercises/verdict.ts";
import { Workplace } from "../../tests/exercises/workplace.ts";
import type { Command } from "../programs/command.ts";
import type { WireEvent } from "../wire/relay.ts";

/** What came of a step. */
export type Outcome =
  | { verdict: "right" }
  | {
    verdict: "not yet";
    finding: Finding;
    events: WireEvent[];
    /** What the program printed, and its exit status if it has ended. */
    printed: string;
    status: number | undefined;
  }
  | { verdict: "cannot tell"; why: string };

/** How a program is tried. */
export interface Trial {
  command: Command;
  /** Where it runs. */
  cwd: string;
  /** What the data of the check are drawn from. */
  seed: number;
}

/** Longer than any step takes, in ms: so that a check never hangs. */
const LIMIT = 120_000;

/** Tries one step with a program of its own, and leaves nothing behind. */
export async function tryStep(
  exercise: Exercise,
  step: Step,
  trial: Trial,
): Promise<Outcome> {
  const folder = await Deno.makeTempDir({ prefix: "exercise-" });
  const workplace = new Workplace({ exercise, step, folder, ...trial });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new CannotTell(`The check took over ${LIMIT / 1000} s.`)),
        LIMIT,
      );
    });
    const checked = step.check(workplace);
    checked.catch(() => {}); // the limit may have been first
    await Promise.race([checked, limit]);
    return { verdict: "right" };
  } catch (error) {
    if (error instanceof CannotTell) {
      return { verdict: "cannot tell", why: error.message };
    }
    if (!(error instanceof NotYet)) throw error;
    if (workplace.late) {
      const why =
        "This machine was too busy: the check's own timers were late.";
      return { verdict: "cannot tell", why };
    }
    const { program } = workplace;
    const events = [...workplace.events]; // before our own end adds to them
    return {
      verdict: "not yet",
      finding: error.finding,
      events,
      printed: program ? program.stdout + program.stderr : "",
      status: program?.status?.code,
    };
  } finally {
    clearTimeout(timer);
    await workplace[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
}

/** How the TypeScript program of an exercise is started. */
export function denoCommand(exercise: Exercise, file: string): Command {
  const unstable = exercise.transport === "udp" ? ["--unstable-net"] : [];
  const flags = ["--allow-net=127.0.0.1", ...unstable, ...exercise.flags ?? []];
  return {
    text: `deno run ${flags.join(" ")} ${file}`,
    env: {},
    words: [Deno.execPath(), "run", "--quiet", ...flags, file],
  };
}
