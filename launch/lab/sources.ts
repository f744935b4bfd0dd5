/**
 * What pages do with sources. Each page that has asked for a script is told when its
 * copy changes, whoever changed it.
 *
 * @module
 */
import type { Edits } from "./edits.ts";
import type { FromLab, FromPage } from "./messages.ts";

/** The messages that are about a script. */
export type AboutScript = Extract<FromPage, { script: string }>;

/** Sends something to one page. */
export type Send = (message: FromLab) => void;

/** The sources, for all pages of a lab. */
export class Sources {
  readonly edits: Edits;
  /** The scripts that each page has asked for. */
  readonly #readers = new Map<Send, Set<string>>();

  constructor(edits: Edits) {
    this.edits = edits;
  }

  /** Does what a page asks for; throws an Error with one line if it cannot. */
  async handle(message: AboutScript, send: Send): Promise<void> {
    const { script } = message;
    if (message.type === "source") {
      const source = await this.edits.source(script);
      const scripts = this.#readers.get(send) ?? new Set();
      this.#readers.set(send, scripts.add(script));
      return send({ type: "source", source });
    }
    if (message.type === "edit") {
      const { text, version } = message;
      try {
        await this.edits.edit(script, text, version);
      } catch (error) {
        const text = error instanceof Error ? error.message : `${error}`;
        send({ type: "failed", what: "edit", text });
        // What the page has is old.
        const source = await this.edits.source(script).catch(() => null);
        if (source) send({ type: "source", source });
        return;
      }
    } else if (message.type === "check") await this.edits.check(script);
    else if (message.type === "revert") await this.edits.revert(script);
    else await this.edits.undoRevert(script);
    const source = await this.edits.source(script);
    for (const [reader, scripts] of [...this.#readers]) {
      if (reader !== send && scripts.has(script)) {
        reader({ type: "source", source });
      }
    }
    send({ type: "source", source });
  }

  /** A page has gone. */
  forget(send: Send): void {
    this.#readers.delete(send);
  }
}
