/**
 * The WebSocket to the lab. It comes back by itself after a pause, a sleep or a
 * reload, and asks for what was missed.
 *
 * @module
 */
/// <reference lib="dom" />
import type { FromLab, FromPage } from "../messages.ts";

/** `gone`: it has not come back for a while; it is still tried now and then. */
export type ConnectionState = "connecting" | "open" | "gone";

/** The pauses between attempts, in ms; the last one again and again. */
const PAUSES = [200, 400, 800, 1600, 3000, 5000];

/** After so many ms without the lab, it has gone. */
const PATIENCE = 6_000;

/** What the connection tells the page. */
export interface Ends {
  /** The first message of each connection. */
  hello(): FromPage;
  take(message: FromLab): void;
  changed(state: ConnectionState): void;
}

/** A connection that is made again whenever it breaks. */
export class Connection {
  readonly #address: string;
  readonly #ends: Ends;
  #socket: WebSocket | null = null;
  #attempts = 0;
  #lostAt = Date.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = "connecting";

  constructor(address: string, ends: Ends) {
    this.#address = address;
    this.#ends = ends;
    // A laptop that wakes up, or a network that is back: no pause is waited for.
    const hurry = () => {
      if (document.visibilityState === "visible") this.#hurry();
    };
    addEventListener("online", hurry);
    addEventListener("pageshow", hurry);
    document.addEventListener("visibilitychange", hurry);
    this.#open();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** False if the lab cannot be reached: then nothing was sent. */
  send(message: FromPage): boolean {
    if (this.#state !== "open") return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  #open(): void {
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify(this.#ends.hello()));
    };
    socket.onmessage = ({ data }) => {
      if (this.#state !== "open") {
        this.#attempts = 0;
        this.#set("open");
      }
      this.#ends.take(JSON.parse(data));
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      if (this.#state === "open") this.#lostAt = Date.now();
      const isGone = Date.now() - this.#lostAt > PATIENCE;
      this.#set(isGone ? "gone" : "connecting");
      const pause = PAUSES[Math.min(this.#attempts++, PAUSES.length - 1)];
      this.#timer = setTimeout(() => this.#open(), pause);
    };
  }

  #hurry(): void {
    const { readyState = WebSocket.CLOSED } = this.#socket ?? {};
    if (readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.#timer);
    this.#attempts = 0;
    this.#open();
  }

  #set(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#ends.changed(state);
  }
}
