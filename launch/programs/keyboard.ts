/**
 * One keyboard for several programs: where the lines come from that are typed.
 *
 * @module
 */
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { TypedLine } from "./examples.ts";

/** Lines to type, in their order. */
export interface Keyboard extends Disposable {
  /** Whether nobody types, but a script. */
  readonly isScript: boolean;
  /** Called when there is news. */
  onChange: () => void;
  /** Shows who asks, and what; nobody, if that is empty. */
  show(prompt: string): void;
  /** The next line; null is an end of input; undefined if there is none yet. */
  next(): string | TypedLine | null | undefined;
  /** Takes that line away. */
  take(): void;
  /** Prints rows above the prompt, if one is shown. */
  print(rows: string[]): void;
}

/** Types a script, then ends the input of whoever asks. */
export function scripted(
  lines: (string | TypedLine)[],
  print: (rows: string[]) => void,
): Keyboard {
  const rest = [...lines];
  return {
    onChange() {},
    show() {},
    isScript: true,
    next: () => rest[0] ?? null,
    take: () => void rest.shift(),
    print,
    [Symbol.dispose]() {},
  };
}

/** Types what comes in through a pipe, then ends the input of whoever asks. */
export function piped(print: (rows: string[]) => void): Keyboard {
  const lines: string[] = [];
  let ended = false;
  const input = createInterface({ input: process.stdin });
  const keyboard: Keyboard = {
    onChange() {},
    show() {},
    isScript: false,
    next: () => lines[0] ?? (ended ? null : undefined),
    take: () => void lines.shift(),
    print,
    [Symbol.dispose]: () => input.close(),
  };
  input.on("line", (line) => {
    lines.push(line);
    keyboard.onChange();
  });
  input.on("close", () => {
    ended = true;
    keyboard.onChange();
  });
  return keyboard;
}

/**
 * Types what a person does. The line that is being typed stays at the bottom of
 * the terminal, with the prompt of the program that will get it, and what is
 * printed meanwhile appears above. Ctrl-D ends the input of that program alone.
 */
export function terminal(
  print: (rows: string[]) => void,
  interrupt: () => void,
): Keyboard {
  const lines: (string | null)[] = [];
  let prompt = "", disposed = false;
  let input = open();
  const keyboard: Keyboard = {
    onChange() {},
    show(text) {
      if (text === prompt) return;
      erase();
      prompt = text;
      draw();
    },
    isScript: false,
    next: () => lines[0],
    take: () => void lines.shift(),
    print(rows) {
      erase();
      print(rows);
      draw();
    },
    [Symbol.dispose]() {
      disposed = true;
      erase();
      input.close();
    },
  };
  return keyboard;

  function open(): Interface {
    const input = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      prompt,
      historySize: 100,
    });
    input.on("line", (line) => {
      // The line will show where it belongs; here it has done its work.
      const rows = Math.ceil((prompt.length + line.length + 1) / columns());
      write(`\x1b[${Math.max(1, rows)}A\r\x1b[J`);
      lines.push(line);
      keyboard.onChange();
    });
    input.on("SIGINT", interrupt);
    input.on("close", () => {
      if (disposed) return;
      lines.push(null);
      reopen();
      keyboard.onChange();
    });
    return input;
  }

  function reopen(): void {
    write("\r\x1b[J");
    input = open();
    draw();
  }

  function erase(): void {
    const { rows } = input.getCursorPos();
    write(`${rows > 0 ? `\x1b[${rows}A` : ""}\r\x1b[J`);
  }

  function draw(): void {
    input.setPrompt(prompt);
    input.prompt(true);
  }

  function write(text: string): void {
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  }

  function columns(): number {
    return Deno.consoleSize().columns;
  }
}
