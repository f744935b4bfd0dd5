/**
 * Says what conditions mean, so that nobody confuses one way with a round trip.
 *
 * @module
 */
import type { Transport } from "../relay.ts";
import type { Condition, Conditions } from "./conditions.ts";
import { shareOf, type Which } from "./which.ts";

/**
 * One sentence on what to expect; empty if nothing is changed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNet } from "./parse.ts";
 *
 * const links = [{ name: "server", transport: "udp" as const }];
 * const net = await parseNet(["delay=100ms jitter=50ms loss=20%"], { links });
 * assertEquals(net.sentences(), [
 *   "each way 100 ± 50 ms, so an answer comes 200 ms later; 1 of 5 datagrams " +
 *   "lost each way, so a question gets its answer 64 times of 100",
 * ]);
 * ```
 */
export function describe(
  { up, down }: Conditions,
  transport: Transport,
): string {
  const thing = transport === "udp" ? "datagram" : "message";
  const parts = [...delays(up, down), ...losses(up, down)];
  const isTold = (condition: Condition) =>
    isDelay(condition) || isShareOfLoss(condition);
  for (const condition of up.filter((other) => !isTold(other))) {
    const text = phrase(condition, thing);
    const isBoth = condition.direction === "both";
    parts.push(`${text} ${isBoth ? "each way" : "from the client"}`);
  }
  for (const condition of down.filter((other) => !isTold(other))) {
    if (condition.direction === "both") continue;
    parts.push(`${phrase(condition, thing)} from the server`);
  }
  return parts.join("; ");
}

/** A delay of everything, always. */
function isDelay({ name, which, phase }: Condition): boolean {
  return (name === "delay" || name === "jitter") && !which && !phase;
}

/** A loss that has a share, always. */
function isShareOfLoss({ name, which, phase }: Condition): boolean {
  return name === "loss" && which?.kind !== "numbers" && !phase;
}

function delays(up: readonly Condition[], down: readonly Condition[]) {
  const there = lateness(up), back = lateness(down);
  const sum = there.mean + back.mean;
  if (there.most + back.most === 0) return [];
  const so = `so an answer comes ${time(sum)} later`;
  if (there.text === back.text) return [`each way ${there.text}, ${so}`];
  const parts = [];
  if (there.most > 0) parts.push(`from the client ${there.text}`);
  if (back.most > 0) parts.push(`from the server ${back.text}`);
  return [`${parts.join(", ")}, ${so}`];
}

/** How late things get: least, most and mean in µs. */
function lateness(conditions: readonly Condition[]) {
  const sum = (name: string) =>
    conditions.filter((condition) =>
      condition.name === name && isDelay(condition)
    ).reduce((sum, { amount }) => sum + amount, 0);
  const delay = sum("delay"), jitter = sum("jitter");
  const least = Math.max(0, delay - jitter), most = delay + jitter;
  const text = jitter === 0
    ? time(delay)
    : delay >= jitter
    ? plusMinus(delay, jitter)
    : `${time(least)} to ${time(most)}`;
  return { most, mean: (least + most) / 2, text };
}

function plusMinus(delay: number, jitter: number): string {
  const [number = "", unit = ""] = time(delay).split(" ");
  const [other = "", otherUnit = ""] = time(jitter).split(" ");
  return unit === otherUnit
    ? `${number} ± ${other} ${unit}`
    : `${number} ${unit} ± ${other} ${otherUnit}`;
}

function losses(up: readonly Condition[], down: readonly Condition[]) {
  const arrives = (conditions: readonly Condition[]) =>
    conditions.filter(isShareOfLoss).reduce(
      (arrives, { which }) => arrives * (1 - (which ? shareOf(which) : 1)),
      1,
    );
  const there = arrives(up), back = arrives(down);
  if (there === 1 && back === 1) return [];
  const lost = there === back
    ? `${shareText(1 - there)} datagrams lost each way`
    : [
      there < 1 ? `${shareText(1 - there)} datagrams lost from the client` : "",
      back < 1 ? `${shareText(1 - back)} datagrams lost from the server` : "",
    ].filter((text) => text).join(", ");
  const answered = there * back * 100;
  return [
    `${lost}, so a question gets its answer ${
      answered === 0 ? "never" : `${round(answered)} times of 100`
    }`,
  ];
}

