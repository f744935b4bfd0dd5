/**
 * TCP servers for one request and one reply a connection. You write the
 * protocol, that is: what to reply to a request; three servers bring it to the
 * clients. Copy this file beside your program:
 *
 * ```ts
 * import { IterativeServer, ServerProtocol } from "./server.ts";
 *
 * class Shout extends ServerProtocol {
 *   override processRequest(message: string): string {
 *     return message.toUpperCase();
 *   }
 * }
 *
 * const server = new IterativeServer(0, new Shout()); // 0: a free port, please
 * const stopped = server.listen();
 * console.log(`Clients find it on port ${server.address.port}.`);
 *
 * server.close(); // without it, the server would go on for ever
 * await stopped;
 * ```
 *
 * Which server?
 *
 * | server | protocol | serves |
 * | --- | --- | --- |
 * | {@linkcode Server} | an object | one request, then it is done |
 * | {@linkcode IterativeServer} | an object | one client after the other |
 * | {@linkcode MultithreadedServer} | an object | many clients at a time: for a protocol that replies at once or waits (for a file, another server, a timer) |
 * | {@linkcode MultithreadedServer} | the URL of a module | many clients on all cores: for a protocol that computes |
 *
 * On the wire: a request and a reply are UTF-8 text of up to 1 MiB. A request
 * ends when the client closes its sending side (half-close), or when nothing
 * follows it for 20 ms; a reply ends when the server closes. Line feeds are
 * removed from requests.
 *
 * What goes wrong with one client, or in the protocol, ends that connection
 * without a reply and puts one line on standard error; the server goes on.
 *
 * A program needs `--allow-net=127.0.0.1`, and `--allow-read` of the folder
 * with this file and its own for a protocol that runs in threads.
 *
 * @module
 */
import { Script } from "node:vm";
import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from "node:worker_threads";

/** The longest request and the longest reply, in bytes. */
const LONGEST = 1024 * 1024;
/** How long the rest of a character may take, in ms. */
const REST_OF_CHARACTER = 5_000;
/** How long a client may take to close after the reply, in ms. */
const GOODBYE = 2_000;
/** With so many connections open, further ones wait in the system's queue. */
const CROWDED = 10_000;
/** How much a thread may keep in memory, in MiB. */
const THREAD_MEMORY = 1024;

/**
 * What a server replies. Write a class that extends this one.
 *
 * ```ts
 * import { ServerProtocol } from "./server.ts";
 *
 * class Clock extends ServerProtocol {
 *   override processRequest(_message: string): string {
 *     return new Date().toISOString();
 *   }
 * }
 *
 * console.log(new Clock().processRequest(""));
 * ```
 */
export abstract class ServerProtocol {
  /**
   * Turns a request into its reply, or into a promise of it. When it throws, or
   * the promise rejects, the client is left without a reply.
   *
   * @param message The request without its line feeds, up to 1 MiB.
   * @returns The reply: up to 1 MiB, counted as UTF-8.
   */
  abstract processRequest(message: string): string | Promise<string>;
}

/** How to listen; all of it is optional. */
export interface ListenOptions {
  /**
   * The address of this machine to listen on. The default, `127.0.0.1`
   * (localhost), is for clients on this machine; `0.0.0.0` is for all that can
   * reach it, and needs `--allow-net=0.0.0.0`.
   */
  hostname?: string;
  /** Stops the server when it aborts, as {@linkcode BaseServer.close} does. */
  signal?: AbortSignal;
  /**
   * The longest that a client may take for its whole request, the protocol for
   * its reply, and the client for taking the reply: each so many ms, 30,000
   * unless told otherwise.
   */
  timeout?: number;
  /**
   * A request that the client does not end by closing its sending side is
   * complete when nothing follows for so many ms: 20 unless told otherwise.
   * Clients on a slow network may need more.
   */
  quiet?: number;
}

