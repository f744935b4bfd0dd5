/**
 * TCP servers for one request and one reply a connection. You write the
 * protocol, that is: what to reply to a request. Three servers bring it to the
 * clients. Copy this file beside your program.
 *
 * | server | protocol | serves |
 * | --- | --- | --- |
 * | {@linkcode Server} | an object | one request, then it is done |
 * | {@linkcode IterativeServer} | an object | one client after the other |
 * | {@linkcode MultithreadedServer} | an object | many clients at a time: for a protocol that replies at once or waits (for a file, another server, a timer) |
 * | {@linkcode MultithreadedServer} | the URL of a module | many clients on all cores: for a protocol that computes |
 *
 * On the wire: a request and a reply are UTF-8 text of up to 1 MiB. A request
 * ends when the client closes its sending side (half-close). One of up to 1,024
 * bytes also ends when nothing follows it for 20 ms, because the Python client
 * does not half-close. A reply ends when the server closes. Line feeds are
 * removed from requests.
 *
 * What goes wrong with one client, or in the protocol, ends that connection
 * without a reply and puts one line on standard error. The server goes on.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { Script } from "node:vm";
import { parentPort, Worker, workerData } from "node:worker_threads";

/** The longest request and the longest reply, in bytes. */
const LONGEST = 1024 * 1024;
/** The longest request that may end by silence, in bytes: Python's one read. */
const LONGEST_OPEN = 1024;
/** How long a client may take to close after the reply, in ms. */
const LINGER = 2_000;
/** How long a thread may take to start, in ms. */
const START = 60_000;

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
   * The address of this machine to listen on. The default, `127.0.0.1`, is what
   * `localhost` means to clients of IPv4; `0.0.0.0` is for all that can reach
   * this machine, and needs `--allow-net=0.0.0.0`.
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
   * A request of up to 1,024 bytes is complete when nothing follows for so many
   * ms: 20 unless told otherwise.
   */
  quiet?: number;
}

