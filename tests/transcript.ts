/**
 * Plays the transcripts of a README again: what stands in its `console` blocks
 * is what somebody saw in a terminal, and must be what is seen today.
 *
 * - `$ deno …` or `$ curl …` is a command; what follows is what it prints.
 * - What stands behind a prompt is typed there; `⏎` is an empty line, and `^C`
 *   an interruption.
 * - The blocks under one heading are terminals side by side. Each starts when
 *   the one before has printed all that it prints before clients come, and `^C`
 *   comes when those after it are done. What still runs at the end is stopped.
 *
 * Commands run just as they are written, on the ports that they name. What the
 * system chooses (the port of a client) and times may differ. A line `…` stands
 * for any number of lines. In blocks with the option `numbers`, all numbers may
 * differ, and how many lines of a kind follow each other; and a prompt where
 * nothing is typed is passed over, as a terminal moves it below what comes next.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Program, ROOT, taskCommand } from "../launch/programs/program.ts";
import { PATIENCE_MS, within } from "./assertions.ts";
import type { CodeBlock } from "./documents.ts";
import { find } from "./needs.ts";

/** A command, what was seen after it, and where that is written. */
interface Run {
  place: string;
  command: string;
  screen: string;
}

/**
 * Plays the terminals of one section side by side, in the folder `cwd`.
 *
 * Throws an AssertionError that names the place in the README when a program
 * shows something else than the transcript.
 */
export async function replay(
  blocks: CodeBlock[],
  cwd: string = ROOT,
): Promise<void> {
  const terminals = blocks.map((block) => new Terminal(block, cwd));
  const ends: Promise<void>[] = [];
  const last = Promise.withResolvers<void>();
  try {
    for (const [index, terminal] of terminals.entries()) {
      // The last one is told that there is nobody after it.
      const later = terminals.slice(index + 1).map((other) => other.done);
      const end = terminal.run(Promise.all([last.promise, ...later]));
      ends.push(end);
      await Promise.race([terminal.started, end]);
    }
    last.resolve();
    await Promise.all(ends);
  } finally {
    for (const terminal of terminals) await terminal.stop();
    await Promise.allSettled(ends);
  }
}

class Terminal {
  readonly #runs: Run[] = [];
  readonly #cwd: string;
  readonly #numbers: boolean;
  readonly #timeline: boolean;
  readonly #started = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<void>();
  #program: Program | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(block: CodeBlock, cwd: string) {
    this.#cwd = cwd;
    this.#numbers = block.options.includes("numbers");
    this.#timeline = block.options.includes("timeline");
    const [path, line] = block.place.split(":");
    for (const [index, text] of block.text.split("\n").entries()) {
      const place = `${path}:${Number(line) + 1 + index}`;
      const run = this.#runs.at(-1);
      if (text.startsWith("$ ")) {
        this.#runs.push({ place, command: text.slice(2), screen: "" });
      } else if (run) {
        run.screen += `${text}\n`;
      } else {
        throw new Error(
          `${place}: a transcript starts with "$ " and a command`,
        );
      }
    }
  }

  /** Resolves when it is ready for those after it. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Resolves when all of it has been seen. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Runs its commands in turn; `later` are the terminals after this one. */
  async run(later: Promise<unknown>): Promise<void> {
    for (const run of this.#runs) await this.#play(run, later);
    this.#started.resolve();
    this.#done.resolve();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#program?.stop(1_000);
  }

  async #play(run: Run, later: Promise<unknown>): Promise<void> {
    const { place, command, screen } = run;
    const [beforeInterruption = "", interrupted] = screen.split("^C");
    // Some programs end the line that a terminal shows ^C in, others do not.
    const endings = ["^C", "^C\n"].map((sign) =>
      this.#normalize(screen.replace(sign, ""))
    );
    let [expected = ""] = endings;
    const before = this.#normalize(beforeInterruption);
    let lines = "";
    let change = Promise.withResolvers<void>();
    const { executable, args } = await parseCommand(command);
    const program = this.#program = new Program(
      command,
      args,
      {
        line: (_, text) => {
          lines += `${text}\n`;
        },
        change: () => change.resolve(),
      },
      this.#cwd,
      executable,
    );
    let othersDone = false;
    later.then(() => {
      othersDone = true;
      change.resolve();
    });

    // The first sign of a client is its port, in most programs.
    const preface = expected.replace(/^.*\bPORT[^]*/m, "") || expected;

    let signalled = false;
    while (true) {
      const screenNow = lines + program.prompt;
      expected = endings.find((text) =>
        text.startsWith(this.#show(screenNow, text).trimEnd())
      ) ?? expected;
      const all = this.#show(screenNow, expected);
      if (all.startsWith(preface)) {
        this.#started.resolve();
      } else if (all !== "") {
        this.#timer ??= setTimeout(this.#started.resolve, 300);
      }
      const passedOver = this.#numbers && !expected.startsWith(all);
      const shown = passedOver ? this.#show(lines, expected) : all;
      if (program.status !== undefined) {
        if (this.#timeline) {
          assertEquals(events(lines), events(screen), place);
        } else assertEquals(shown.trimEnd(), expected.trimEnd(), place);
        return;
      }
      if (!this.#timeline && !expected.startsWith(shown.trimEnd())) {
        assertEquals(shown, expected, place);
      }
      const seen = shown.trimEnd() === expected.trimEnd();
      const [typed = ""] = expected.slice(shown.length).split("\n");
      if (interrupted !== undefined) {
        const reached = shown === before;
        if (reached && othersDone && !signalled) {
          signalled = true;
          program.kill("SIGINT");
        }
      } else if (seen && othersDone && program.prompt === "") {
        return; // It runs on.
      }
      const asks = program.prompt !== "" && !passedOver;
      if (asks && typed !== "" && !signalled) {
        const typing = program.type(typed.replace("⏎", ""));
        if (typed === "⏎") {
          lines = lines.replace(/\n$/, "⏎\n");
        }
        await typing;
        continue;
      }
      const what = `the rest of ${place}. Shown was:\n${shown}`;
      await within(3 * PATIENCE_MS, change.promise, what);
      change = Promise.withResolvers();
    }
  }

  #normalize(text: string): string {
    return this.#numbers ? anyNumbers(normalize(text)) : normalize(text);
  }

  /** What is seen, with the lines left out that the transcript leaves out. */
  #show(text: string, expected: string): string {
    const lines = this.#normalize(text).split("\n");
    expected.split("\n").forEach((line, index, all) => {
      if (line !== "…" || index >= lines.length - 1) return;
      const next = lines.indexOf(all[index + 1] ?? "", index);
      const end = next < 0 ? lines.length - 1 : next;
      lines.splice(index, end - index, "…");
    });
    return lines.join("\n");
  }
}

