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
 * ```ts
 * import { IterativeServer, ServerProtocol } from "./server.ts";
 *
 * class Shout extends ServerProtocol {
 *   override processRequest(message: string): string {
 *     return message.toUpperCase();
 *   }
 * }
 *
 * const server = new IterativeServer(0, new Shout()); // 0: any free port
 * const stopped = server.listen();
 * server.close(); // without it, this would serve until Ctrl-C
 * await stopped;
 * ```
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, Worker, workerData } from "node:worker_threads";

/** The longest request and the longest reply, in bytes. */
const LONGEST = 1024 * 1024;
/** The longest request that may end by silence, in bytes: Python's one read. */
const LONGEST_OPEN = 1024;
/** How long a client may take to close after the reply, in ms. */
const LINGER = 2_000;
/** How long a thread may take to start, in ms. */
const START = 60_000;

/** What a server replies. Write a class that extends this one. */
export abstract class ServerProtocol {
  /**
   * Turns a request (without its line feeds, up to 1 MiB) into its reply (up to 1
   * MiB as UTF-8), or into a promise of it. When it throws, or the promise rejects,
   * the client is left without a reply.
   */
  abstract processRequest(message: string): string | Promise<string>;
}

/** How to listen; all of it is optional. */
export interface ListenOptions {
  /**
   * The address of this machine to listen on: `127.0.0.1` (localhost) unless told
   * otherwise; `0.0.0.0` is for all that can reach this machine.
   */
  hostname?: string;
  /** Stops the server when it aborts, as {@linkcode BaseServer.close} does. */
  signal?: AbortSignal;
  /**
   * How long a client may take for its request, the protocol for its reply, and
   * the client for taking it: each so many ms, 30,000 unless told otherwise.
   */
  timeout?: number;
  /** How long silence is that ends a short request, in ms: 20 by default. */
  quiet?: number;
}

/**
 * What the three servers have in common: all but the order in which they serve.
 * To make another kind of server, extend it and say what `serve()` does.
 */
export abstract class BaseServer<
  Protocol extends ServerProtocol | URL | string = ServerProtocol,
