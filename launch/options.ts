/**
 * What the tasks that launch have in common: their options, their screen, their end.
 *
 * @module
 */
import { BadCondition, parseNet } from "./wire/conditions/parse.ts";
import type { Address } from "./wire/relay.ts";
import type { LinkName, Network } from "./wire/conditions/conditions.ts";

/** A way of use that is not one; its message is a line for the user. */
export class BadUse extends Error {
  override name = "BadUse";
  /** Whether the usage line helps. */
  readonly showUsage: boolean;

  constructor(message: string, showUsage = true) {
    super(message);
    this.showUsage = showUsage;
  }
}

/** What stands in a command line. */
export interface Options {
  /** The values of an option, in their order; none if it is not there. */
  all(name: string): string[];
  /** The last value of an option. */
  one(name: string): string | undefined;
  /** Whether a flag is there. */
  has(flag: string): boolean;
  /** What is no option, before a bare `--`. */
  words: string[];
  /** What stands behind a bare `--`; undefined if there is none. */
  rest: string[] | undefined;
}

/**
 * Reads a command line: options with a value (`--net X`, `--net=X`), as often as one
 * likes, and flags without one. Throws BadUse for any other option.
 */
export function readOptions(
  args: readonly string[],
  { values, flags }: { values: string[]; flags: string[] },
): Options {
  const found = new Map<string, string[]>();
  const words: string[] = [];
  let rest: string[] | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      rest = args.slice(i + 1);
      break;
    }
    const [, name, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined && arg.length > 1 && arg.startsWith("-")) {
      throw new BadUse(`Cannot use ${arg}.`);
    } else if (name === undefined) {
      if (arg !== "") words.push(arg);
    } else if (flags.includes(name) && value === undefined) {
      found.set(name, []);
    } else if (values.includes(name)) {
      const text = value ?? args[++i];
      if (text === undefined) {
        throw new BadUse(`Cannot use ${arg} without a value.`);
      }
      found.set(name, [...found.get(name) ?? [], text]);
    } else {
      throw new BadUse(`Cannot use ${arg}.`);
    }
  }
  return {
    all: (name) => found.get(name) ?? [],
    one: (name) => found.get(name)?.at(-1),
    has: (flag) => found.has(flag),
    words,
    rest,
  };
}

/** Reads `--net` and `--seed`; undefined without either. */
export async function networkOf(
  net: string[],
  seed: string | undefined,
  links: LinkName[],
): Promise<Network | undefined> {
  if (seed !== undefined && !/^\d{1,10}$/.test(seed)) {
    throw new BadUse(`Cannot use --seed ${seed}: it is a whole number.`);
  }
  if (net.length === 0) return undefined;
  try {
    return await parseNet(net, {
      links,
      ...seed === undefined ? {} : { seed: Number(seed) },
    });
  } catch (error) {
    if (error instanceof BadCondition) throw new BadUse(error.message, false);
    throw error;
  }
}

/** A port as a number; throws BadUse if it is none. */
export function portOf(option: string, text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65535) {
    throw new BadUse(`Cannot use ${option} ${text}: a port is 0 to 65535.`);
  }
  return Number(text);
}

/**
 * An address as a person types it: `HOST:PORT`, `[::1]:PORT`, `http://HOST:PORT/`, or
 * a port alone, of `host`. Throws BadUse if it is none.
 */
export function parseAddress(text: string, host: string): Address {
  const [, six, name, digits] =
    /^(?:\w+:\/\/)?(?:(?:\[([\da-f:.%\w]+)\]|([^\s:/[\]]+)):)?(\d+)\/?$/i.exec(
      text,
    ) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65535) {
    throw new BadUse(`Cannot use ${text}: an address is HOST:PORT.`);
  }
  const hostname = six ?? name ?? host;
  if (/^(0\.0\.0\.0|::)$/.test(hostname)) {
    throw new BadUse(
      `Cannot use ${text}: nobody can be reached at ${hostname}.`,
    );
  }
  return { hostname, port };
}

/** An address as a person types it. */
export function addressOf({ hostname, port }: Address): string {
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** Words as one types them in a shell. */
export function quoted(words: readonly string[]): string {
  return words.map((word) =>
    /^[\w@%+=:,./~#-]+$/.test(word) && !word.startsWith("#")
      ? word
      : Deno.build.os === "windows"
      ? `"${word.replaceAll('"', '\\"')}"`
      : `"${word.replace(/["\\$`]/g, "\\$&")}"`
  ).join(" ");
}

/** The command that repeats a run: the same arguments, and the seed. */
export function repeatOf(
  task: string,
  args: readonly string[],
  network: Network | undefined,
): string {
  if (!network) return "";
  const hasSeed = args.some((arg) => /^--seed(=|$)/.test(arg));
  const seed = hasSeed ? [] : ["--seed", `${network.seed}`];
  // What follows a bare "--" is another command's.
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const rest = end < 0 ? [] : args.slice(end);
  return quoted(["deno", "task", task, ...own, ...seed, ...rest]);
}
