/**
 * Reads what was typed after `--net`.
 *
 * @module
 */
import {
  BadCondition,
  type Condition,
  type Conditions,
  type LinkName,
  type Network,
} from "./conditions.ts";
import { describe } from "./describe.ts";
import { PRESETS } from "./presets.ts";
import { TROUBLES } from "./troubles.ts";
import { parseWhich, shareOf, type Which } from "./which.ts";

export { BadCondition };

/** How deep files may name files. */
const DEPTH = 5;

/** A condition, and whom it is for. */
interface Entry {
  condition: Condition;
  /** The link that it is for; null for all. */
  role: string | null;
  /** What does not fit a link is left out without a word. */
  fromPreset: boolean;
  /** As typed, with its role. */
  typed: string;
}

/**
 * Reads conditions; `texts` are the values of `--net`, `links` all links of the
 * run. A seed is drawn if none is given. Throws a {@linkcode BadCondition} whose
 * message is one line.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNet } from "./parse.ts";
 *
 * const links = [{ name: "server", transport: "udp" as const }];
 * const net = await parseNet(["down.loss=#1"], { links, seed: 7 });
 * assertEquals(net.options, ["--net", "down.loss=#1", "--seed", "7"]);
 * assertEquals(net.of(links[0]!).down.length, 1);
 * ```
 */
export async function parseNet(
  texts: string[],
  { links, seed = 1 + Math.floor(Math.random() * 999_999) }: {
    links: LinkName[];
    seed?: number;
  },
): Promise<Network> {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new BadCondition(
      `--seed ${seed} is no whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`,
    );
  }
  const typed = await expand(texts, 0);
  const entries = typed.flatMap((word) => readWord(word, links));
  for (const entry of entries) check(entry, links);
  const network: Network = {
    seed,
    of: (link) => conditionsOf(entries, link, seed),
    sentences: () =>
      links.flatMap((link) => {
        const text = describe(network.of(link), link.transport);
        if (!text) return [];
        return [links.length > 1 ? `${link.name}: ${text}` : text];
      }),
    options: typed.length === 0
      ? []
      : ["--net", typed.join(" "), "--seed", `${seed}`],
  };
  return network;
}

/** All words, those of files in the place of `@FILE`. */
async function expand(texts: string[], depth: number): Promise<string[]> {
  const words = texts.flatMap((text) =>
    text.split("\n").flatMap((line) =>
      line.replace(/(^|\s)#.*$/, "").split(/\s+/).filter((word) => word)
    )
  );
  const result: string[] = [];
  for (const word of words) {
    if (!word.startsWith("@")) {
      result.push(word);
      continue;
    }
    const path = word.slice(1);
    if (depth >= DEPTH) {
      throw new BadCondition(`${word}: files name files ${DEPTH} deep.`);
    }
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch (error) {
      const why = error instanceof Error ? error.message : error;
      throw new BadCondition(
        `Cannot read the conditions in "${path}": ${`${why}`.split("\n")[0]}`,
      );
    }
    result.push(...await expand([text], depth + 1));
  }
  return result;
}

/** Reads a word: one condition, or those of a preset. */
function readWord(word: string, links: LinkName[]): Entry[] {
  const match = /^(?:([^=.]+):)?(?:(up|down)\.)?([^=.:]+)(?:=(.*))?$/
    .exec(word);
  const [, role = null, way, name = "", value] = match ?? [];
  if (!match) {
    throw new BadCondition(
      `"${word}" is no condition. Write NAME=VALUE, as in loss=20%, ` +
        `down.delay=100ms or ROLE:loss=#1.`,
    );
  }
  if (role !== null && !links.some((link) => link.name === role)) {
    const names = links.map((link) => link.name).join(", ") || "none";
    throw new BadCondition(
      `"${word}": there is no link to "${role}" here. There is: ${names}.`,
    );
  }
  const direction = way === "up" || way === "down" ? way : "both";
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset !== undefined) {
    if (value !== undefined) {
      throw new BadCondition(`"${word}": ${name} takes no value.`);
    }
    return preset.split(" ").map((text) => {
      const [name = "", value = ""] = text.split("=");
      const prefix = way ? `${way}.` : "";
      const condition = read(word, `${prefix}${text}`, name, value, direction);
      return { condition, role, fromPreset: true, typed: word };
    });
  }
  if (!Object.hasOwn(TROUBLES, name)) {
    throw new BadCondition(
      `"${word}": unknown condition "${name}". Known are ${
        [...Object.keys(TROUBLES), ...Object.keys(PRESETS)].join(", ")
      }.`,
    );
  }
  if (!value) {
    throw new BadCondition(
      `"${word}" says not how much. Write ${name}=${TROUBLES[name]?.example}.`,
    );
  }
  const text = `${way ? `${way}.` : ""}${name}=${value}`;
  const condition = read(word, text, name, value, direction);
  return [{ condition, role, fromPreset: false, typed: word }];
}