/**
 * What the three servers have in common: all but the order in which they serve.
 * To make another kind of server, extend it and say what `serve()` does.
 *
 * ```ts
 * import { BaseServer } from "./server.ts";
 *
 * class LazyServer extends BaseServer {
 *   protected override async serve(
 *     connections: AsyncIterable<Deno.TcpConn>,
 *   ): Promise<void> {
 *     for await (const connection of connections) {
 *       setTimeout(() => this.answer(connection), 500);
 *     }
 *   }
 * }
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
  #pool: ThreadPool | undefined;
  #limits = { timeout: 30_000, quiet: 20 };
  #stopped = Promise.withResolvers<void>();

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
   * promise. Clients that come before the protocol is ready wait.
   *
   * @returns A promise that resolves when the server is done or has been
   * stopped: then its port is free. It rejects with an Error when the server
   * cannot listen ({@linkcode Deno.errors.AddrInUse}, for one), or its module
   * cannot be loaded.
   */
  async listen(options: ListenOptions = {}): Promise<void> {
    const { hostname = "127.0.0.1", signal, timeout = 30_000, quiet = 20 } =
      options;
    if (this.#listener) throw new Error("This server listens already");
    if (signal?.aborted) return;
    const protocol = this.#protocol;
    const pool = protocol instanceof URL || typeof protocol === "string"
      ? new ThreadPool(new URL(protocol).href, timeout)
      : undefined;
    const listener = Deno.listen({ hostname, port: this.#port });
    this.#limits = { timeout, quiet };
    this.#pool = pool;
    this.#listener = listener;
    this.#address = listener.addr;
    this.#stopped = Promise.withResolvers();
    const stop = () => this.close();
    signal?.addEventListener("abort", stop);
    const serve = async () => {
      await pool?.start();
      if (this.#listener !== listener) return; // closed meanwhile
      console.log(`Server is listening to port ${listener.addr.port}`);
      await this.serve(this.#connections(listener));
    };
    try {
      await Promise.race([serve(), this.#stopped.promise]);
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
    this.#stopped.resolve();
    this.#pool?.stop();
    for (const connection of this.#open) connection.close();
    this.#open.clear();
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
   * @returns A promise of whether a request got its reply. It never rejects:
   * what failed stands on standard error.
   */
  protected async answer(connection: Deno.TcpConn): Promise<boolean> {
    const { hostname, port } = connection.remoteAddr;
    const client = `${
      hostname.includes(":") ? `[${hostname}]` : hostname
    }:${port}`;
    const { timeout, quiet } = this.#limits;
    try {
      const request = await readRequest(connection, timeout, quiet);
      console.log(`Received request from ${client}`);
      const reply = await this.#process(request.replaceAll("\n", ""));
      await sendReply(connection, reply, timeout);
      return request !== ""; // otherwise it left without a word
    } catch (error) {
      // Is it still ours? close() ends connections, too.
      if (this.#open.has(connection)) {
        complain(`Cannot answer ${client}`, error);
      }
      return false;
    } finally {
      if (this.#open.delete(connection)) connection.close();
    }
  }

  /** Yields a connection for each client that comes, until it is closed. */
  async *#connections(
    listener: Deno.TcpListener,
  ): AsyncGenerator<Deno.TcpConn, void> {
    while (this.#listener === listener) {
      // accept() fails for a client that has left the queue, and while too many
      // files are open. Either passes: try again.
      const connection = await listener.accept().catch(() => pause(100, null));
      if (!connection) continue;
      if (this.#listener !== listener) return connection.close();
      this.#open.add(connection);
      yield connection;
    }
  }

  async #process(message: string): Promise<string> {
    const protocol = this.#protocol, { timeout } = this.#limits;
    if (typeof protocol === "string" || protocol instanceof URL) {
      return await this.#pool?.process(message) ?? "";
    }
    const replying = replyFrom(() => protocol.processRequest(message));
    return await within(timeout, replying) ?? late(timeout);
  }
}

/**
 * Serves one request, and is done. A client that leaves before it has a reply
 * does not count.
 *
 * ```ts
 * import { Server, ServerProtocol } from "./server.ts";
 *
 * class Shout extends ServerProtocol {
 *   override processRequest(message: string): string {
 *     return message.toUpperCase();
 *   }
 * }
 *
 * const server = new Server(0, new Shout()); // 0: a free port, please
 * const done = server.listen();
 * console.log(`A client finds it on port ${server.address.port}.`);
 * server.close(); // without it, this would wait for that client
 * await done;
 * ```
 */
export class Server extends BaseServer {
  /** Serves one client after the other, until one has got its reply. */
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
  /** Serves one client after the other, for ever. */
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
 * protocol returned. That is the better choice for most protocols, and all
 * requests share one object. But while it computes, all others wait.
 *
 * Given the URL of a module whose default export is a {@linkcode ServerProtocol}
 * class, it runs the protocol in threads, one per core, so that requests that
 * compute do so in parallel. Each thread has an object of its own, made without
 * arguments, and is at one request at a time; the others wait. A thread that
 * ends or has no reply within the timeout costs its request the connection, and
 * is replaced. Deno needs to be allowed to read the module and this file:
 * `--allow-read=.`
 *
 * ```ts
 * import { MultithreadedServer } from "./server.ts";
 *
 * // It begins its protocol with: export default class … extends ServerProtocol
 * const module = import.meta.resolve("./server_main.ts");
 * const server = new MultithreadedServer(0, module);
 * const stopped = server.listen();
 * server.close();
 * await stopped;
 * ```
 */
export class MultithreadedServer
  extends BaseServer<ServerProtocol | URL | string> {
  /** Takes the next client while others are being served. */
  protected override async serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void> {
    for await (const connection of connections) this.answer(connection);
  }
}

/** Reads up to the end of the request. */
async function readRequest(
  connection: Deno.TcpConn,
  timeout: number,
  quiet: number,
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const deadline = performance.now() + timeout;
  const buffer = new Uint8Array(16 * 1024);
  let text = "", size = 0;
  while (true) {
    // Silence ends what a client that does not half-close may have sent. It
    // must end nothing longer: packets may be lost, and come late.
    const mayEnd = size > 0 && size <= LONGEST_OPEN;
    const left = deadline - performance.now();
    const reading = connection.read(buffer);
    const count = await within(mayEnd ? Math.min(quiet, left) : left, reading);
    if (count === undefined && !mayEnd) {
      throw new Error(`no whole request within ${timeout} ms`);
    }
    size += count ?? 0;
    if (size > LONGEST) throw new Error("its request exceeds 1 MiB");
    try {
      // TCP may cut a character in two: the decoder keeps its first part.
      const bytes = buffer.subarray(0, count ?? 0);
      text += decoder.decode(bytes, { stream: Boolean(count) });
    } catch {
      throw new Error("its request is not UTF-8");
    }
    if (!count) return text; // the client half-closed, or is silent
  }
}

/** Sends the reply, and closes so that it arrives. */
async function sendReply(
  connection: Deno.TcpConn,
  reply: string,
  timeout: number,
): Promise<void> {
  const bytes = new TextEncoder().encode(reply);
  if (bytes.length > LONGEST) throw new Error("the reply exceeds 1 MiB");
  const deadline = performance.now() + timeout;
  for (let sent = 0; sent < bytes.length;) {
    const writing = connection.write(bytes.subarray(sent));
    const count = await within(deadline - performance.now(), writing);
    if (!count) throw new Error(`reply not taken in ${timeout} ms`);
    sent += count;
  }
  // Lingering close: say that this was all (FIN), and read on until the client
  // closes, too. If we closed while it still sends, the system would reset the
  // connection (RST), which may destroy the reply on its way.
  await connection.closeWrite();
  const end = performance.now() + LINGER;
  const buffer = new Uint8Array(16 * 1024);
  const read = () => within(end - performance.now(), connection.read(buffer));
  while (await read().catch(() => null));
}

/** What a thread says: a reply ("" when it is loaded), or what went wrong. */
type Report = { reply: string } | { problem: string };

/** Runs the class that a module exports in threads, one per core. */
class ThreadPool {
  readonly #module: string;
  readonly #timeout: number;
  /** All threads, and what each is expected to say next. */
  readonly #threads = new Map<Worker, PromiseWithResolvers<string>>();
  /** Threads that wait for a request, */
  #idle: Worker[] = [];
  /** and requests that wait for a thread. One of both lists is empty. */
  #waiting: ((thread: Worker | Promise<Worker>) => void)[] = [];
  #stopped = false;

  constructor(module: string, timeout: number) {
    this.#module = module;
    this.#timeout = timeout;
  }

  async start(): Promise<void> {
    for (const file of [import.meta.url, this.#module]) {
      // Threads need the permission to read these: ask for it now.
      if (file.startsWith("file:")) Deno.statSync(new URL(file));
    }
    const length = navigator.hardwareConcurrency;
    const starting = Array.from({ length }, () => this.#startThread());
    this.#idle = await Promise.all(starting);
  }

  async process(message: string): Promise<string> {
    const thread = this.#idle.pop() ??
      (this.#threads.size < navigator.hardwareConcurrency
        ? await this.#startThread() // one has ended
        : await new Promise<Worker>((resolve) => this.#waiting.push(resolve)));
    thread.postMessage(message);
    try {
      return await this.#reportOf(thread);
    } finally {
      const next = this.#threads.has(thread) && this.#waiting.shift();
      if (next) next(thread);
      else if (this.#threads.has(thread)) this.#idle.push(thread);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    for (const thread of this.#threads.keys()) thread.terminate();
  }

  /** Resolves when the thread has loaded the protocol. */
  async #startThread(): Promise<Worker> {
    if (this.#stopped) throw new Error("the server is stopped");
    const thread = new Worker(new URL(import.meta.url), {
      workerData: { protocolModule: this.#module, timeout: this.#timeout },
      env: {}, // it needs none, and would ask for the permission
    });
    const fail = (error: unknown) => this.#threads.get(thread)?.reject(error);
    thread.on("message", (report: Report) => {
      if ("problem" in report) fail(new Error(report.problem));
      else this.#threads.get(thread)?.resolve(report.reply);
    });
    thread.on("error", fail);
    thread.on("exit", () => {
      fail(new Error("its thread ended"));
      this.#threads.delete(thread);
      this.#idle = this.#idle.filter((other) => other !== thread);
      this.#waiting.shift()?.(this.#startThread());
    });
    try {
      await this.#reportOf(thread, START);
      return thread;
    } catch (error) {
      await thread.terminate();
      throw error;
    }
  }

  /** Waits for what the thread says next, and ends it when that is late. */
  async #reportOf(thread: Worker, ms = this.#timeout): Promise<string> {
    const report = Promise.withResolvers<string>();
    this.#threads.set(thread, report);
    const reply = await within(ms, report.promise);
    if (reply === undefined) await thread.terminate();
    return reply ?? late(ms);
  }
}

/** What a thread does: waits for requests, and says what the protocol replies. */
async function runThread(module: string, timeout: number): Promise<void> {
  const report = (report: Report) => parentPort?.postMessage(report);
  const end = (event: Event, error: unknown) => {
    event.preventDefault(); // one line instead of a stack trace
    complain("A thread ends", error);
    Deno.exit(1);
  };
  addEventListener("error", (event) => end(event, event.error));
  addEventListener("unhandledrejection", (event) => end(event, event.reason));
  try {
    const { default: Protocol } = await import(module);
    if (typeof Protocol !== "function") {
      throw new TypeError("its default export is not a class");
    }
    const protocol: ServerProtocol = new Protocol();
    // terminate() does not end a loop that never pauses (seen with Deno 2.9).
    // A time limit of node:vm does. By then, this thread has been replaced.
    const script = new Script("globalThis.callProtocol()");
    const limit = { timeout: timeout + 500 };
    parentPort?.on("message", (message: string) => {
      const callProtocol = () => protocol.processRequest(message);
      Object.assign(globalThis, { callProtocol });
      replyFrom(() => script.runInThisContext(limit)).then(
        (reply) => report({ reply }),
        (error) => report({ problem: messageOf(error) }),
      );
    });
    report({ reply: "" });
  } catch (error) {
    report({ problem: `Cannot load ${module}: ${messageOf(error)}` });
  }
}

/** What the protocol replies. An Error says it when it did not reply well. */
async function replyFrom(
  processRequest: () => string | Promise<string>,
): Promise<string> {
  try {
    const reply: unknown = await processRequest();
    if (typeof reply === "string") return reply;
  } catch (thrown) {
    const stack = thrown instanceof Error ? thrown.stack ?? "" : "";
    const [, place = "somewhere"] = /\n\s+(at .+)/.exec(stack) ?? [];
    throw new Error(`the protocol threw ${thrown} (${place})`);
  }
  throw new Error("the protocol's reply is not a string");
}

function late(timeout: number): never {
  throw new Error(`the protocol gave no reply within ${timeout} ms`);
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

/** One line on standard error, and nothing in it commands the terminal. */
function complain(what: string, error: unknown): void {
  const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
  const why = messageOf(error).slice(0, 1000).replace(control, "\uFFFD");
  console.error(`${what}: ${why}.`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main && workerData?.protocolModule) {
  runThread(workerData.protocolModule, workerData.timeout);
}
