/**
 * A TCP client for one request and one reply. You write the protocol, that is:
 * what to ask, and what to do with the reply. Copy this file beside your
 * program:
 *
 * ```ts
 * import { Client, ClientProtocol } from "./client.ts";
 *
 * class Greeting extends ClientProtocol {
 *   override prepareRequest(): string {
 *     return "Hello Server!";
 *   }
 *   override processReply(message: string): void {
 *     console.log(`Response: ${message}`);
 *   }
 * }
 *
 * const client = new Client(new Greeting()); // localhost, port 1234
 * try {
 *   await client.open();
 * } catch (error) {
 *   // Cannot connect to 127.0.0.1 port 1234: Connection refused … Is the server running?
 *   console.log(error instanceof Error ? error.message : error);
 * }
 * ```
 *
 * On the wire: the request is UTF-8 text of up to 1 MiB, and ends when the
 * client closes its sending side (half-close); so does the reply, when the
 * server closes. Line feeds are removed from replies.
 *
 * A program needs `--allow-net=127.0.0.1`, or the name of another host.
 *
 * @module
 */

/** The longest request and the longest reply, in bytes. */
const LONGEST = 1024 * 1024;
/** How long a connection may take, in ms. */
const CONNECTED = 10_000;

/**
 * What a client asks, and what it does with the reply. Write a class that
 * extends this one.
 *
 * ```ts
 * import { ClientProtocol } from "./client.ts";
 *
 * class Balance extends ClientProtocol {
 *   override prepareRequest(): string {
 *     return "GET_BALANCE";
 *   }
 *   override processReply(message: string): void {
 *     console.log(`You have ${message}.`);
 *   }
 * }
 *
 * new Balance().processReply("20 €");
 * ```
 */
export abstract class ClientProtocol {
  /** Says what to send: up to 1 MiB, counted as UTF-8. */
  abstract prepareRequest(): string;
  /**
   * Takes the reply. What it throws comes out of {@linkcode Client.open}.
   *
   * @param message The reply without its line feeds, up to 1 MiB.
   */
  abstract processReply(message: string): void;
}

/** How to talk to the server; all of it is optional. */
export interface OpenOptions {
  /** Ends the conversation when it aborts. */
  signal?: AbortSignal;
  /**
   * The longest that all may take, from connecting to the end of the reply, in
   * ms: 60,000 unless told otherwise. Connecting may take 10,000 of them.
   */
  timeout?: number;
}

/**
 * Sends one request to a server and takes its reply, each time it is opened.
 *
 * ```ts
 * import { Client, ClientProtocol } from "./client.ts";
 * import { IterativeServer, ServerProtocol } from "./server.ts";
 *
 * class Length extends ServerProtocol {
 *   override processRequest(message: string): string {
 *     return `${message.length}`;
 *   }
 * }
 *
 * class Ask extends ClientProtocol {
 *   override prepareRequest(): string {
 *     return "How long is this?";
 *   }
 *   override processReply(message: string): void {
 *     console.log(message); // 17
 *   }
 * }
 *
 * const server = new IterativeServer(0, new Length());
 * const stopped = server.listen();
 *
 * const client = new Client("127.0.0.1", server.address.port, new Ask());
 * await client.open();
 * await client.open({ timeout: 5_000 }); // once more
 *
 * server.close();
 * await stopped;
 * ```
 */
export class Client {
  readonly #host: string;
  readonly #port: number;
  readonly #protocol: ClientProtocol;

  /** A client of the server on port 1234 of this machine. */
  constructor(protocol: ClientProtocol);
  /** A client of the server on that port of this machine. */
  constructor(port: number, protocol: ClientProtocol);
  /** A client of the server on that port of that host, a name or an address. */
  constructor(host: string, port: number, protocol: ClientProtocol);
  constructor(
    ...args:
      | [ClientProtocol]
      | [number, ClientProtocol]
      | [string, number, ClientProtocol]
  ) {
    const [host, port, protocol] = args.length === 3
      ? args
      : args.length === 2
      ? ["127.0.0.1", ...args] as const
      : ["127.0.0.1", 1234, ...args] as const;
    this.#host = host;
    this.#port = port;
    this.#protocol = protocol;
  }

  /**
   * Connects, sends the request, takes the reply, closes.
   *
   * Rejects with an Error when it cannot connect, when there is no reply (not a
   * single byte) or not in time, when request or reply exceed 1 MiB, or when the
   * reply is not UTF-8; with the reason of the signal when that aborts; and with
   * what the protocol throws.
   */
  async open(options: OpenOptions = {}): Promise<void> {
    const { signal, timeout = 60_000 } = options;
    const server = `${this.#host} port ${this.#port}`;
    const request = new TextEncoder().encode(this.#protocol.prepareRequest());
    if (request.length > LONGEST) throw new Error("The request exceeds 1 MiB");

    const late = AbortSignal.timeout(timeout);
    const end = AbortSignal.any(signal ? [signal, late] : [late]);
    const fail = (step: string, cause: unknown): never => {
      signal?.throwIfAborted();
      const why = late.aborted ? `that took ${timeout} ms` : messageOf(cause);
      throw new Error(`Cannot ${step} ${server}: ${why}`, { cause });
    };
    const connection = await connect(this.#host, this.#port, end)
      .catch((error) => fail("connect to", error));
    // Closing a connection ends whatever waits for it.
    const close = () => connection.close();
    end.addEventListener("abort", close);
    const reply = await exchange(connection, request)
      .catch((error) => fail("talk to", error))
      .finally(() => {
        end.removeEventListener("abort", close);
        if (!end.aborted) connection.close();
      });
    if (end.aborted) fail("talk to", end.reason);
    await this.#protocol.processReply(reply.replaceAll("\n", ""));
  }
}

async function connect(
  hostname: string,
  port: number,
  end: AbortSignal,
): Promise<Deno.TcpConn> {
  const signal = AbortSignal.any([end, AbortSignal.timeout(CONNECTED)]);
  try {
    return await Deno.connect({ hostname, port, signal });
  } catch (cause) {
    const advice = cause instanceof Deno.errors.ConnectionRefused
      ? ". Is the server running?"
      : "";
    throw new Error(`${messageOf(cause)}${advice}`, { cause });
  }
}

/** Sends the request; returns the reply once the server has closed. */
async function exchange(
  connection: Deno.TcpConn,
  request: Uint8Array,
): Promise<string> {
  // At the same time: a server may reply before it has read all.
  const sending = send(connection, request);
  sending.catch(() => {}); // looked at below, if there is no reply
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const buffer = new Uint8Array(64 * 1024);
  let text = "", size = 0;
  while (true) {
    // A server that closes while some of our bytes are unread, as one does that
    // reads but once, resets the connection (RST); its reply counts.
    const count = await connection.read(buffer)
      .catch((error) => size > 0 ? null : Promise.reject(error));
    if (count === null) break;
    size += count;
    if (size > LONGEST) throw new Error("its reply exceeds 1 MiB");
    text += decode(decoder, buffer.subarray(0, count));
  }
  if (size > 0) return text + decode(decoder);
  await sending;
  throw new Error("it closed the connection without a reply");
}

/** Sends all of it, and that this was all (FIN). */
async function send(
  connection: Deno.TcpConn,
  bytes: Uint8Array,
): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) {
    rest = rest.subarray(await connection.write(rest));
  }
  await connection.closeWrite();
}

/** Decodes bytes, or the end of the text if there are none. */
function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch {
    throw new Error("its reply is not UTF-8");
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
