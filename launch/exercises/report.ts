/**
 * A verdict as lines for people.
 *
 * @module
 */
import type { Exercise, Step } from "../../tests/exercises/exercise.ts";
import {
  compare,
  lastLines,
  shown,
  toBytes,
} from "../../tests/exercises/verdict.ts";
import { count } from "../show/text.ts";
import type { WireEvent } from "../wire/relay.ts";
import type { Outcome } from "./run.ts";

/** So many events, and lines that the program printed, are shown at most. */
const EVENTS = 14, LINES = 5;

/** What is said of a step that failed; `command` is how the program is started. */
export function report(
  exercise: Exercise,
  step: Step,
  outcome: Exclude<Outcome, { verdict: "right" }>,
  command: string,
): string[] {
  if (outcome.verdict === "cannot tell") {
    return [`  ? cannot tell: ${outcome.why}`];
  }
  const { finding: { property, expected, came, cause, inWords } } = outcome;
  const lines = [`  ✗ not yet: ${property}`];
  if (expected !== undefined && came !== undefined) {
    const text = (data: string | Uint8Array) => shown(toBytes(data));
    const words = inWords || text(came).startsWith("(");
    const both = words
      ? [
        `expected  ${text(expected) || "(nothing)"}`,
        `came      ${text(came) || "(nothing)"}`,
      ]
      : compare(expected, came);
    lines.push(...both.map((line) => `      ${line}`));
  }
  lines.push(`    What is usually the cause: ${cause}`);
  lines.push("    On the wire:", ...wireLines(outcome.events, exercise));
  lines.push(...programLines(outcome.printed, outcome.status));
  lines.push("    To see it by hand, each in a terminal of its own:");
  lines.push(...byHand(exercise, step, command).map((text) => `      ${text}`));
  return lines;
}

function wireLines(events: WireEvent[], { role }: Exercise): string[] {
  if (events.length === 0) return ["      (nothing)"];
  const shownEvents = events.slice(-EVENTS);
  const left = events.length - shownEvents.length;
  return [
    ...left > 0 ? [`      … ${left} events before these`] : [],
    ...shownEvents.map((event) => `      ${describe(event, role)}`),
  ];
}

/** One event as a line: `#3  0.012 s  check → program  5 bytes  hello`. */
export function describe(
  event: WireEvent,
  role: Exercise["role"],
): string {
  const program = event.from === role ? "program → check" : "check → program";
  const { kind, bytes, fate, causes } = event;
  const what = kind === "message" || kind === "datagram"
    ? `${count(bytes.length, "byte")}  ${short(bytes)}`
    : kind === "end"
    ? "sends no more (FIN)"
    : kind === "connect" && event.connection > 1
    ? `connects (${event.connection})`
    : { connect: "connects", reset: "resets" }[kind as "connect" | "reset"] ??
      event.text;
  const marks = [...event.marks, ...fate === "lost" ? ["✕ lost"] : []];
  const why = causes.length > 0 ? ` (${causes.join(", ")})` : "";
  const note = marks.length > 0 ? `  ${marks.join(", ")}${why}` : "";
  const seconds = (event.sent / 1e6).toFixed(3);
  return `#${event.number} `.padEnd(5) +
    `${seconds} s  ${program}  ${what}${note}`;
}

function short(bytes: Uint8Array): string {
  const text = shown(bytes.subarray(0, 40));
  return bytes.length > 40 ? `${text}…` : text;
}

function programLines(printed: string, status: number | undefined): string[] {
  const state = status === undefined
    ? "It is still running."
    : `It has ended with status ${status}.`;
  const lines = lastLines(printed, LINES);
  if (lines.length === 0) return [`    Your program printed nothing. ${state}`];
  return [
    `    The last that your program printed (${state})`,
    ...lines.map((line) => `      ${line}`),
  ];
}

/** Commands that put the program under the wire view with the same network. */
export function byHand(
  { role, transport, more = "" }: Exercise,
  { net = [] }: Step,
  command: string,
): string[] {
  const nets = net.map((text) => ` --net "${text}"`).join("");
  const at = (port: number) =>
    (command.includes("{port}")
      ? command.replaceAll("{port}", `${port}`)
      : `${command} ${port}`) + (more && ` ${more}`);
  return role === "server"
    ? [
      at(7000),
      `deno task wire ${transport} 7001 127.0.0.1:7000${nets}`,
      "and a client of yours to port 7001",
    ]
    : [
      `a server of yours on port 7000`,
      `deno task wire ${transport} 7001 127.0.0.1:7000${nets} -- ${at(7001)}`,
    ];
}
