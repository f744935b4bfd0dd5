/**
 * `deno task NAME`: launches an example and shows what its programs print and
 * what goes over the wire between them.
 *
 *     deno run --allow-run --allow-read=. --allow-write=.run --allow-env=TERM --allow-net=127.0.0.1 launch/main.ts tcp
 *
 * Exit status 0 when it ran, 1 when a program failed, 2 when used wrongly, 130
 * when stopped.
 */
import {
  BadUse,
  networkOf,
  portOf,
  quoted,
  readOptions,
  repeatOf,
} from "./options.ts";
import { type Command, parseCommand } from "./programs/command.ts";
import { type Example, EXAMPLES } from "./programs/examples.ts";
import { interruption } from "./programs/interruption.ts";
import { type Keyboard, piped, scripted } from "./programs/keyboard.ts";
import { CannotStart, launch, linkNames } from "./launch.ts";
import { Reaper } from "./programs/reaper_client.ts";
import { Diagram } from "./show/mermaid.ts";
import { screen } from "./show/screen.ts";
import { Terminal } from "./show/terminal.ts";
import { View } from "./show/view.ts";
import { HELP } from "./wire/conditions/help.ts";

/** How long an example may take when nobody types, in ms. */
const LIMIT = 60_000;

const [name = "", ...args] = Deno.args;
const example = EXAMPLES.find((example) => example.name === name);
if (!example) {
  console.error(
    `Cannot use ${name || "no name"}. Usage: deno task NAME [OPTIONS], ` +
      `where NAME is one of ${EXAMPLES.map(({ name }) => name).join(", ")}`,
  );
  Deno.exit(2);
}
Deno.exit(await main(example).catch(explain));

async function main(example: Example): Promise<number> {
  const { script, hex, mermaid, own, ports, net, seed } = read(example);
  const network = await networkOf(net, seed, linkNames(example));
  const stop = new AbortController();
  const signal = AbortSignal.any([interruption(), stop.signal]);
  const output = screen(() => stop.abort());
  await using reaper = new Reaper();
  const isPerson = script === undefined && !mermaid &&
    Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const terminal = isPerson && hasCursor()
    ? new Terminal({
      screen: output,
      interrupt: () => stop.abort(),
      changed: (settings) => reaper.terminal(settings),
    })
    : undefined;
  using keyboard: Keyboard = terminal ?? choose();
  const print = (rows: string[]) => (terminal ?? output).print(rows);
  const presenter = mermaid
    ? new Diagram((line) => print([line]))
    : new View({ ...output, print }, {
      colours: !Deno.noColor && Deno.stdout.isTerminal() && hasCursor(),
      hex,
      invites: isPerson,
    });
  try {
    await launch(example, {
      presenter,
      keyboard,
      reaper,
      signal,
      own,
      ports,
      paced: mermaid,
      whole: hex,
      repeat: repeatOf(name, args, network),
      ...network ? { network } : {},
      ...isPerson ? {} : { limit: LIMIT },
    });
    return 0;
  } catch (error) {
    if (signal.aborted) return 130;
    keyboard[Symbol.dispose]();
    return explain(error);
  }

  function choose(): Keyboard {
    if (script !== undefined) {
      return scripted(script ? script.split("|") : []);
    }
    return mermaid ? scripted(example.script) : piped(Deno.stdin.readable);
  }
}

/** Whether the terminal can move its cursor. */
function hasCursor(): boolean {
  const query = { name: "env", variable: "TERM" } as const;
  const { state } = Deno.permissions.querySync(query);
  return state !== "granted" || Deno.env.get("TERM") !== "dumb";
}

/** What was asked for. */
function read(example: Example) {
  const roles = example.roles.map(({ name }) => name);
  const options = readOptions(args, {
    values: ["script", "net", "seed", "port", ...roles],
    flags: ["hex", "mermaid", "help"],
  });
  if (options.has("help")) help(example);
  const [word] = options.words;
  if (word !== undefined) throw new BadUse(`Cannot use ${word}.`);
  const hex = options.has("hex"), mermaid = options.has("mermaid");
  if (hex && mermaid) {
    throw new BadUse("Cannot use --hex together with --mermaid.");
  }
  const own: Record<string, Command> = {};
  for (const role of roles) {
    const text = options.one(role);
    if (text === undefined) continue;
    try {
      own[role] = parseCommand(text);
    } catch (error) {
      const why = error instanceof Error ? error.message : error;
      throw new BadUse(`Cannot use --${role}: ${why}.`);
    }
  }
  const ports: Record<string, number> = {};
  for (const text of options.all("port")) {
    const [, role = example.roles[1]?.name ?? "", port = ""] =
      /^(?:(.*)=)?(.*)$/s.exec(text) ?? [];
    const { listens } = example.roles.find(({ name }) => name === role) ?? {};
    if (!listens) {
      throw new BadUse(
        `Cannot use --port ${text}: nobody called ${role} listens here.`,
      );
    }
    ports[role] = portOf("--port", port);
  }
  const script = options.one("script"), seed = options.one("seed");
  return { script, hex, mermaid, own, ports, net: options.all("net"), seed };
}

/** What every wrong use ends with. */
function usage(): string {
  return `Usage: deno task ${name} [--script "line|line"] [--hex | --mermaid] ` +
    '[--net "CONDITIONS"] [--seed N] [--port PORT] [--ROLE "COMMAND"]';
}

function help(example: Example): never {
  const servers = example.roles.filter(({ listens }) => listens);
  const roles = example.roles.map(({ name }) => name);
  console.log(`${usage()}

Launches ${example.summary}: ${roles.join(", ")}.

  --script "line|line"  types these lines, each when a program asks for one
  --hex                 adds a hex dump of each message
  --mermaid             prints the run as a Mermaid sequence diagram instead
  --port PORT           where to meet the ${roles[1]}, instead of ${
    servers[0]?.port
  }; 0: free ports for all
  --net "CONDITIONS"    makes the network misbehave, for example ${
    quoted([
      "--net",
      servers[0]?.listens === "udp" ? "loss=20%" : "delay=100ms",
    ])
  }
  --seed N              repeats a run in which chance had a part

Your own program can play each role, in any language:
${
    example.roles.map(({ name, listens }) =>
      `  --${name} "COMMAND"`.padEnd(24) +
      (listens
        ? "{port} stands for where it should listen"
        : "{host}, {port} and {url} stand for where its server is")
    ).join("\n")
  }
A server without {port} is found by the port in the first line that it prints, or by
--port ROLE=PORT. A client without is met on port ${servers[0]?.port}.

${HELP.join("\n")}`);
  Deno.exit(0);
}

/** Says in a line what went wrong; returns the exit status. */
function explain(error: unknown): number {
  const message = error instanceof Error ? error.message : error;
  const isUse = error instanceof BadUse;
  console.error(isUse && error.showUsage ? `${message} ${usage()}` : message);
  return isUse || error instanceof CannotStart ? 2 : 1;
}
