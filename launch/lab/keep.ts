/**
 * Runs as files: what is downloaded from the lab, and opened in it.
 *
 * @module
 */
import { addressOf } from "../options.ts";
import { Diagram } from "../show/mermaid.ts";
import { Packets } from "../wire/pcapng.ts";
import {
  eventLine,
  headerLine,
  readRunFrom,
  type RunHeader,
  type SavedLink,
  type SavedRun,
} from "../wire/saved_run.ts";
import type { Session } from "./session.ts";

/** A run in the format of `wire --save`. */
export function asSavedRun(session: Session): string {
  const lines = session.feed.events().map(eventLine);
  return [headerLine(headerOf(session)), ...lines, ""].join("\n");
}

/** A run for Wireshark. */
export function asPcapng(session: Session): Blob {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  const packets = new Packets(
    headerOf(session),
    (block) => void blocks.push(new Uint8Array(block)),
  );
  for (const event of session.feed.events()) packets.take(event);
  return new Blob(blocks);
}

/** A run as a Mermaid sequence diagram. */
export function asMermaid(session: Session): string {
  const lines: string[] = [];
  session.feed.replay(new Diagram((line) => void lines.push(line)));
  return [...lines, ""].join("\n");
}

/** A run out of what was saved. Throws BadRun. */
export async function readSaved(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<SavedRun> {
  return await readRunFrom(new Blob([bytes]).stream(), name);
}

function headerOf({ feed, command, net, seed }: Session): RunHeader {
  const programs: Record<string, string> = {};
  const links: SavedLink[] = [];
  for (const item of feed.items()) {
    if (item.kind === "run") {
      for (const { name, title } of item.cast.members) programs[name] = title;
    } else if (item.kind === "link") {
      const { name, client, transport, relay, target } = item.link;
      const listen = addressOf(relay);
      links.push({
        ...{ name, client, transport, listen },
        target: addressOf(target),
      });
    }
  }
  return {
    start: feed.about?.start ?? 0,
    task: command,
    ...{ net, seed, programs, links },
    versions: { deno: Deno.version.deno },
  };
}