> {
  readonly #port: number;
  readonly #protocol: Protocol;
  readonly #open = new Set<Deno.TcpConn>();
  #listener: Deno.TcpListener | undefined; // while it listens
  #pool: ThreadPool | undefined;
  #limits = { timeout: 30_000, quiet: 20 };
  #stopped = Promise.withResolvers<void>();

  /** A server on port 1234. */
  constructor(protocol: Protocol);
  /** A server on that port; on port 0, the system chooses a free one. */
  constructor(port: number, protocol: Protocol);
  constructor(...args: [Protocol] | [number, Protocol]) {
    const [port, protocol] = args.length === 2 ? args : [1234, ...args];
    this.#port = port;
    this.#protocol = protocol;
  }

  /**
   * Where the server listens; its `port` tells what the system chose for port 0.
   * Throws an Error unless the server listens.
   */
  get address(): Deno.NetAddr {
    if (this.#listener) return this.#listener.addr;
    throw new Error("This server has no address before it listens");
  }

  /**
   * Listens and serves. Clients that come before the protocol is ready wait.
   *
   * @returns A promise that resolves when the server is done or was stopped: then
   * its port is free. It rejects with an Error when the server cannot listen
   * ({@linkcode Deno.errors.AddrInUse}, for one), or its module cannot be loaded.
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
    this.#listener = listener;
    this.#pool = pool;
    this.#limits = { timeout, quiet };
    this.#stopped = Promise.withResolvers();
    const stop = () => this.close();
    signal?.addEventListener("abort", stop);
    const serve = async () => {
      if (pool) await pool.start();
      console.log(`Server is listening to port ${listener.addr.port}`);
      await this.serve(this.#connections(listener));
    };
    try {
      await Promise.race([serve(), this.#stopped.promise]);
    } finally {
      signal?.removeEventListener("abort", stop);
      if (this.#listener === listener) this.close();
      await pause(0); // accept() lets go of the port only then
    }
  }

  /** Stops the server at once: ends its connections and threads, frees its port. */
  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.#pool?.stop();
    this.#pool = undefined;
    for (const connection of this.#open) connection.close();
    this.#open.clear();
    this.#stopped.resolve();
  }

  /** Serves connections, until there are enough of them. Here servers differ. */
  protected abstract serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void>;

  /**
   * Serves one connection: reads the request, sends the reply, closes. Resolves
   * to whether a request got its reply; what failed stands on standard error.
   */
  protected async answer(connection: Deno.TcpConn): Promise<boolean> {
    const { hostname, port } = connection.remoteAddr;
    const client = `${hostname.replace(/.*:.*/, "[$&]")}:${port}`; // [::1]:1234
    const { timeout, quiet } = this.#limits;
    try {
      const request = await readRequest(connection, timeout, quiet);
      console.log(`Received request from ${client}`);
      const reply = await this.#process(request.replaceAll("\n", ""));
      await sendReply(connection, reply, timeout);
      return request !== ""; // otherwise it left without a word
    } catch (error) {
      // Is it still ours? close() ends connections, too.
      if (this.#open.has(connection)) complain(client, error);
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
    if (protocol instanceof URL || typeof protocol === "string") {
      return await this.#pool?.process(message) ?? "";
    }
    const replying = replyFrom(() => protocol.processRequest(message));
    return await within(timeout, replying) ?? late(timeout);
  }
}

/** Serves one request. A client that leaves before its reply does not count. */
export class Server extends BaseServer {
  /** Ends after a reply. */
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
 * meanwhile, also for a client that is silent or a protocol that is slow.
 */
export class IterativeServer extends BaseServer {
  /** Takes one after the other. */
  protected override async serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void> {
    for await (const connection of connections) {
      await this.answer(connection);
    }
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
 * arguments, and is at one request at a time. A thread that ends or has no reply
 * within the timeout costs its request the connection, and is replaced. Deno
 * needs the permission to read the module and this file: `--allow-read=.`
 */
export class MultithreadedServer
  extends BaseServer<ServerProtocol | URL | string> {
  /** Takes all that come. */
  protected override async serve(
    connections: AsyncIterable<Deno.TcpConn>,
  ): Promise<void> {
    for await (const connection of connections) {
      this.answer(connection); // nobody waits: on to the next one
    }
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

/** Runs the class that a module exports in threads, one per core. */
class ThreadPool {
  readonly #threads: Thread[];
  /** Threads without a request, and requests without a thread: one is empty. */
  #idle: Thread[];
  #waiting: ((thread: Thread) => void)[] = [];

  constructor(module: string, timeout: number) {
    for (const file of [import.meta.url, module]) {
      // Threads need the permission to read these: ask for it now.
      if (file.startsWith("file:")) Deno.statSync(new URL(file));
    }
    const length = navigator.hardwareConcurrency;
    this.#threads = Array.from({ length }, () => new Thread(module, timeout));
    this.#idle = [...this.#threads];
  }

  async start(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.start()));
  }

  async process(message: string): Promise<string> {
    const thread = this.#idle.pop() ??
      await new Promise<Thread>((resolve) => this.#waiting.push(resolve));
    try {
      return await thread.process(message);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(thread);
      else this.#idle.push(thread);
    }
  }

  stop(): void {
    this.#waiting = [];
    for (const thread of this.#threads) thread.end();
  }
}

/** What a thread says: a reply ("" when it is loaded), or what went wrong. */
type Report = { reply: string } | { problem: string };

/** A thread that is at one request at a time; when it has ended, it starts anew. */
class Thread {
  #worker: Worker | undefined; // while it runs
  #report: PromiseWithResolvers<string> | undefined; // what it says next

  constructor(readonly module: string, readonly timeout: number) {}

  /** Resolves when the protocol is loaded. */
  async start(): Promise<void> {
    const worker = this.#worker = new Worker(new URL(import.meta.url), {
      workerData: { protocolModule: this.module },
      env: {}, // it needs none, and would ask for the permission
    });
    worker.on("message", (report: Report) => {
      if (this.#worker !== worker) return; // too late
      if ("reply" in report) this.#report?.resolve(report.reply);
      else this.#report?.reject(new Error(report.problem));
    });
    const ended = () => this.#worker === worker && this.end();
    worker.on("error", ended);
    worker.on("exit", ended);
    await this.#nextReport(START);
  }

  async process(message: string): Promise<string> {
    if (!this.#worker) await this.start();
    this.#worker?.postMessage(message);
    return await this.#nextReport(this.timeout);
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#report?.reject(new Error("its thread ended"));
  }

  /** Waits for what the thread says next, and ends it when that is late. */
  async #nextReport(ms: number): Promise<string> {
    const { promise } = this.#report = Promise.withResolvers<string>();
    const reply = await within(ms, promise);
    if (reply === undefined) this.end();
    return reply ?? late(ms);
  }
}

/** What a thread does: waits for requests, and says what the protocol replies. */
async function runThread(module: string): Promise<void> {
  const report = (report: Report) => parentPort?.postMessage(report);
  try {
    const { default: Protocol } = await import(module);
    if (typeof Protocol !== "function") {
      throw new TypeError("its default export is not a class");
    }
    const protocol: ServerProtocol = new Protocol();
    parentPort?.on("message", (message: string) => {
      replyFrom(() => protocol.processRequest(message)).then(
        (reply) => report({ reply }),
        (error) => report({ problem: messageOf(error) }),
      );
    });
    report({ reply: "" });
  } catch (error) {
    report({ problem: `Cannot load ${module}: ${messageOf(error)}` });
    Deno.exit(1); // this thread alone
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
function complain(client: string, error: unknown): void {
  const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
  const why = messageOf(error).slice(0, 1000).replace(control, "\uFFFD");
  console.error(`Cannot answer ${client}: ${why}.`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main && workerData?.protocolModule) {
  runThread(workerData.protocolModule);
}