/** What to start for a command; a task stands for the command that it runs. */
async function parseCommand(
  command: string,
): Promise<{ executable: string; args: string[] }> {
  const words = command.match(/"[^"]*"|\S+/g) ?? [];
  const [name = "", ...args] = words.map((word) => word.replaceAll('"', ""));
  if (name !== "deno") return { executable: find(name) ?? name, args };
  const executable = Deno.execPath();
  if (args[0] !== "task") return { executable, args };
  const [, task = "", ...more] = args;
  return { executable, args: [...await taskCommand(task), ...more] };
}

/** What a timeline shows, in any order: programs run side by side. */
function events(timeline: string): string[] {
  const free = timeline
    .replace(/port \d+ → \d+/g, "port PORT → PORT")
    .replace(/(127\.0\.0\.1:)\d+/g, "$1PORT")
    .replace(/late by [\d.,]+ ms|arrives [\d.,]+ ms later/g, "late");
  const lines = normalize(free).split("\n").map((line) =>
    line.replace(/^ *\d* +\d+\.\d{3} /, "")
      .replace(/[│■ ]+/g, " ").replace(/[─┄╌]+/g, "─").trim()
  );
  return lines.filter((line) => line !== "").sort();
}

/** The text without what differs from run to run. */
function normalize(text: string): string {
  return text
    .replaceAll("\r\n", "\n") // looks alike in a terminal
    .replace(/file:\/\/\/\S*\//g, "file:///")
    // The system takes the ports of clients from 32768 on.
    .replace(
      /(?<=\bport |[\w.\]]:)(?:32[7-9]|3[3-9]\d|[4-6]\d\d)\d\d\b/g,
      "PORT",
    )
    .replace(/\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\b/g, "TIME")
    .replace(/^(etag: ).*$/gm, "$1ETAG")
    .replace(/^\[\d+\] [\d/]{10} [\d:.]{15}/gm, "TIME") // of nats-server
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?/g, "TIME")
    .replace(/ *\b\d+(?:\.\d+)? ms\b| *\b\d+\.\d+ s\b/g, " TIME");
}

/** The text without numbers, without repetitions, without prompts passed over. */
export function anyNumbers(text: string): string {
  return text
    .replace(/^.*[?:] \n/gm, "")
    .replace(/ *-?\b\d+\b/g, " N")
    .replace(/\b(odd|even)\b/gi, "odd")
    .replace(/^(.*\n)\1+/gm, "$1");
}
