/**
 * One page: what it asks for, and what it is sent, at its own speed.
 *
 * @module
 */
import type { Reader } from "./feed.ts";
import type { FromLab, FromPage } from "./messages.ts";
import { BadMessage, readMessage } from "./read_message.ts";
import type { Session } from "./session.ts";

/** At most one message with items each so many ms. */
const FRAME_MS = 33;

/** So many bytes may wait in the system for a page; then nothing more is sent. */
const WAITING_BYTES = 1024 ** 2;

/** Answers may wait, too: so many bytes of them. Then the page has had enough. */
const ANSWERS_BYTES = 16 * 1024 ** 2;

/** A page that takes nothing for so many ms is gone. */
const SILENT_MS = 60_000;

/** A page that has not joined for so many ms is none. */
const JOIN_MS = 10_000;

/** So many messages a second may come from a page, and so many at once. */
const RATE = 60, AT_ONCE = 300;

/** Why a page is closed: what a WebSocket says then. */
const BAD = 1008;

/** What a page needs to know of the lab. */
export interface PageOptions {
  socket: WebSocket;
  /** Joins a session, a new one if there is none of that name. */
  join: (page: Page, run: string | null) => Session;
  /** The first message to a page that has joined. */
  welcome: (session: Session) => FromLab;
  /** It has gone. */
  left: (page: Page) => void;
}

/** A page that is connected. */
export class Page {
  readonly #options: PageOptions;
  readonly #socket: WebSocket;
  #session: Session | undefined;
  #reader: Reader | undefined;
  #unsubscribe: (() => void) | undefined;
  readonly #answers: string[] = [];
  #answersBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #joining: ReturnType<typeof setTimeout>;
  #budget = AT_ONCE;
  #refilled = performance.now();
  #buffered = 0;
  #moved = performance.now(); // when the page last took something

  constructor(options: PageOptions) {
    this.#options = options;
    const { socket } = options;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = () => this.#leave();
    socket.onerror = () => {}; // it is closed, too
    this.#joining = setTimeout(
      () => this.close("This page has not joined."),
      JOIN_MS,
    );
  }

  /** Sends an answer, as soon as there is room. */
  send(message: FromLab): void {
    const text = JSON.stringify(message);
    this.#answers.push(text);
    this.#answersBytes += text.length;
    if (this.#answersBytes > ANSWERS_BYTES) {
      this.close("This page asks for more than it takes.");
    } else this.#schedule(0);
  }

  close(why: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.close(BAD, why);
    }
    this.#leave();
  }

  #leave(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#joining);
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#reader = undefined;
    this.#answers.length = 0;
    this.#options.left(this);
  }

  #take(data: unknown): void {
    if (typeof data !== "string") return this.close("Messages are text.");
    const now = performance.now();
    this.#budget = Math.min(
      AT_ONCE,
      this.#budget + (now - this.#refilled) * RATE / 1000,
    );
    this.#refilled = now;
    if (--this.#budget < 0) return this.close("Too many messages.");
    let message: FromPage;
    try {
      message = readMessage(data);
    } catch (error) {
      const why = error instanceof BadMessage ? error.message : "No message.";
      return this.close(why);
    }
    if (!this.#session) {
      if (message.type !== "join") {
        return this.close("The first message joins.");
      }
      return this.#join(message.run, message.after);
    }
    this.#session.handle(message, (answer) => this.send(answer))
      .catch((error) => {
        const text = error instanceof Error ? error.message : `${error}`;
        this.send({ type: "failed", what: message.type, text });
      });
  }

  #join(run: string | null, after: number): void {
    const session = this.#options.join(this, run);
    this.#session = session;
    clearTimeout(this.#joining);
    this.send(this.#options.welcome(session));
    this.#reader = session.feed.reader(session.id === run ? after : 0);
    this.#unsubscribe = session.feed.subscribe(() => this.#schedule(FRAME_MS));
    this.#schedule(0);
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, ms);
  }

  /** Sends what there is room for. */
  #flush(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const { bufferedAmount } = this.#socket;
    const now = performance.now();
    if (bufferedAmount < this.#buffered || bufferedAmount === 0) {
      this.#moved = now;
    }
    this.#buffered = bufferedAmount;
    if (bufferedAmount > WAITING_BYTES) {
      if (now - this.#moved > SILENT_MS) this.close("This page does not read.");
      else this.#schedule(FRAME_MS);
      return;
    }
    const answer = this.#answers.shift();
    if (answer !== undefined) {
      this.#answersBytes -= answer.length;
      this.#socket.send(answer);
      this.#schedule(this.#answers.length > 0 ? 0 : FRAME_MS);
      return;
    }
    const items = this.#reader?.next();
    if (!items) return;
    this.#socket.send(JSON.stringify({ type: "items", ...items }));
    this.#schedule(FRAME_MS);
  }
}
