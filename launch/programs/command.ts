/**
 * Commands of the user's own: `"python3 my_server.py --port {port}"`.
 *
 * @module
 */

/** A command, taken apart. */
export interface Command {
  /** As it was typed. */
  text: string;
  /** What stands before it for its environment: `DEBUG=1 node x.js`. */
  env: Record<string, string>;
  /** The program, and its arguments. */
  words: [string, ...string[]];
}

/** What only a shell can do. */
const OPERATOR = /^(?:[|&;<>]|\|\||&&|>>|<<|[012]?>&?[012]?)$/;

/**
 * Takes a command apart as a POSIX shell does with simple words: blanks, quotes,
 * backslashes, `NAME=value` in front. Variables and patterns stay as they are. On
 * Windows a backslash is part of a path, and only `\"` is a quote.
 *
 * Throws an Error with one line, if it is empty, not finished or needs a shell.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseCommand } from "./command.ts";
 *
 * const { words } = parseCommand(`python3 'my server.py' --port {port}`);
 * assertEquals(words, ["python3", "my server.py", "--port", "{port}"]);
 * ```
 */
export function parseCommand(
  text: string,
  windows: boolean = Deno.build.os === "windows",
): Command {
  const words: string[] = [];
  let word: string | undefined, quote = "", plain = true;
  const finish = () => {
    if (word === undefined) return;
    if (plain && OPERATOR.test(word)) {
      const shell = windows ? "cmd /c" : "sh -c";
      throw new Error(
        `"${word}" needs a shell: write ${shell} '${text}', or a script`,
      );
    }
    words.push(word);
    word = undefined;
    plain = true;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "", next = text[i + 1];
    const escapes = windows
      ? next === '"'
      : quote === '"'
      ? next !== undefined && '"\\$`'.includes(next)
      : quote === "" && next !== undefined;
    if (c === "\\" && quote !== "'" && escapes) {
      word = (word ?? "") + next;
      plain = false;
      i++;
    } else if (quote !== "") {
      if (c === quote) quote = "";
      else word = (word ?? "") + c;
    } else if (c === '"' || c === "'") {
      quote = c;
      plain = false;
      word ??= "";
    } else if (/\s/.test(c)) finish();
    else word = (word ?? "") + c;
  }
  if (quote !== "") throw new Error(`A ${quote} is open in: ${text}`);
  finish();
  const env: Record<string, string> = {};
  while (true) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[0] ?? "") ?? [];
    if (name === undefined || value === undefined) break;
    env[name] = value;
    words.shift();
  }
  const [program, ...args] = words;
  if (!program) throw new Error("The command is empty");
  return { text, env, words: [program, ...args] };
}

/** Puts values in the place of `{port}` and the like, in every word. */
export function fillIn(
  { text, env, words: [program, ...args] }: Command,
  values: Record<string, string>,
): Command {
  const fill = (word: string) =>
    word.replace(/\{([\w.:]+)\}/g, (whole, name) => values[name] ?? whole);
  return { text, env, words: [fill(program), ...args.map(fill)] };
}

/** Whether one of its words holds a placeholder of these. */
export function mentions(command: Command, ...names: string[]): boolean {
  return command.words.some((word) =>
    names.some((name) => word.includes(`{${name}}`))
  );
}

/**
 * The ports that a line may name: `port 8000`, `Port: 8000`, `127.0.0.1:8000`,
 * `('127.0.0.1', 8000)`; the likeliest first.
 */
export function portsIn(line: string): number[] {
  const patterns = [
    /\bport\W{0,3}(\d{1,5})\b/gi,
    /(?:[\w.*\]]|\/\/):([1-9]\d{1,4})\b(?!:\d)/g,
    /['"], ?(\d{2,5})\)/g,
    /\b(\d{4,5})\b/g,
  ];
  const found = patterns.flatMap((pattern) =>
    Array.from(line.matchAll(pattern), ([, digits]) => Number(digits))
  );
  return [...new Set(found)].filter((port) => port > 0 && port < 65536);
}