/** Reads the value of a condition. */
function read(
  word: string,
  text: string,
  name: string,
  value: string,
  direction: Condition["direction"],
): Condition {
  const { takes = [], example = "" } = TROUBLES[name] ?? {};
  const fail = (why: string): never => {
    throw new BadCondition(`"${word}": ${why}`);
  };
  const [main = "", window, ...more] = value.split("@");
  if (more.length > 0) fail("it has more than one @.");
  const phase = window === undefined ? null : readPhase(window) ??
    fail(`@${window} is no time. Write @5s..8s, @5s.. or @..8s.`);
  const base = { text, name, direction, phase };
  if (takes.includes("which")) {
    const which = readWhich(main) ??
      fail(
        /^\d+(\.\d+)?$/.test(main)
          ? `${main} has no unit. Write ${name}=${main}%, ${name}=#${main} ` +
            `or ${name}=every${main}.`
          : `${main} says not which. Write ${name}=20%, 5%x4, #1, #3,#4, ` +
            `every3 or 2/5.`,
      );
    if (typeof which === "string") return fail(`${which}.`);
    return { ...base, which, amount: 0, unit: "none" };
  }
  const [, amountText = "", afterColon, numbers] =
    /^([^:#]*)(?::(.*)|(#.*))?$/.exec(main) ?? [];
  const amount = readAmount(amountText);
  if (!amount || !takes.some((unit) => unit === amount.unit)) {
    const bare = /^\d+(\.\d+)?$/.test(amountText);
    return fail(
      `${amountText || "nothing"} ${
        bare ? "has no unit" : "is not an amount"
      }` +
        `. Write ${takes.map((unit) => UNITS[unit]).join(" or ")}, ` +
        `as in ${name}=${example}.`,
    );
  }
  const whichText = afterColon ?? numbers;
  const which = whichText === undefined ? null : readWhich(whichText) ?? fail(
    `${whichText} says not which. Write ${name}=${amountText}:20%, ` +
      `:#1, :every3 or :2/5.`,
  );
  if (typeof which === "string") return fail(`${which}.`);
  if (which !== null && (name === "reset" || name === "stall")) {
    fail(`${name} takes no ${whichText}: it counts bytes or time.`);
  }
  return { ...base, which, ...amount };
}

const UNITS: Readonly<Record<string, string>> = {
  time: "ms or s",
  bytes: "B, KB or MB",
  rate: "B/s, KB/s or MB/s",
};

/** Reads which ones; a text says what is wrong. */
function readWhich(text: string): Which | string | null {
  return parseWhich(text);
}

/** What each unit is in µs, bytes, or bytes a second. */
const TIMES: Record<string, number> = { us: 1, ms: 1e3, s: 1e6 };
const BYTES: Record<string, number> = {
  B: 1,
  KB: 1000,
  MB: 1_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
};

/** Reads an amount: null if it is none, or has no unit. */
function readAmount(
  text: string,
): { amount: number; unit: Condition["unit"] } | null {
  const [, number, unit = "", per] = /^(\d+(?:\.\d+)?)([A-Za-z]+)(\/s)?$/
    .exec(text) ?? [];
  if (number === undefined) return null;
  const time = Object.hasOwn(TIMES, unit) && !per ? TIMES[unit] : undefined;
  if (time !== undefined) {
    const amount = Math.round(Number(number) * time);
    return amount <= 24 * 3600e6 ? { amount, unit: "time" } : null;
  }
  const bytes = Object.hasOwn(BYTES, unit) ? BYTES[unit] : undefined;
  if (bytes === undefined) return null;
  const amount = Math.round(Number(number) * bytes);
  if (!Number.isSafeInteger(amount)) return null;
  return { amount, unit: per ? "rate" : "bytes" };
}

/** Reads `5s..8s`, `5s..` or `..8s`. */
function readPhase(text: string): { from: number; to: number } | null {
  const [, first, second] = /^([^.]*(?:\.\d[^.]*)?)\.\.(.*)$/.exec(text) ?? [];
  if (first === undefined || second === undefined || !(first || second)) {
    return null;
  }
  const time = (text: string, open: number) => {
    if (text === "") return open;
    const amount = readAmount(text);
    return amount?.unit === "time" ? amount.amount : NaN;
  };
  const from = time(first, 0), to = time(second, Infinity);
  return from < to ? { from, to } : null;
}

/** Refuses what cannot be done to the links that it is for. */
function check(
  { condition: { name }, role, fromPreset, typed }: Entry,
  links: LinkName[],
): void {
  if (fromPreset) return;
  const { transports = [] } = TROUBLES[name] ?? {};
  const meant = links.filter((link) => role === null || link.name === role);
  const fits = meant.some(({ transport }) => transports.includes(transport));
  if (fits || meant.length === 0) return;
  const what = `"${typed}": the link to ${
    meant.map(({ name }) => name).join(", ")
  } is ${meant[0]?.transport.toUpperCase()}`;
  if (name === "loss") {
    throw new BadCondition(
      `${what}, and TCP repairs loss below what a relay can see. ` +
        `Use delay=200ms (a repair takes time) or stall=1KB (no repair helps).`,
    );
  }
  const only = transports.map((name) => name.toUpperCase()).join(" and ");
  throw new BadCondition(`${what}, and ${name} is for ${only}.`);
}

/** What concerns a link, without what changes nothing. */
function conditionsOf(
  entries: Entry[],
  { name, transport }: LinkName,
  seed: number,
): Conditions {
  const own = entries.filter(({ condition, role }) =>
    (role === null || role === name) &&
    TROUBLES[condition.name]?.transports.includes(transport) &&
    !isNothing(condition)
  ).map(({ condition }) => condition);
  const going = (way: "up" | "down") =>
    own.filter(({ direction }) => direction === "both" || direction === way);
  return { seed, up: going("up"), down: going("down") };
}

/** A condition of 0 changes nothing. */
function isNothing({ name, amount, unit, which }: Condition): boolean {
  if (which && which.kind !== "numbers" && shareOf(which) === 0) return true;
  return unit !== "none" && amount === 0 && !TROUBLES[name]?.zeroIsNow;
}
