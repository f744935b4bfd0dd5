/**
 * `deno task NAME`: launches an example and shows what its programs print and
 * what goes over the wire between them.
 *
 *     deno run --allow-run --allow-read=. --allow-net=127.0.0.1 launch/main.ts tcp
 *
 * Exit status 0 when it ran, 1 when a program failed, 2 when used wrongly, 130
 * when stopped.
 */
import { parseArgs } from "@std/cli/parse-args";
import { EXAMPLES } from "./programs/examples.ts";
import { interruption } from "./programs/interruption.ts";
import {
  type Keyboard,
  piped,
  scripted,
  terminal,
} from "./programs/keyboard.ts";
import { launch } from "./launch.ts";
import { Diagram } from "./show/mermaid.ts";
import { screen } from "./show/screen.ts";
import { View } from "./show/view.ts";

/** How long an example may take when nobody types, in ms. */
const LIMIT = 60_000;

const { script, hex, mermaid, _: names } = parseArgs(Deno.args, {
  string: ["script"],
  boolean: ["hex", "mermaid"],
  unknown: (argument, key) => key === undefined || usage(argument),
});
const [name, ...more] = names.filter((name) => name !== ""); // --script ""
const example = EXAMPLES.find((example) => example.name === name);
if (!example) usage(`${name ?? "no name"}`);
if (more.length > 0) usage(`${more[0]}`);
if (hex && mermaid) usage("--hex together with --mermaid");

const stop = new AbortController();
const signal = AbortSignal.any([interruption(), stop.signal]);
const { print, columns, rows } = screen(() => stop.abort());
using keyboard = chooseKeyboard();
const presenter = mermaid
  ? new Diagram((line) => keyboard.print([line]))
  : new View({ print: (rows) => keyboard.print(rows), columns, rows }, {
    colours: !Deno.noColor && Deno.stdout.isTerminal(),
    hex,
  });
let status = 0;
try {
  const limit = Deno.stdin.isTerminal() ? {} : { limit: LIMIT };
  await launch(example, {
    presenter,
    keyboard,
    signal,
    paced: mermaid,
    ...limit,
  });
} catch (error) {
  status = signal.aborted ? 130 : 1;
  if (!signal.aborted) {
    keyboard.show("");
    console.error(error instanceof Error ? error.message : error);
  }
}
keyboard[Symbol.dispose]();
Deno.exit(status);

function chooseKeyboard(): Keyboard {
  if (script !== undefined) {
    return scripted(script ? script.split("|") : [], print);
  }
  if (mermaid) return scripted(example?.script ?? [], print);
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal()
    ? terminal(print, () => stop.abort())
    : piped(print);
}

function usage(wrong: string): never {
  const line = 'Usage: deno task NAME [--script "line|line"] ' +
    "[--hex | --mermaid], where NAME is one of " +
    EXAMPLES.map(({ name }) => name).join(", ");
  if (wrong === "--help") {
    console.log(`${line}
  --script   types these lines, each when a program asks for one
  --hex      adds a hex dump of each message
  --mermaid  prints the run as a Mermaid sequence diagram instead`);
  } else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}
