/**
 * Conditions as a form: what sliders can show of them, and what they cannot.
 *
 * @module
 */
import { parseNet } from "../../wire/conditions/parse.ts";
import { PRESETS } from "../../wire/conditions/presets.ts";
import type { Transport } from "../../wire/relay.ts";

/** Which way a slider works. */
export type Way = "both" | "up" | "down";

/** What a slider sets. */
export interface Control {
  name: string;
  title: string;
  /** What it does, in a few words. */
  does: string;
  transports: Transport[];
  /** Units in their order, the first is the one the number field begins with. */
  units: { name: string; factor: number }[];
  /** The places of the slider, in the first unit; the first means off. */
  stops: number[];
  /** The largest number that makes sense, in the first unit. */
  most: number;
  /** Whether it is folded away until it is wanted. */
  rare: boolean;
}

const TIME = [{ name: "ms", factor: 1 }, { name: "s", factor: 1000 }];
const BYTES = [
  { name: "B", factor: 1 },
  { name: "KB", factor: 1000 },
  { name: "MB", factor: 1e6 },
];
const SHARE = [{ name: "%", factor: 1 }];
const RATE = [{ name: "KB/s", factor: 1 }, { name: "MB/s", factor: 1000 }, {
  name: "B/s",
  factor: 0.001,
}];
const PERCENT = [0, 0.5, 1, 2, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100];
const MS = [
  0,
  1,
  5,
  10,
  25,
  50,
  100,
  150,
  200,
  300,
  500,
  750,
  1000,
  2000,
  5000,
];

/** All of them, the usual ones first. */
export const CONTROLS: Control[] = [
  {
    name: "loss",
    title: "Loss",
    does: "datagrams that disappear",
    transports: ["udp"],
    units: SHARE,
    stops: PERCENT,
    most: 100,
    rare: false,
  },
  {
    name: "delay",
    title: "Delay",
    does: "later, one way",
    transports: ["udp", "tcp"],
    units: TIME,
    stops: MS,
    most: 60_000,
    rare: false,
  },
  {
    name: "jitter",
    title: "Jitter",
    does: "up to so much earlier or later",
    transports: ["udp", "tcp"],
    units: TIME,
    stops: MS,
    most: 60_000,
    rare: false,
  },
  {
    name: "duplicate",
    title: "Duplicate",
    does: "datagrams that arrive twice",
    transports: ["udp"],
    units: SHARE,
    stops: PERCENT,
    most: 100,
    rare: true,
  },
  {
    name: "reorder",
    title: "Reorder",
    does: "datagrams overtaken by the next one",
    transports: ["udp"],
    units: SHARE,
    stops: PERCENT,
    most: 100,
    rare: true,
  },
  {
    name: "corrupt",
    title: "Corrupt",
    does: "datagrams with a wrong bit",
    transports: ["udp"],
    units: SHARE,
    stops: PERCENT,
    most: 100,
    rare: true,
  },
  {
    name: "size",
    title: "Size",
    does: "longer ones disappear",
    transports: ["udp"],
    units: BYTES,
    stops: [0, 8, 16, 32, 64, 128, 256, 512, 1024, 1472, 4096, 16384],
    most: 65_507,
    rare: true,
  },
  {
    name: "cut",
    title: "Cut",
    does: "pieces of at most so many bytes",
    transports: ["tcp"],
    units: BYTES,
    stops: [0, 1, 2, 3, 5, 8, 16, 32, 64, 128, 512, 1460],
    most: 65_536,
    rare: false,
  },
  {
    name: "glue",
    title: "Glue",
    does: "what comes within this time is one piece",
    transports: ["tcp"],
    units: TIME,
    stops: MS,
    most: 60_000,
    rare: true,
  },
  {
    name: "rate",
    title: "Rate",
    does: "no faster than this",
    transports: ["udp", "tcp"],
    units: RATE,
    stops: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000],
    most: 1e6,
    rare: true,
  },
  {
    name: "stall",
    title: "Stall",
    does: "after so many bytes nothing passes",
    transports: ["tcp"],
    units: BYTES,
    stops: [0, 1, 10, 20, 50, 100, 500, 1000, 5000, 10_000, 100_000],
    most: 1e9,
    rare: true,
  },
  {
    name: "reset",
    title: "Reset",
    does: "after so many bytes the connection breaks",
    transports: ["tcp"],
    units: BYTES,
    stops: [0, 1, 10, 20, 50, 100, 500, 1000, 5000, 10_000, 100_000],
    most: 1e9,
    rare: true,
  },
];

/** The conditions of one link, taken apart. */
export interface Form {
  /** By way and name: `both.loss`; in the first unit of its control. */
  values: Map<string, number>;
  /** Presets, counted ones, phases: as they were typed. */
  others: string[];
}

/** Takes conditions apart, a preset as what is in it if `open`. */
export function readForm(text: string, transport: Transport): Form {
  const form: Form = { values: new Map(), others: [] };
  for (const word of text.split(/\s+/).filter((word) => word)) {
    const [, way = "both", name = ""] =
      /^(?:(up|down)\.)?([^=.]+)/.exec(word) ?? [];
    const preset = Object.hasOwn(PRESETS, name) && !word.includes("=")
      ? PRESETS[name]
      : undefined;
    if (preset !== undefined) {
      for (const part of preset.split(" ")) take(form, part, way, transport);
    } else if (!take(form, word.replace(/^(up|down)\./, ""), way, transport)) {
      form.others.push(word);
    }
  }
  return form;
}

/** Reads what a slider can show; false if it cannot. */
function take(
  form: Form,
  word: string,
  way: string,
  transport: Transport,
): boolean {
  const [, name = "", number = "", unitName = ""] =
    /^([a-z]+)=(\d+(?:\.\d+)?)([A-Za-z%]+(?:\/s)?)$/.exec(word) ?? [];
  const control = CONTROLS.find((control) => control.name === name);
  const unit = control?.units.find((unit) => unit.name === unitName);
  if (!control || !unit) return false;
  // What a preset has for the other transport is left out.
  if (!control.transports.includes(transport)) return true;
  const value = Number(number) * unit.factor;
  form.values.set(`${way}.${name}`, value);
  return true;
}

/** Puts conditions together again. */
export function writeForm({ values, others }: Form): string {
  const words: string[] = [];
  for (const [key, value] of values) {
    const [way = "", name = ""] = key.split(".");
    const unit = CONTROLS.find((control) => control.name === name)?.units[0];
    if (!unit || value === 0) continue;
    const number = `${Math.round(value * 1000) / 1000}`;
    words.push(
      `${way === "both" ? "" : `${way}.`}${name}=${number}${unit.name}`,
    );
  }
  return [...words, ...others].join(" ");
}

/** Which preset the conditions are; "" for none at all, null for none of them. */
export function presetOf(text: string, transport: Transport): string | null {
  const words = (text: string) =>
    writeForm(readForm(text, transport)).split(" ").sort().join(" ");
  if (!text.trim()) return "";
  return Object.keys(PRESETS).find((name) => words(name) === words(text)) ??
    null;
}

/** Why the lab will not take these conditions; "" if it will. */
export async function whyNot(
  text: string,
  link: { name: string; transport: Transport },
): Promise<string> {
  if (/(^|\s)@/.test(text)) return "A file can only be named in a terminal.";
  if (/(^|\s)#/.test(text)) return "Say what happens to it: loss=#1.";
  try {
    await parseNet([text], { links: [link], seed: 1 });
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : `${error}`;
  }
}
