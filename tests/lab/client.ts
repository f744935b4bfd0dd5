/** The lab as a process, and a page of it without a browser. */
import { assert } from "@std/assert";
import { join } from "@std/path";
import type {
  FromLab,
  FromPage,
  Item,
  PageEvent,
  Welcome,
} from "../../launch/lab/messages.ts";
import {
  PATIENCE_MS,
  type Program,
  ROOT,
  start,
  within,
} from "../assertions.ts";

/** A lab that runs. */
export class Lab implements AsyncDisposable {
  /** The process. */
  readonly program: Program;
  /** Its address, with the key. */
  readonly address: string;
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly host: string;
  /** What lets a page in. */
  readonly cookie: string;

  readonly #folder: string;

  private constructor(
    program: Program,
    address: string,
    cookie: string,
    folder: string,
  ) {
    this.#folder = folder;
    this.program = program;
    this.address = address;
    ({ origin: this.origin, host: this.host } = new URL(address));
    this.cookie = cookie;
  }

  /** Starts one on a free port, without a browser. */
  static async start(...args: string[]): Promise<Lab> {
    // What the user has edited stays as it is.
    const folder = `.lab/test-${crypto.randomUUID()}`;
    const program = await start("lab", [
      ...[...args, "--no-open", "--port", "0", "--edits", folder],
    ]);
    return await Lab.of(program, folder);
  }

  /** The one that a program opens; edits are in that folder. */
  static async of(program: Program, folder: string): Promise<Lab> {
    const [, address = ""] = await program.prints(
      /The lab is at (http:\S+\?key=\w+)\n/,
      { ms: 3 * PATIENCE_MS },
    );
    const response = await fetch(address, { redirect: "manual" });
    await response.body?.cancel();
    const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    return new Lab(program, address, cookie, folder);
  }