/** What any other condition does, without its direction. */
function phrase(condition: Condition, thing: string): string {
  const { name, amount, unit, which, phase } = condition;
  const size = unit === "time" ? time(amount) : bytes(amount);
  const who = which ? `${whichText(which, thing)}` : `each ${thing}`;
  const many = which !== null && areMany(which);
  const text = {
    loss: `${who} lost`,
    duplicate: `${who} ${many ? "arrive" : "arrives"} twice`,
    corrupt: `${who} ${many ? "have" : "has"} a wrong bit`,
    reorder: `${who} ${many ? "are" : "is"} overtaken by the next one`,
    delay: `${who} ${size} later`,
    jitter: `${who} up to ${size} earlier or later`,
    size: `${who} of more than ${size} lost`,
    rate: `no faster than ${bytes(amount)} a second`,
    cut: `${who} in pieces of at most ${size}, 5 ms apart`,
    glue: `what comes within ${size} in one piece`,
    reset: `reset after ${size}`,
    stall: `nothing passes ${amount === 0 ? "any more" : `after ${size}`}`,
  }[name] ?? name;
  if (!phase) return text;
  const from = `from ${time(phase.from)}`;
  const to = phase.to === Infinity ? "on" : `to ${time(phase.to)}`;
  return `${text} ${from} ${to} of the run`;
}

function whichText(which: Which, thing: string): string {
  switch (which.kind) {
    case "numbers":
      return `${thing}${areMany(which) ? "s" : ""} ${
        which.numbers.map((n) => `#${n}`).join(", ")
      }`;
    case "every":
      return which.every === 1
        ? `every ${thing}`
        : `every ${ordinal(which.every)} ${thing}`;
    case "of":
      return `${which.count} of each ${which.of} ${thing}s`;
    case "share": {
      const run = which.run > 1 ? ` (in runs of ${which.run})` : "";
      return `${shareText(which.share)} ${thing}s${run}`;
    }
  }
}

/** Whether what {@linkcode whichText} says is more than one. */
function areMany(which: Which): boolean {
  switch (which.kind) {
    case "numbers":
      return which.numbers.length > 1;
    case "every":
      return false;
    case "of":
      return which.count !== 1;
    case "share":
      return !shareText(which.share).startsWith("1 of ");
  }
}

function ordinal(n: number): string {
  const tail = n % 100 > 10 && n % 100 < 14
    ? "th"
    : { 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th";
  return `${n}${tail}`;
}

/** `1 of 5`, `3 of 100`, `5 of 1,000`. */
function shareText(share: number): string {
  if (share === 1) return "all";
  const one = Math.round(1 / share);
  if (Math.abs(share * one - 1) < 1e-9) {
    return `1 of ${one.toLocaleString("en")}`;
  }
  for (const total of [100, 1000]) {
    const count = share * total;
    if (Math.abs(count - Math.round(count)) < 1e-9) {
      return `${Math.round(count)} of ${total.toLocaleString("en")}`;
    }
  }
  return `${round(share * 100)} of 100`;
}

/** µs as text. */
function time(us: number): string {
  if (us >= 1e6) return `${round(us / 1e6)} s`;
  return us >= 1000 || us === 0 ? `${round(us / 1000)} ms` : `${us} µs`;
}

function bytes(n: number): string {
  if (n >= 1e6) return `${round(n / 1e6)} MB`;
  return n >= 1000 ? `${round(n / 1000)} KB` : `${n} byte${n === 1 ? "" : "s"}`;
}

function round(n: number): string {
  return `${Math.round(n * 100) / 100}`;
}
