/**
 * Where the lines come from that are typed, for all programs of a run.
 *
 * @module
 */
import type { TypedLine } from "./examples.ts";

/** A program that asks for a line. */
export interface Asking {
  role: string;
  prompt: string;
}

/** A line for a program that asks; null is the end of its input. */
export interface Typed {
  role: string;
  line: string | TypedLine | null;
}

/** Lines to type, in their order. */
export interface Keyboard extends Disposable {
  /** Whether nobody types, but a script. */
  readonly isScript: boolean;
  /** Called when there is news. */
  onChange: () => void;
  /** Is told which programs ask now, in the order of their columns. */
  ask(asking: readonly Asking[]): void;
  /** The next line, for one of those that ask; undefined if there is none yet. */
  next(): Typed | undefined;
  /** Takes that line away. */
  take(): void;
}

/** Types a script, then ends the input of whoever asks. */
export function scripted(lines: (string | TypedLine)[]): Keyboard {
  const rest = [...lines];
  let first: Asking | undefined;
  return {
    isScript: true,
    onChange() {},
    ask([asking]) {
      first = asking;
    },
    next: () => first && { role: first.role, line: rest[0] ?? null },
    take: () => void rest.shift(),
    [Symbol.dispose]() {},
  };
}

/**
 * Types what comes in through a pipe, then ends the input of whoever asks. A line
 * ends with a line feed, nothing else.
 */
export function piped(
  input: ReadableStream<Uint8Array<ArrayBuffer>>,
): Keyboard {
  const lines: string[] = [];
  let first: Asking | undefined, ended = false;
  const keyboard: Keyboard = {
    isScript: false,
    onChange() {},
    ask([asking]) {
      first = asking;
    },
    next() {
      const line = lines[0] ?? (ended ? null : undefined);
      return first && line !== undefined
        ? { role: first.role, line }
        : undefined;
    },
    take: () => void lines.shift(),
    [Symbol.dispose]() {},
  };
  read();
  return keyboard;

  async function read(): Promise<void> {
    let rest = "";
    try {
      for await (const text of input.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + text).split("\n");
        rest = parts.pop() ?? "";
        for (const part of parts) lines.push(part.replace(/\r$/, ""));
        keyboard.onChange();
      }
    } catch {
      // A terminal that has gone ends the input, too.
    }
    if (rest !== "") lines.push(rest);
    ended = true;
    keyboard.onChange();
  }
}