  /** Asks for something below the lab's address. */
  async get(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.origin}${path}`, {
      redirect: "manual",
      ...init,
      headers: { cookie: this.cookie, ...init.headers },
    });
  }

  /** A WebSocket with the headers of a page, unless there are others. */
  socket(headers: Record<string, string> = {}): WebSocket {
    // The types of browsers, which the page is checked with, know no headers.
    return Reflect.construct(WebSocket, [`ws://${this.host}/lab/ws`, {
      headers: { cookie: this.cookie, origin: this.origin, ...headers },
    }]);
  }

  /** A page that has joined. */
  async page(run: string | null = null, after = 0): Promise<LabPage> {
    const page = new LabPage(this.socket());
    await page.open();
    page.send({ type: "join", run, after });
    await page.until(() => page.welcome, "be welcomed");
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop();
    await Deno.remove(join(ROOT, this.#folder), { recursive: true })
      .catch(() => {}); // nothing was edited
    await Deno.remove(join(ROOT, ".lab")).catch(() => {}); // others' are there
  }
}

/** A page: what it asks for, and all that it was sent. */
export class LabPage implements AsyncDisposable {
  welcome: Welcome | undefined;
  /** All items since the last `run`. */
  items: Item[] = [];
  /** The number of the last item. */
  last = 0;
  /** How many items of events have come. */
  seen = 0;
  /** What was sent besides items. */
  readonly answers: FromLab[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code, reason }) => {
      this.closed = { code, reason };
      for (const check of this.#waiting) check();
    };
    socket.onerror = () => {};
  }

  async open(): Promise<void> {
    await this.until(
      () => this.#socket.readyState === WebSocket.OPEN,
      "be let in",
    );
  }

  send(message: FromPage): void {
    this.#socket.send(JSON.stringify(message));
  }

  sendText(text: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(text);
  }

  /** Waits until `test` returns something. */
  async until<T>(
    test: () => T | undefined | null | false,
    what: string,
    ms: number = 2 * PATIENCE_MS,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = () => {
      const result = test();
      if (result) resolve(result);
      else if (this.closed) {
        reject(new Error(`closed, and did not ${what}: ${this.closed.reason}`));
      }
    };
    this.#waiting.add(check);
    this.#socket.addEventListener("open", check);
    check();
    try {
      return await within(ms, promise, what);
    } catch (error) {
      const last = this.items.slice(-12).map((item) =>
        JSON.stringify(item).slice(0, 200)
      );
      const answers = JSON.stringify(this.answers).slice(-500);
      throw new Error(`${error}\n${last.join("\n")}\n${answers}`);
    } finally {
      this.#waiting.delete(check);
    }
  }

  /** Waits for an item, among those from `from` on. */
  async item<K extends Item["kind"]>(
    kind: K,
    test: (item: Item & { kind: K }) => boolean = () => true,
    from = 0,
  ): Promise<Item & { kind: K }> {
    const isIt = (item: Item): item is Item & { kind: K } =>
      item.kind === kind && test(item as Item & { kind: K });
    return await this.until(
      () => this.items.slice(from).find(isIt),
      `get an item ${kind} ${test}`,
    );
  }

  /** Waits for an event, as it is by then. */
  async event(
    test: (event: PageEvent) => boolean,
    from = 0,
  ): Promise<PageEvent> {
    const item = await this.item("wire", ({ event }) => test(event), from);
    return item.event;
  }

  /** All events, each as it was last told. */
  events(): PageEvent[] {
    const all = new Map<number, PageEvent>();
    for (const item of this.items) {
      if (item.kind === "wire") all.set(item.event.number, item.event);
    }
    return [...all.values()];
  }

  /** Waits for an answer that comes after those that are there. */
  async answer<T extends FromLab["type"]>(
    type: T,
    message: FromPage,
  ): Promise<FromLab & { type: T }> {
    const from = this.answers.length;
    this.send(message);
    const isIt = (answer: FromLab): answer is FromLab & { type: T } =>
      answer.type === type;
    return await this.until(
      () => this.answers.slice(from).find(isIt),
      `get ${type} to ${JSON.stringify(message).slice(0, 200)}`,
    );
  }

  /** Asserts that something is refused, with a line like that. */
  async assertRefused(message: FromPage, line: RegExp): Promise<void> {
    const { text, what } = await this.answer("failed", message);
    assert(what === message.type, what);
    assert(line.test(text), text);
    assert(!text.includes("\n"), text);
  }

  /** Chooses an example; waits until it is. */
  async choose(example: string): Promise<void> {
    this.items = [];
    this.send({ type: "choose", example });
    await this.item("run", (item) => item.example === example);
  }

  /** Starts it; waits until it has begun. */
  async start(
    { edited = [], seed = null }: { edited?: string[]; seed?: number | null } =
      {},
  ): Promise<void> {
    this.items = [];
    this.send({ type: "start", edited, seed });
    await this.item("did", ({ action }) => action === "start");
  }

  /** Chooses and starts. */
  async play(example: string): Promise<void> {
    await this.choose(example);
    await this.start();
  }

  /** Waits until a program is in a state. */
  async state(
    role: string,
    state: string,
    from = 0,
  ): Promise<Item & { kind: "program" }> {
    return await this.item(
      "program",
      (item) => item.role === role && item.state === state,
      from,
    );
  }

  /** Waits for a prompt, and types a line. */
  async answerPrompt(role: string, line: string, from = 0): Promise<void> {
    await this.item(
      "asks",
      (item) => item.role === role && item.prompt !== null,
      from,
    );
    this.send({ type: "type", role, line });
  }

  /** Stops what runs; waits until it is over. */
  async stop(): Promise<void> {
    this.send({ type: "stop" });
    await this.item("over");
  }

  close(): void {
    this.#socket.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    if (this.closed) return;
    await within(
      PATIENCE_MS,
      new Promise((resolve) => this.#socket.addEventListener("close", resolve)),
      "close",
    );
  }

  #take(message: FromLab): void {
    if (message.type === "welcome") this.welcome = message;
    else if (message.type === "items") {
      for (const item of message.items) {
        if (item.kind === "run") this.items = [];
        this.items.push(item);
        if (item.kind === "wire") this.seen++;
      }
      this.last = message.first + message.items.length - 1;
    } else this.answers.push(message);
    for (const check of [...this.#waiting]) check();
  }
}

/** Bytes as messages carry them. */
export function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** The text of an event's bytes. */
export function textOf({ bytes }: PageEvent): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(bytes));
}
