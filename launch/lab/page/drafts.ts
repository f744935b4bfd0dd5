/**
 * The edited copies of scripts: saved to the lab while somebody types, and never
 * over what another page has saved meanwhile.
 *
 * @module
 */
import type { FromPage, Source } from "../messages.ts";

/** The pause after a key before the copy is saved, in ms. */
const PAUSE = 400;

/** A script as this page sees it. */
export class Draft {
  /** The latest that the lab has sent. */
  source: Source;
  /** What stands in the editor. */
  text: string;
  /** What another page has saved while this one had changes; else null. */
  conflict: string | null = null;
  /** Whether a check is under way. */
  checking = false;
  /** Whether this state of the copy has been checked. */
  checked = false;
  readonly #send: (message: FromPage) => boolean;
  readonly #changed: () => void;
  #sent: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    source: Source,
    send: (message: FromPage) => boolean,
    changed: () => void,
  ) {
    this.source = source;
    this.text = source.edited ?? source.original;
    this.checked = source.errors.length > 0;
    this.#send = send;
    this.#changed = changed;
  }

  /** Whether the editor holds something that the lab does not have. */
  get isDirty(): boolean {
    return this.text !== (this.source.edited ?? this.source.original);
  }

  /** Whether there is a copy that differs from the original. */
  get isEdited(): boolean {
    return this.text !== this.source.original;
  }

  /** Somebody types. */
  write(text: string): void {
    if (text === this.text) return;
    this.text = text;
    this.checked = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), PAUSE);
    this.#changed();
  }

  /** Saves now; one at a time, so that each goes on from the last. */
  save(): void {
    clearTimeout(this.#timer);
    if (!this.isDirty || this.#sent !== null || this.conflict !== null) return;
    const { script, version } = this.source;
    const { text } = this;
    if (this.#send({ type: "edit", script, text, version })) this.#sent = text;
  }

  /** The lab says how the copy stands. */
  take(source: Source): void {
    const wasDirty = this.isDirty, { version } = this.source;
    const now = source.edited ?? source.original;
    this.source = source;
    const wasChecked = this.checking;
    this.checking = false;
    if (source.version === version) {
      this.checked = wasChecked && !wasDirty;
    } else if (now === this.#sent || now === this.text) {
      this.#sent = null;
      this.conflict = null;
      this.save();
    } else if (wasDirty) {
      this.#sent = null;
      this.conflict = now;
    } else {
      this.text = now;
    }
    this.#changed();
  }

  /** What was sent was refused, or may have got lost. */
  forget(): void {
    this.#sent = null;
    this.checking = false;
  }

  /** Ends a conflict: with this page's text, or with the other one's. */
  settle(keep: "mine" | "theirs"): void {
    if (keep === "theirs" && this.conflict !== null) this.text = this.conflict;
    this.conflict = null;
    this.save();
    this.#changed();
  }

  /** Asks for the errors; what is not saved yet is saved before. */
  check(): void {
    this.save();
    this.checking = this.#send({ type: "check", script: this.source.script });
    this.checked = false;
    this.#changed();
  }
}
