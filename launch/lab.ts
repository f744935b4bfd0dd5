/**
 * `deno task lab`: the wire view in the browser, to touch.
 *
 *     deno run --allow-run --allow-read=. --allow-write=.run,.lab --allow-net=127.0.0.1 launch/lab.ts
 *
 * Exit status 0 when it was ended with Ctrl-C, 1 when it could not start, 2 when used
 * wrongly.
 */
import { FOLDER } from "./lab/edits.ts";
import { openLab, PORT } from "./lab/open.ts";
import { BadUse, portOf, readOptions } from "./options.ts";
import { type Command, parseCommand } from "./programs/command.ts";
import { EXAMPLES } from "./programs/examples.ts";

const USAGE = 'Usage: deno task lab [NAME [--ROLE "COMMAND"]] [--port PORT] ' +
  "[--no-open]";

Deno.exit(await main().catch(explain));

async function main(): Promise<number> {
  const { example, own, port, opens, folder } = read();
  await openLab({
    examples: example ? [example] : EXAMPLES,
    only: example?.name ?? null,
    ...{ own, port, opens, folder },
  });
  return 0;
}

/** What was asked for. */
function read() {
  const example = EXAMPLES.find(({ name }) => Deno.args.includes(name));
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
