/**
 * What an exercise is. Each one is a module of this folder with an `Exercise` as
 * its default export.
 *
 * @module
 */
import type { Transport } from "../../launch/wire/relay.ts";
import type { Workplace } from "./workplace.ts";

/** An exercise, and its check. */
export interface Exercise {
  /** FOLDER/NAME, as in `tcp/echo`: it lies in `FOLDER/exercises/NAME/`. */
  name: string;
  /** One line for the list. */
  title: string;
  /** What the learner's program is. */
  role: "client" | "server";
  transport: Transport;
  /** Permissions that it needs besides those for the network of this machine. */
  flags?: string[];
  /** What follows the port when one starts it by hand. */
  more?: string;
  /** Its troubles, friendly first. Each begins with a new program. */
  steps: Step[];
}

/** One trouble, and what a right program does with it. */
export interface Step {
  /** What a right program does: "sends back a text that comes in two pieces". */
  title: string;
  /** Conditions for the link, as after `--net`. Counted ones: no luck. */
  net?: string[];
  /** Throws {@linkcode NotYet} at the first thing that is not right. */
  check(workplace: Workplace): Promise<void>;
}

/** The exercises, in the order in which they are done. */
export const LADDER: string[] = [
  "tcp/first-client",
  "tcp/echo",
  "tcp/many-clients",
  "tcp/lines",
  "tcp/length",
  "tcp/patience",
  "tcp/chat-room",
  "udp/time",
  "udp/ask-again",
  "udp/receive-file",
  "udp/send-file",
  "udp/sliding-window",
  "udp/how-long-to-wait",
  "http/one-page",
  "http/paths",
  "http/keep-alive",
  "http/client",
  "webclientserver/parts",
  "broker/by-number",
  "incrementer/crash-log",
  "tcp/library/cash-machine",
];

/** The folder of an exercise, from the project's. */
export function folderOf(name: string): string {
  const at = name.lastIndexOf("/");
  return `${name.slice(0, at)}/exercises/${name.slice(at + 1)}`;
}

/** Loads the check of an exercise of the ladder. */
export async function load(name: string): Promise<Exercise> {
  const file = name.replaceAll("/", "_").replaceAll("-", "_");
  const module: { default: Exercise } = await import(`./checks/${file}.ts`);
  return module.default;
}
