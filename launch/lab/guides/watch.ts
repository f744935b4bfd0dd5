/**
 * What the steps of guides look for in a run.
 *
 * @module
 */
import type { Item, PageEvent } from "../messages.ts";

/** All events of a run, each once, as they are now, in the order of their numbers. */
export function events(items: readonly Item[]): PageEvent[] {
  const found = new Map<number, PageEvent>();
  for (const item of items) {
    if (item.kind === "wire") found.set(item.event.number, item.event);
  }
  return [...found.values()];
}

/** Those that carry bytes. */
export function messages(items: readonly Item[]): PageEvent[] {
  return events(items)
    .filter(({ kind }) => kind === "message" || kind === "datagram");
}

/** Those of them that have arrived; from one side and on one link, if these are given. */
export function arrived(
  items: readonly Item[],
  from?: "client" | "server",
  link?: string,
): PageEvent[] {
  return messages(items).filter((event) =>
    event.fate === "delivered" &&
    (from === undefined || event.from === from) &&
    (link === undefined || event.link === link)
  );
}

/** What the first bytes of a message say. */
export function textOf({ bytes }: PageEvent): string {
  const raw = atob(bytes);
  const codes = Uint8Array.from(raw, (character) => character.charCodeAt(0));
  return new TextDecoder().decode(codes);
}

/** Whether a program has printed such a line. */
export function printed(
  items: readonly Item[],
  role: string,
  pattern: RegExp,
): boolean {
  return items.some((item) =>
    item.kind === "line" && item.role === role && pattern.test(item.text)
  );
}

/** How often somebody has typed a line into a program. */
export function typed(items: readonly Item[], role: string): number {
  return items.filter((item) =>
    item.kind === "line" && item.role === role && item.typed !== null
  ).length;
}

/** A program, as it was at its end; also if it was started again since. */
export function ending(
  items: readonly Item[],
  role: string,
): (Item & { kind: "program" }) | undefined {
  return items.findLast((item): item is Item & { kind: "program" } =>
    item.kind === "program" && item.role === role && item.state === "ended"
  );
}

/** Whether somebody has ended a program, with `kill -9` or Ctrl-C. */
export function killed(items: readonly Item[], role: string): boolean {
  return ending(items, role) !== undefined &&
    items.some((item) =>
      item.kind === "did" && item.role === role &&
      (item.action === "kill" || item.action === "interrupt")
    );
}

/** What has happened since a program was started again; null if it was not. */
export function sinceRestart(
  items: readonly Item[],
  role: string,
): readonly Item[] | null {
  const at = items.findLastIndex((item) =>
    item.kind === "did" && item.action === "restart" && item.role === role
  );
  return at < 0 ? null : items.slice(at + 1);
}

/** Whether a program has ended with an exit status that is not 0. */
export function failed(items: readonly Item[], role: string): boolean {
  return (ending(items, role)?.code ?? 0) !== 0;
}

/** Whether a program runs from an edited copy. */
export function edited(items: readonly Item[], role: string): boolean {
  return items.some((item) =>
    item.kind === "program" && item.role === role && item.edited
  );
}

/** Whether somebody has looked at the bytes of a message. */
export function opened(items: readonly Item[]): boolean {
  return items.some((item) => item.kind === "did" && item.action === "bytes");
}

/** Whether a message waits at the relay, or has waited there. */
export function held(items: readonly Item[]): boolean {
  return messages(items).some(({ marks }) => marks.includes("held")) ||
    items.some((item) => item.kind === "hold" && item.held.length > 0);
}

/** How long a message was under way, in µs; 0 if it has not arrived. */
export function delay({ sent, delivered }: PageEvent): number {
  return delivered === null ? 0 : delivered - sent;
}

/** Done when all is true; else it waits for the first that is not. */
export function when(...parts: [boolean, string][]): true | string {
  const missing = parts.find(([isThere]) => !isThere);
  return missing ? missing[1] : true;
}

/** The step in which somebody opens a message. */
export const LOOK_INSIDE = {
  title: "Look inside",
  do:
    "Click on the arrow of a message (in a list, on its line), or go to it with the arrow keys and press Enter.",
  done: (items: readonly Item[]): true | string =>
    when([opened(items), "a message that you open"]),
};
