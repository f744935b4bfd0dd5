/**
 * A learner's program in the lab, beside a partner that one plays by hand.
 *
 * @module
 */
import { join } from "@std/path";
import {
  type Exercise,
  folderOf,
  type Step,
} from "../../tests/exercises/exercise.ts";
import { openLab } from "../lab/open.ts";
import { type Command, fillIn, mentions } from "../programs/command.ts";
import type { Example, Role } from "../programs/examples.ts";
import { ROOT } from "../programs/program.ts";

/** Where the relay and the server are, as in what a failed step tells to type. */
const RELAY = 7001, SERVER = 7000;

/**
 * Opens the lab with a program in its role, and the network of a step, until Ctrl-C.
 */
export async function openInLab(
  exercise: Exercise,
  step: Step | undefined,
  command: Command,
  { port, opens = true }: { port?: number; opens?: boolean } = {},
): Promise<void> {
  const { name, title, role, transport, steps } = exercise;
  const folder = join(ROOT, folderOf(name));
  const text = command.text.replaceAll(folder, folderOf(name));
  const filled = fillIn({ ...command, text }, { folder: "." });
  const program = mentions(filled, "port")
    ? filled
    : { ...filled, words: [...filled.words, "{port}"] } satisfies Command;
  const other = role === "server" ? "client" : "server";
  const net = (step?.net ?? []).join(" ");
  const number = step ? steps.indexOf(step) + 1 : 0;
  const summary = step ? `step ${number}: ${step.title}` : title;
  await openLab({
    examples: [pair(name, summary, exercise)],
    only: name,
    own: { [role]: program, [other]: partner(other, transport) },
    port,
    opens,
    net,
    command: [
      ...["deno", "task", "wire", transport, `${RELAY}`],
      `127.0.0.1:${SERVER}`,
    ],
  });
}

/** The two roles, as an example of its own. */
function pair(
  name: string,
  summary: string,
  { role, transport }: Exercise,
): Example {
  const roles: [Role, Role] = [
    { name: "client", args: () => [], talksTo: ["server"] },
    { name: "server", args: () => [], listens: transport, port: RELAY },
  ];
  const other = role === "server" ? "client" : "server";
  return {
    ...{ name, summary, roles, script: [] },
    look:
      `Your program is the ${role}. You are the ${other}: what you type is ` +
      "sent, with \\n, \\r and \\x00 where you write them.",
  };
}

/** The side that is played by hand. */
function partner(role: string, transport: "tcp" | "udp"): Command {
  const script = "launch/exercises/partner.ts";
  const flags = [
    "--allow-net=127.0.0.1",
    ...transport === "udp" ? ["--unstable-net"] : [],
  ];
  const rest = [role, transport, "{port}"];
  return {
    text: `${script} ${rest.join(" ")}`,
    env: {},
    words: [
      Deno.execPath(),
      ...["run", "--quiet", ...flags, join(ROOT, script), ...rest],
    ],
  };
}
