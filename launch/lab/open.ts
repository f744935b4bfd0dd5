/**
 * Opens the lab, and serves it until Ctrl-C.
 *
 * @module
 */
import type { Command } from "../programs/command.ts";
import { type Example, linksOf } from "../programs/examples.ts";
import { interruption } from "../programs/interruption.ts";
import { startWhereFound } from "../programs/places.ts";
import { Reaper } from "../programs/reaper_client.ts";
import { bundlePage } from "./bundle.ts";
import { Edits, FOLDER, scriptOf, scriptsOfExamples } from "./edits.ts";
import type { ExampleInfo } from "./messages.ts";
import { LabServer, type ServerOptions } from "./server.ts";
import { Sources } from "./sources.ts";

/** The port that it has when that is free. */
export const PORT = 8888;

/** What is opened. */
export interface OpenOptions {
  /** The examples that can be chosen. */
  examples: readonly Example[];
  /** The one that the lab is opened for. */
  only: string | null;
  /** Commands of the user's own, by role. */
  own: Record<string, Command>;
  /** Where it is served; 8888 or the next free one by default. */
  port?: number | undefined;
  /** Whether a browser is opened. */
  opens: boolean;
  /** Where edited copies are kept, from the project's folder. */
  folder?: string;
  /** Conditions for each link that are set from the beginning. */
  net?: string;
  /** The words of the command that does the same in a terminal, before `--net`. */
  command?: string[];
}

/** Serves the lab until this process is told to end; ends all programs then. */
export async function openLab(options: OpenOptions): Promise<void> {
  const { examples, only, own, opens, folder = FOLDER } = options;
  const { net = "", command } = options;
  const signal = interruption();
  const files = bundlePage();
  files.catch(() => {}); // it is told when they are needed
  const missing = missingPrograms();
  await using reaper = new Reaper();
  const infos = await Promise.all(
    examples.map((one) => infoOf(one, missing(one), own)),
  );
  await using server = listen(options.port, {
    shared: {
      reaper,
      sources: new Sources(new Edits(await scriptsOfExamples(), folder)),
      ...{ examples, missing, own, net, ports: {} },
      ...command ? { command } : {},
    },
    files: await files,
    examples: infos,
    only,
  });
  console.log(`The lab is at ${server.address}\nCtrl-C ends it.`);
  if (opens) {
    openBrowser(server.address).then((isOpen) => {
      if (isOpen) return;
      console.log(
        "No browser could be opened here: open that address yourself.",
      );
    });
  }
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}

/** Listens on the port that was asked for, or on the next one that is free. */
function listen(
  port: number | undefined,
  options: Omit<ServerOptions, "port">,
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
  own: Record<string, Command>,
): Promise<ExampleInfo> {
  const { name, summary, look, roles } = example;
  return {
    ...{ name, summary, look, missing },
    roles: await Promise.all(
      roles.map(async ({ name: role, task, command, listens = null }) => ({
        name: role,
        script: command || role in own
          ? ""
          : await scriptOf(task ?? `${name}:${role}`),
        listens,
      })),
    ),
    links: linksOf(example),
  };
}

/** Opens a browser; false if that is not possible. */
async function openBrowser(address: string): Promise<boolean> {
  const [program = "", ...args] = Deno.build.os === "windows"
    ? ["cmd", "/c", "start", "", address]
    : Deno.build.os === "darwin"
    ? ["open", address]
    : ["xdg-open", address];
  try {
    const rest = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command(program, { args, ...rest }).spawn();
    child.unref(); // it may be the browser itself
    return (await child.status).success;
  } catch {
    return false;
  }
}