/**
 * What the three servers have in common: all but the order in which they serve.
 * To make another kind of server, extend it and say what `serve()` does.
 *
 * ```ts
 * import { BaseServer, ServerProtocol } from "./server.ts";
 *
 * class ThreeRequestsServer extends BaseServer {
 *   protected override async serve(
 *     connections: AsyncIterable<Deno.TcpConn>,
 *   ): Promise<void> {
 *     let replies = 0;
 *     for await (const connection of connections) {
 *       if (await this.answer(connection)) replies++;
 *       if (replies === 3) return;
 *     }
 *   }
 * }
 *
 * class Yes extends ServerProtocol {
 *   override processRequest(): string {
 *     return "yes";
 *   }
 * }
 *
 * await new ThreeRequestsServer(0, new Yes()).listen({
 *   signal: AbortSignal.abort(), // enough of an example
 * });
 * ```
 */
export abstract class BaseServer<
  Protocol extends ServerProtocol | URL | string = ServerProtocol,
> {
  readonly #port: number;
  readonly #protocol: Protocol;
  readonly #open = new Set<Deno.TcpConn>();
  #listener: Deno.TcpListener | undefined;
  #address: Deno.NetAddr | undefined;
  #engine: Engine | undefined;
  #limits = { timeout: 30_000, quiet: 20 };
  #closed = Promise.withResolvers<void>();

  /** A server on port 1234. */
  constructor(protocol: Protocol);
  /** A server on that port; on port 0, the system chooses a free one. */
  constructor(port: number, protocol: Protocol);
  constructor(...args: [Protocol] | [number, Protocol]) {
    const [port, protocol] = args.length === 1
      ? [1234, ...args] as const
      : args;
    this.#port = port;
    this.#protocol = protocol;
  }

  /**
   * Where the server listens, from the call of {@linkcode BaseServer.listen} on;
   * its `port` tells what the system chose for port 0. Throws an Error before.
   */
  get address(): Deno.NetAddr {
    if (this.#address) return this.#address;
    throw new Error("This server has no address before it listens");
  }

  /**
   * Listens and serves. The address is taken by the time this returns its
   * promise; clients that come before the protocol is ready wait.
   *
   * @returns A promise that resolves when the server is done or has been
   * stopped: then its port is free and nothing of it runs. It rejects with an
   * Error when the server cannot listen, or its module cannot be loaded.
   */
  async listen(options: ListenOptions = {}): Promise<void> {
    const { hostname = "127.0.0.1", signal, timeout = 30_000, quiet = 20 } =
      options;
    if (this.#listener) throw new Error("This server listens already");
    if (signal?.aborted) return;
    const engine = engineFor(this.#protocol, timeout);
    const listener = claim(hostname, this.#port);
    this.#engine = engine;
    this.#listener = listener;
    this.#address = listener.addr;
    this.#limits = { timeout, quiet };
    const stop = () => this.close();
    signal?.addEventListener("abort", stop);
    try {
      await engine.start();
      if (this.#listener !== listener) return; // closed meanwhile
      console.log(`Server is listening to port ${listener.addr.port}`);
      await this.serve(this.#connections(listener));
      while (this.#open.size > 0) await this.#closed.promise;
    } catch (error) {
      if (this.#listener === listener) throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      if (this.#listener === listener) this.close();
    }
  }

  /**
   * Stops the server at once: frees the port, ends all connections and threads.
   * Does nothing when it does not listen.
   */
  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.#engine?.stop();
    for (const connection of [...this.#open]) this.#close(connection);
  }

  /**
   * Serves connections until it has enough of them, or there are no more since
   * the server is closed. This is where the servers differ.
   */
  protected abstract serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void>;

  /**
   * Serves one connection: reads the request, sends the reply, closes.
   *
   * @returns A promise of whether the client was there to take its reply (if
   * neither said a word, it is taken for gone). It never rejects: failures are
   * reported on standard error.
   */
  protected async answer(connection: Deno.TcpConn): Promise<boolean> {
    const { hostname, port } = connection.remoteAddr;
    const exchange = new Exchange(connection, this.#limits);
    try {
      const request = await exchange.request();
      console.log(`Received request from ${hostname}:${port}`);
      const message = request.replaceAll("\n", "");
      const reply = await this.#engine?.process(message) ?? "";
      await exchange.reply(reply);
      // Whoever waits for the goodbye, it is not the next client.
      exchange.goodbye().finally(() => this.#close(connection));
      return request !== "" || reply !== "";
    } catch (error) {
      const served = this.#open.has(connection); // and not closed by close()
      if (served) complain(`Cannot answer ${hostname}:${port}`, error);
      this.#close(connection);
      return false;
    }
  }

  /** Yields a connection for each client that comes, until it is closed. */
  async *#connections(
    listener: Deno.TcpListener,
  ): AsyncGenerator<Deno.TcpConn, void> {
    while (this.#listener === listener) {
      const connection = await listener.accept().catch(() => null);
      if (this.#listener !== listener) return connection?.close();
      if (connection) {
        this.#open.add(connection);
        yield connection;
        if (this.#open.size >= CROWDED) await this.#closed.promise;
      } else {
        // A client left before its turn; or too many files are open, and it
        // helps to wait until some connections have closed.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  #close(connection: Deno.TcpConn): void {
    if (!this.#open.delete(connection)) return;
    connection.close();
    this.#closed.resolve();
    this.#closed = Promise.withResolvers();
  }
}

/**
 * Serves one request, and is done. A client that leaves before it has a reply
 * does not count.
 *
 * ```ts
 * import { Server, ServerProtocol } from "./server.ts";
 * import { Client, ClientProtocol } from "./client.ts";
 *
 * class Hello extends ServerProtocol {
 *   override processRequest(message: string): string {
 *     return `Hello ${message}!`;
 *   }
 * }
 *
 * class Introduction extends ClientProtocol {
 *   override prepareRequest(): string {
 *     return "Ada";
 *   }
 *   override processReply(message: string): void {
 *     console.log(message); // Hello Ada!
 *   }
 * }
 *
 * const server = new Server(0, new Hello()); // new Server(new Hello()): port 1234
 * const done = server.listen();
 * await new Client(server.address.port, new Introduction()).open();
 * await done;
 * ```
 */
export class Server extends BaseServer {
  /** Waits for a client that takes a reply. */
  protected override async serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void> {
    for await (const connection of connections) {
      if (await this.answer(connection)) return;
    }
  }
}

/**
 * Serves one client after the other, until it is stopped. The next one waits
 * meanwhile, also for a client that is silent or a protocol that is slow: up to
 * the timeout.
 *
 * ```ts
 * import { IterativeServer, ServerProtocol } from "./server.ts";
 *
 * class Counter extends ServerProtocol {
 *   #count = 0;
 *   override processRequest(): string {
 *     return `You are number ${++this.#count}.`;
 *   }
 * }
 *
 * const server = new IterativeServer(0, new Counter());
 * const stop = new AbortController();
 * const stopped = server.listen({ signal: stop.signal });
 * stop.abort(); // when you have seen enough
 * await stopped;
 * ```
 */
export class IterativeServer extends BaseServer {
  /** Waits for each before it takes the next. */
  protected override async serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void> {
    for await (const connection of connections) await this.answer(connection);
  }
}

/**
 * Serves many clients at a time, until it is stopped.
 *
 * Given a protocol object, it serves them all in this thread, and goes on with
 * another one whenever one has to wait: for its bytes, or for a promise that the
 * protocol returned. That is the better choice for most protocols: nothing is
 * faster for a reply that takes no thought, and all requests share one object,
 * with its fields. But while it computes, all others wait.
 *
 * Given the URL of a module whose default export is a {@linkcode ServerProtocol}
 * class, it runs the protocol in threads, one per core, so that requests that
 * compute do so in parallel. Each thread has an object of its own, and handles
 * one request at a time; the others wait for a free thread. A thread that
 * crashes, keeps more than 1 GiB or has no reply within the timeout costs its
 * request the connection, and is replaced. The constructor of the class takes
 * no arguments. Deno needs to be allowed to read the module and this file:
 * `--allow-read=.`
 *
 * ```ts
 * import { MultithreadedServer } from "./server.ts";
 *
 * // It begins its protocol with: export default class … extends ServerProtocol
 * const module = import.meta.resolve("./server_main.ts");
 * const server = new MultithreadedServer(0, module);
 * const stopped = server.listen();
 * console.log(`Clients find it on port ${server.address.port}.`);
 *
 * server.close();
 * await stopped;
 * ```
 */
export class MultithreadedServer
  extends BaseServer<ServerProtocol | URL | string> {
  /** Takes the next while others are being served. */
  protected override async serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void> {
    for await (const connection of connections) this.answer(connection);
  }
}

/** Takes the address, so that clients can connect from now on. */
function claim(hostname: string, port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port, tcpBacklog: 4096 });
  } catch (cause) {
    const advice = cause instanceof Deno.errors.AddrInUse
      ? ". Stop the program that uses it, or choose another port."
      : "";
    const why = `${messageOf(cause)}${advice}`;
    throw new Error(`Cannot listen on ${hostname}:${port}: ${why}`, { cause });
  }
}

/** One request and one reply on a connection. */
class Exchange {
  readonly #connection: Deno.TcpConn;
  readonly #timeout: number;
  readonly #quiet: number;
  readonly #chunk = new Uint8Array(16 * 1024);
  /** The read that is under way; it cannot be taken back. */
  #reading: Promise<number | null> | undefined;
  /** Whether the client has closed its sending side. */
  #ended = false;

  constructor(
    connection: Deno.TcpConn,
    { timeout, quiet }: { timeout: number; quiet: number },
  ) {
    this.#connection = connection;
    this.#timeout = timeout;
    this.#quiet = quiet;
  }

  /** Reads up to the end of the request. */
  async request(): Promise<string> {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const deadline = performance.now() + this.#timeout;
    let text = "", size = 0, cut = 0;
    while (true) {
      const left = deadline - performance.now();
      const wait = size === 0 ? left : cut ? REST_OF_CHARACTER : this.#quiet;
      const count = await within(Math.min(wait, left), this.#read());
      if (
        count === undefined && (size === 0 || performance.now() >= deadline)
      ) {
        throw new Error(`no request within ${this.#timeout} ms`);
      }
      if (!count) return text + decode(decoder); // the client closed, or paused
      const bytes = this.#chunk.subarray(0, count);
      const piece = decode(decoder, bytes);
      text += piece;
      size += count;
      if (size > LONGEST) throw new Error("its request exceeds 1 MiB");
      // The decoder keeps the bytes of a character whose rest is to come.
      cut += count - new TextEncoder().encode(piece).length;
    }
  }

  /** Sends all of the reply; and that this was all (FIN), if we stay. */
  async reply(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > LONGEST) throw new Error("the reply exceeds 1 MiB");
    const deadline = performance.now() + this.#timeout;
    for (let sent = 0; sent < bytes.length;) {
      const writing = this.#connection.write(bytes.subarray(sent));
      const count = await within(deadline - performance.now(), writing);
      if (!count) throw new Error(`reply not taken in ${this.#timeout} ms`);
      sent += count;
    }
    // Writing nothing fails if the client answered our bytes with a reset, as
    // its system does when it has gone without a word.
    if (this.#ended) await this.#connection.write(new Uint8Array());
    else await this.#connection.closeWrite();
  }

  /**
   * Waits until the client closes, too: if more of it arrived at a closed
   * connection, its system would be told so (RST), and forget our reply.
   */
  async goodbye(): Promise<void> {
    const deadline = performance.now() + GOODBYE;
    let count: number | undefined | null = 1;
    while (!this.#ended && count) {
      const left = deadline - performance.now();
      count = await within(left, this.#read()).catch(() => null);
    }
  }

  /** How many bytes are in `#chunk`; null when the client closed its side. */
  async #read(): Promise<number | null> {
    this.#reading ??= this.#connection.read(this.#chunk);
    const count = await this.#reading;
    this.#reading = undefined;
    this.#ended = count === null;
    return count;
  }
}

/** Where a protocol runs. */
interface Engine {
  start(): Promise<void>;
  /** Rejects when there is no reply in time. */
  process(message: string): Promise<string>;
  stop(): void;
}

function engineFor(
  protocol: ServerProtocol | URL | string,
  timeout: number,
): Engine {
  if (protocol instanceof URL) return new ThreadPool(protocol.href, timeout);
  if (typeof protocol !== "string") return new EventLoop(protocol, timeout);
  if (URL.canParse(protocol)) return new ThreadPool(protocol, timeout);
  throw new TypeError(
    `"${protocol}" is not the URL of a module; import.meta.resolve() makes one`,
  );
}

/** Runs a protocol object in this thread. */
class EventLoop implements Engine {
  readonly #protocol: ServerProtocol;
  readonly #timeout: number;

  constructor(protocol: ServerProtocol, timeout: number) {
    this.#protocol = protocol;
    this.#timeout = timeout;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async process(message: string): Promise<string> {
    const replying = replyFrom(() => this.#protocol.processRequest(message));
    const reply = await within(this.#timeout, replying);
    if (reply === undefined) throw late(this.#timeout);
    return reply;
  }

  stop(): void {}
}

/** A request that waits for a thread. */
interface Task {
  message: string;
  resolve(reply: string | Promise<string>): void;
}

/** Runs the class that a module exports in threads, one per core. */
class ThreadPool implements Engine {
  readonly #module: string;
  readonly #timeout: number;
  readonly #threads = new Set<Thread>();
  /** Requests that wait for a thread, */
  readonly #tasks: Task[] = [];
  /** and threads that wait for a request. One of both lists is empty. */
  readonly #idle: ((task: Task) => void)[] = [];
  #stopped = false;

  constructor(module: string, timeout: number) {
    this.#module = module;
    this.#timeout = timeout;
  }

  async start(): Promise<void> {
    for (const file of [import.meta.url, this.#module].map((f) => new URL(f))) {
      if (file.protocol !== "file:") continue;
      const permission = { name: "read", path: file } as const;
      const { state } = await Deno.permissions.request(permission);
      if (state !== "granted") {
        const advice = "Run again with --allow-read=. (the folder it is in).";
        throw new Error(`Cannot load ${file} into threads. ${advice}`);
      }
    }
    const count = navigator.hardwareConcurrency;
    const threads = Array.from({ length: count }, () => this.#hire());
    await Promise.all(threads.map((thread) => thread.loaded));
    for (const thread of threads) this.#work(thread);
  }

  process(message: string): Promise<string> {
    return new Promise((resolve) => {
      const task = { message, resolve };
      const thread = this.#idle.pop();
      if (thread) thread(task);
      else this.#tasks.push(task);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const thread of this.#threads) thread.end(new Error("stopped"));
  }

  /** Gives requests to a thread, one by one; replaces it when it has ended. */
  async #work(thread: Thread): Promise<void> {
    while (!this.#stopped) {
      const task = this.#tasks.shift() ??
        await new Promise<Task>((resolve) => this.#idle.push(resolve));
      if (thread.ended) thread = this.#hire();
      const reply = thread.process(task.message);
      task.resolve(reply);
      await reply.catch(() => {}); // reported by who gave us the task
      if (thread.ended && !this.#stopped) thread = this.#hire();
    }
  }

  #hire(): Thread {
    const thread = new Thread(this.#module, this.#timeout, () => {
      this.#threads.delete(thread);
    });
    this.#threads.add(thread);
    return thread;
  }
}

/** What a thread tells: a reply ("" when it is loaded), or what went wrong. */
type Report = { reply: string } | { problem: string; fatal: boolean };

/** A thread, as seen from the main thread: it runs {@linkcode runThread}. */
class Thread {
  /** Whether it crashed, was stuck, or has been stopped. */
  ended = false;
  /** Resolves when it can process requests. */
  readonly loaded: Promise<string>;
  readonly #worker: Worker;
  readonly #timeout: number;
  readonly #onEnd: () => void;
  #expected: PromiseWithResolvers<string> | undefined;

  constructor(module: string, timeout: number, onEnd: () => void) {
    this.#timeout = timeout;
    this.#onEnd = onEnd;
    this.#worker = new Worker(new URL(import.meta.url), {
      workerData: { protocolModule: module, timeout },
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEMORY },
    });
    this.#worker.on("message", (report: Report) => {
      if ("reply" in report) return this.#expected?.resolve(report.reply);
      const error = new Error(report.problem);
      if (!this.#expected) complain("A thread ended", error);
      if (report.fatal) this.end(error);
      else this.#expected?.reject(error);
    });
    this.#worker.on("error", (error) => this.end(error));
    this.#worker.on("exit", () => this.end(new Error("its thread ended")));
    this.loaded = this.#report();
    this.loaded.catch(() => {}); // whoever uses the thread is told
  }

  async process(message: string): Promise<string> {
    await this.loaded;
    this.#worker.postMessage(message);
    return await this.#report();
  }

  /** Ends it; the request that it is at fails with this error. */
  end(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.#expected?.reject(error);
    this.#worker.terminate();
    this.#onEnd();
  }

  /** Waits for what the thread tells next, and ends it when that is late. */
  async #report(): Promise<string> {
    const expected = Promise.withResolvers<string>();
    this.#expected = expected;
    const reply = await within(this.#timeout, expected.promise)
      .finally(() => this.#expected = undefined);
    if (reply !== undefined) return reply;
    const error = late(this.#timeout);
    this.end(error);
    throw error;
  }
}

/** What is asked of a thread when it starts. */
interface ThreadOptions {
  protocolModule: string;
  timeout: number;
}

/** What a thread does: waits for requests, and posts what the protocol says. */
async function runThread({ protocolModule, timeout }: ThreadOptions) {
  const report = (report: Report) => parentPort?.postMessage(report);
  const fail = (problem: string) => report({ problem, fatal: true });
  addEventListener("error", (event) => {
    event.preventDefault();
    fail(`the protocol threw ${describe(event.error)}`);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(`the protocol rejected ${describe(event.reason)}`);
  });
  try {
    const protocol = await load(protocolModule);
    // terminate() does not end a loop that never pauses (seen with Deno 2.9);
    // the time limit of node:vm does, for a script that calls the protocol.
    const call = Symbol.for("processRequest");
    const script = new Script("globalThis[Symbol.for('processRequest')]()");
    parentPort?.on("message", (message: string) => {
      const processRequest = () => protocol.processRequest(message);
      Object.assign(globalThis, { [call]: processRequest });
      replyFrom(() => script.runInThisContext({ timeout })).then(
        (reply) => report({ reply }),
        (error) =>
          stuck(error)
            ? fail(late(timeout).message)
            : report({ problem: messageOf(error), fatal: false }),
      );
    });
    report({ reply: "" });
  } catch (error) {
    fail(`Cannot load ${protocolModule}: ${describe(error)}`);
  }
}

async function load(module: string): Promise<ServerProtocol> {
  const { default: Protocol } = await import(module);
  if (typeof Protocol !== "function") {
    throw new TypeError("its default export is not a class");
  }
  return new Protocol();
}

/** What the protocol replies; an Error says it when it did not reply well. */
async function replyFrom(
  processRequest: () => string | Promise<string>,
): Promise<string> {
  let reply: unknown;
  try {
    reply = await processRequest();
  } catch (error) {
    throw new Error(`the protocol threw ${describe(error)}`, { cause: error });
  }
  if (typeof reply === "string") return reply;
  throw new Error("the protocol's reply is not a string");
}

/** Whether node:vm ended the protocol, because its time was up. */
function stuck(error: Error): boolean {
  const { cause } = error;
  return cause instanceof Error && "code" in cause &&
    cause.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}

/** Describes what was thrown, and where, in one line. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return Deno.inspect(thrown);
  const [, place] = /\n\s+(at .+)/.exec(thrown.stack ?? "") ?? [];
  return `${thrown.name}: ${thrown.message}${place ? ` (${place})` : ""}`;
}

function late(timeout: number): Error {
  return new Error(`the protocol gave no reply within ${timeout} ms`);
}

/** Decodes bytes, or the end of the text if there are none. */
function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch {
    throw new Error("its request is not UTF-8");
  }
}

/** What the promise gives; undefined when it takes longer than `ms`. */
async function within<T>(
  ms: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  // When this program was busy meanwhile, bytes that came in time may still be
  // unread. So the time is up only after another turn of the event loop.
  let timer = setTimeout(() => timer = setTimeout(resolve, 1, undefined), ms);
  return await Promise.race([promise, timeout])
    .finally(() => clearTimeout(timer));
}

/** One line on standard error, whatever is in the message. */
function complain(what: string, error: unknown): void {
  const why = messageOf(error).replaceAll(/\p{Cc}+/gu, " ");
  console.error(`${what}: ${why.slice(0, 1000)}.`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main && !isMainThread && workerData?.protocolModule) {
  runThread(workerData);
}
