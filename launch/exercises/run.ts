/**
 * Tries a learner's program, step by step, up to the first thing that is not
 * right.
 *
 * @module
 */
import type { Exercise, Step } from "../../tests/exercises/exercise.ts";
import {
  BUSY,
  CannotTell,
  type Finding,
  NotYet,
} from "../../tests/exercises/verdict.ts";
import { Workplace } from "../../tests/exercises/workplace.ts";
import type { Command } from "../programs/command.ts";
import { listening } from "../programs/ports.ts";
import type { Reaper } from "../programs/reaper_client.ts";
import type { WireEvent } from "../wire/relay.ts";
import { setTimeout as pause } from "node:timers/promises";

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
  | {
    verdict: "cannot tell";
    why: string;
    /** Whether it may be different the next time. */
    busy: boolean;
  };

/** How a program is tried. */
export interface Trial {
  command: Command;
  /** Where it runs. */
  cwd: string;
  /** What the data of the check are drawn from. */
  seed: number;
  /** Who ends the program and removes its files if this process is ended first. */
  reaper?: Reaper;
  /** Ends the program as soon as it aborts. */
  stop?: AbortSignal;
}

/** Longer than any step takes, in ms: so that a check never hangs. */
const LIMIT = 120_000;

/** So long, in ms, we wait for the end of a program that we have killed. */
const LAST = 5_000;

/** Tries one step with a program of its own, and leaves nothing behind. */
export async function tryStep(
  exercise: Exercise,
  step: Step,
  trial: Trial,
): Promise<Outcome> {
  const folder = await trial.reaper?.folder() ??
    await Deno.makeTempDir({ prefix: "exercise-" });
  const workplace = new Workplace({ exercise, step, folder, ...trial });
  const kill = () => workplace.program?.kill("SIGKILL");
  trial.stop?.addEventListener("abort", kill);
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
      const { message: why, busy } = error;
      return { verdict: "cannot tell", why, busy };
    }
    if (!(error instanceof NotYet)) throw error;
    const nobody = await nobodyThere(workplace, exercise);
    if (workplace.late && !nobody) {
      return { verdict: "cannot tell", why: BUSY, busy: true };
    }
    const { program } = workplace;
    const events = [...workplace.events]; // before our own end adds to them
    return {
      verdict: "not yet",
      finding: nobody ?? withTheEnd(error.finding, workplace, exercise),
      events,
      printed: program ? program.stdout + program.stderr : "",
      status: program?.status?.code,
    };
  } finally {
    clearTimeout(timer);
    trial.stop?.removeEventListener("abort", kill);
    // What a program has started and let go may hold on to its output.
    await Promise.race([workplace[Symbol.asyncDispose](), pause(LAST)]);
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * What is more to the point than what the check has missed: no socket was there to
 * answer, or the program had gone before it said anything.
 */
async function nobodyThere(
  { events, program, target }: Workplace,
  { role, transport }: Exercise,
): Promise<Finding | undefined> {
  const status = program?.status;
  if (events.some(({ from, kind }) => from === role && kind !== "refused")) {
    return undefined; // it has said something
  }
  if (role === "client" && status) {
    return {
      property: `Your program ${
        transport === "tcp" ? "did not connect" : "sent nothing"
      }. It ended with status ${status.code}.`,
      cause: status.code === 0
        ? "It begins: it connects or sends to 127.0.0.1 and the port of its " +
          "first argument. Then it waits for the answer."
        : "Its last lines say why.",
    };
  }
  if (role === "client") return undefined;
  const nobody = transport === "tcp"
    ? events.some(({ kind }) => kind === "refused")
    : !status && (await listening())?.udp.has(target) === false;
  if (!nobody) return undefined;
  return {
    property: status
      ? `Your program printed a line and ended with status ${status.code}.`
      : "Your program printed a line and runs, but nobody listens at " +
        `127.0.0.1, port ${target}.`,
    cause:
      "Listen on 127.0.0.1 and the port of the first argument. Print the " +
      "line after that, not before.",
  };
}

/** The finding, and what the wire says about its cause: no listener, a reset. */
function withTheEnd(
  finding: Finding,
  { events, program }: Workplace,
  { role }: Exercise,
): Finding {
  if (program?.status) return finding;
  const last = events.findLast(({ from }) => from === role);
  const { came = "", cause } = finding;
  const nothing = came.length === 0 || came === "(nothing)";
  if (last?.kind === "reset" && nothing && !cause.includes("reset")) {
    return {
      ...finding,
      cause: `${cause} And look at the end on the wire: a reset. The ` +
        "program closed while bytes waited unread, and that may destroy its " +
        "answer. End your side, and read on until the other side ends.",
    };
  }
  if (role === "client" || last?.kind !== "refused") return finding;
  return {
    ...finding,
    property: `${finding.property} Nobody listened any more.`,
    cause: "The program goes on, but it has closed its listener. It must " +
      "stay open for the next client.",
  };
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
