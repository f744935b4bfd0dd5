/**
 * `deno task lab`: the wire view in the browser, to touch.
 *
 *     deno run --allow-run --allow-read=. --allow-write=.run,.lab --allow-net=127.0.0.1 launch/lab.ts
 *
 * Exit status 0 when it was ended with Ctrl-C, 1 when it could not start, 2 when used
 * wrongly.
 */
import { bundlePage } from "./lab/bundle.ts";
import { Edits, FOLDER, scriptOf, scriptsOfExamples } from "./lab/edits.ts";
import type { ExampleInfo } from "./lab/messages.ts";
import { LabServer } from "./lab/server.ts";
import { Sources } from "./lab/sources.ts";
import { BadUse, portOf, readOptions } from "./options.ts";
import { type Command, parseCommand } from "./programs/command.ts";
import { type Example, EXAMPLES, linksOf } from "./programs/examples.ts";
import { interruption } from "./programs/interruption.ts";
import { startWhereFound } from "./programs/places.ts";
import { Reaper } from "./programs/reaper_client.ts";

/** The port that it has when that is free. */
const PORT = 8888;

const USAGE = 'Usage: deno task lab [NAME [--ROLE "COMMAND"]] [--port PORT] ' +
  "[--no-open]";

Deno.exit(await main().catch(explain));

async function main(): Promise<number> {
  const { example, own, port, opens, folder } = read();
  const signal = interruption();
  const files = bundlePage();
  const missing = missingPrograms();
  const examples = example ? [example] : EXAMPLES;
  await using reaper = new Reaper();
  const infos = await Promise.all(
    examples.map((one) => infoOf(one, missing(one))),
  );
  await using server = listen(port, {
    shared: {
      reaper,
      sources: new Sources(new Edits(await scriptsOfExamples(), folder)),
      examples,
      missing,
      own,
      ports: {},
    },
    files: await files,
    examples: infos,
    only: example?.name ?? null,
  });
  console.log(`The lab is at ${server.address}\nCtrl-C ends it.`);
  if (opens && !openBrowser(server.address)) {
    console.log("No browser could be opened here: open that address yourself.");
  }
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
  return 0;
}

/** What was asked for. */
function read() {
  const [name] = Deno.args.filter((arg) => !arg.startsWith("-"));
  const example = EXAMPLES.find((example) => example.name === name);
  const roles = example?.roles.map(({ name }) => name) ?? [];
  const options = readOptions(Deno.args, {
    values: ["port", "edits", ...roles],
    flags: ["no-open", "help"],
  });
  if (options.has("help")) {
    console.log(HELP);
    Deno.exit(0);
  }
  const [word, more] = options.words;
  if (word !== undefined && word !== example?.name) {
    throw new BadUse(`There is no example ${word}.`);
  }
  if (more !== undefined) throw new BadUse(`Cannot use ${more}.`);
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
  const text = options.one("port");
  const port = text === undefined ? undefined : portOf("--port", text);
  const folder = options.one("edits") ?? FOLDER;
  if (!/^\.(?:lab|run)(?:\/\w[\w.-]*)*$/.test(folder)) {
    throw new BadUse(
      `Cannot use --edits ${folder}: it is a folder in ${FOLDER}.`,
    );
  }
  return { example, own, port, opens: !options.has("no-open"), folder };
}

const HELP = `${USAGE}

Opens a page in the browser that shows the examples' programs and what goes over the
wire between them, and lets you type, disturb, hold and change what they say.

  NAME                  only this example: ${
  EXAMPLES.slice(0, 4).map(({ name }) => name).join(", ")
}, …
  --ROLE "COMMAND"      runs your program in the place of one of its programs; see
                        deno task NAME --help
  --port PORT           where the page is, instead of ${PORT}; 0: a free port
  --no-open             opens no browser
  --edits FOLDER        keeps edited copies in another folder than ${FOLDER}: ${FOLDER}/x`;

/** Listens on the port that was asked for, or on the next one that is free. */
function listen(
  port: number | undefined,
  options: Omit<ConstructorParameters<typeof LabServer>[0], "port">,
): LabServer {
  for (let next = port ?? PORT;; next++) {
    try {
      return new LabServer({ ...options, port: next });
    } catch (error) {
      const isTaken = error instanceof Deno.errors.AddrInUse;
      if (isTaken && next > 0 && next < 65_535 && next < (port ?? PORT) + 100) {
        continue;
      }
      throw error;
    }
  }
}

/** Says of an example why it cannot be run here. */
function missingPrograms(): (example: Example) => string {
  const known = new Map<string, boolean>();
  const isThere = (command: string) => {
    const there = known.get(command) ??
      startWhereFound(command, (place) =>
          new Deno.Command(place, {
            args: ["--version"],
            ...{ stdin: "null", stdout: "null", stderr: "null" },
          }).outputSync()) !== null;
    known.set(command, there);
    return there;
  };
  return ({ roles }) => {
    const command = roles.map(({ command }) => command)
      .find((command) => command !== undefined && !isThere(command));
    return command === undefined
      ? ""
      : `${command} is not installed. Install it with your system's packages: ` +
        "apt-get, dnf, brew, winget.";
  };
}

async function infoOf(
  example: Example,
  missing: string,
): Promise<ExampleInfo> {
  const { name, summary, look, roles } = example;
  return {
    ...{ name, summary, look, missing },
    roles: await Promise.all(
      roles.map(async ({ name: role, task, command, listens = null }) => ({
        name: role,
        script: command ? "" : await scriptOf(task ?? `${name}:${role}`),
        listens,
      })),
    ),
    links: linksOf(example),
  };
}

/** Opens a browser; false if there is none. */
function openBrowser(address: string): boolean {
  const [program, ...args] = Deno.build.os === "windows"
    ? ["cmd", "/c", "start", "", address]
    : Deno.build.os === "darwin"
    ? ["open", address]
    : ["xdg-open", address];
  try {
    const rest = { stdin: "null", stdout: "null", stderr: "null" } as const;
    new Deno.Command(program ?? "", { args, ...rest }).spawn().unref();
    return true;
  } catch {
    return false;
  }
}

/** Says in a line what went wrong; returns the exit status. */
function explain(error: unknown): number {
  const message = error instanceof Error ? error.message : `${error}`;
  if (error instanceof BadUse) {
    console.error(error.showUsage ? `${message} ${USAGE}` : message);
    return 2;
  }
  console.error(message);
  return 1;
}
