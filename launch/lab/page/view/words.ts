/**
 * What happened, in words: for labels, the list, search and the inspector.
 *
 * @module
 */
import { count, readable, visible } from "../../../show/text.ts";
import type { Mark } from "../../../wire/relay.ts";
import type { PageEvent } from "../../messages.ts";
import { bytesOf, type Entry, type History } from "./history.ts";

/** So many bytes are looked at for a label. */
const GLANCE = 240;

/** `0.4 ms`, `120 ms`, `4.2 s`. */
export function duration(us: number): string {
  const ms = us / 1000;
  if (ms >= 999.5) {
    const s = ms / 1000;
    if (s >= 120) return `${Math.round(s / 60)} min`;
    return `${s < 100 ? s.toFixed(1) : Math.round(s)} s`;
  }
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** A time of the run: `12.345`. */
export function clock(us: number): string {
  return (us / 1e6).toFixed(3);
}

/** Whether an event has bytes of its own. */
export function hasBytes({ kind }: PageEvent): boolean {
  return kind === "message" || kind === "datagram";
}

/** The first line of what a message says, with `…` if there is more. */
export function firstText(event: PageEvent): string {
  if (event.lines.length > 0) {
    const first = visible(event.lines[0] ?? "")
      .replace(/^(INFO|CONNECT) \{.*/, "$1 {…}")
      .replace(/_INBOX\.[\w.]+(\*?)/g, "_INBOX.…$1");
    const more = event.lines.length - 1;
    return more > 0 ? `${first}  (and ${count(more, "more line")})` : first;
  }
  const text = readable(bytesOf(event, GLANCE));
  const [first = ""] = text.split(/(?<=(?<!\\)(?:\\\\)*\\n)/);
  const isAll = first === text && event.size <= GLANCE;
  return isAll ? text : `${first.replace(/(\\r)?\\n$/, "")}…`;
}

/** What the network did, in words; without causes. */
export function fates(event: PageEvent): string[] {
  const words: string[] = [];
  const of = event.of === null ? "" : ` #${event.of}`;
  const says: Record<Mark, string> = {
    again: `again${of && ` of${of}`}`,
    late: event.delivered === null
      ? ""
      : `${duration(event.delivered - event.sent)} late`,
    piece: of ? `piece of${of}` : "first piece",
    glued: of ? `glued to${of}` : "glued",
    corrupted: "one bit wrong",
    overtaken: "overtaken",
    held: event.fate === "under way" ? "held" : "was held",
    changed: "changed at the relay",
    injected: "made at the relay",
  };
  if (event.fate === "lost") words.push("lost");
  for (const mark of event.marks) if (says[mark]) words.push(says[mark]);
  const isHeld = event.marks.includes("held");
  if (event.fate === "under way" && !isHeld) words.push("under way");
  return words;
}

/** What an event is, without who and what became of it: `connect`, `5 bytes`. */
export function nameOf(event: PageEvent): string {
  switch (event.kind) {
    case "connect":
      return "connects";
    case "refused":
      return "refused (RST)";
    case "end":
      return "sends no more (FIN)";
    case "reset":
      return "reset (RST)";
    case "trouble":
      return "relay";
    case "condition":
      return "network";
    default:
      return count(event.size, "byte");
  }
}

/** Which connection or peer, if it is not the first. */
export function whichOf(event: PageEvent, history: History): string {
  if (event.connection <= 1) return "";
  const isTcp = history.links.get(event.link)?.transport !== "udp";
  return `${isTcp ? "connection" : "peer"} ${event.connection}`;
}

/** One sentence for an entry: `#12 client → server, 5 bytes: hello, lost (down.loss=#1)`. */
export function sentence(entry: Entry, history: History): string {
  const { item } = entry;
  switch (item.kind) {
    case "wire":
      return `#${item.event.number} ${eventText(item.event, history)}`;
    case "line": {
      const isError = item.stream === "stderr";
      const how = isError ? "reports" : "prints";
      if (!item.typed) return `${item.role} ${how}: ${visible(item.text)}`;
      const asked = item.text.slice(0, item.text.length - item.typed.length);
      return `${item.role} asks “${visible(asked.trim())}”, typed: ${
        visible(item.typed)
      }`;
    }
    default:
      return plainText(item, true);
  }
}

function eventText(event: PageEvent, history: History): string {
  if (event.kind === "trouble" || event.kind === "condition") {
    return `${nameOf(event)} (link to ${event.link}): ${visible(event.text)}`;
  }
  const [from, to] = history.ends(event);
  const isStranger = event.connection === 0 && event.marks.includes("injected");
  const who = `${
    isStranger && event.from === "client" ? "a stranger" : from
  } → ${to}`;
  const parts = [who];
  const which = whichOf(event, history);
  if (which) parts.push(which);
  if (hasBytes(event)) {
    const text = firstText(event);
    parts.push(text ? `${nameOf(event)}: ${text}` : nameOf(event));
  } else {
    parts.push(nameOf(event) + (event.text ? `: ${visible(event.text)}` : ""));
  }
  const causes = event.causes.length > 0 ? ` (${event.causes.join(", ")})` : "";
  return [...parts, ...fates(event)].join(", ") + causes;
}

/** The text of an entry that is neither an event nor a line. */
export function plainText(item: Entry["item"], withRole: boolean): string {
  switch (item.kind) {
    case "program": {
      const who = withRole ? `${item.role} ` : "";
      if (item.state === "listening") return `${who}listens`;
      if (item.state !== "ended" && item.state !== "idle") {
        return `${who}starts${item.edited ? ", edited" : ""}`;
      }
      if (item.stopped && item.code !== 0) return `${who}stopped`;
      if (item.signal) return `${who}ended by ${visible(item.signal)}`;
      return item.code ? `${who}ended with status ${item.code}` : `${who}ends`;
    }
    case "net":
      return `Network: ${
        visible(item.sentences.join(" ")) || "as good as can be."
      }`;
    case "note":
      return visible(item.text);
    case "over":
      return [
        item.failure ? visible(item.failure) : "The run is over.",
        ...item.counts.map(visible),
      ].join(" ");
    case "line":
      return visible(item.text);
    case "wire":
      return visible(item.event.text);
  }
}
