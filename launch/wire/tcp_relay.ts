/**
 * A relay for TCP: bytes in their order, half-close, close, reset, and
 * back-pressure pass through it as they happen.
 *
 * On `node:net`, because that can reset a connection and Deno's own API cannot.
 *
 * @module
 */
import net from "node:net";
import { CALM } from "./conditions/conditions.ts";
import {
  HOST,
  type Recorder,
  type Relay,
  type RelayOptions,
  type Side,
  type WireEvent,
} from "./relay.ts";

/**
 * Starts a TCP relay in front of a port of this machine.
 *
 * One thing it cannot hand on: the system completes a client's connection before
 * we can know whether the server takes it. Where the server refuses, the client
 * sees a reset instead, and from then on what it would see without us, since the
 * relay stops listening, too.
 *
 * @example
 * ```ts
 * import { Recording } from "../launch/wire/relay.ts";
 * import { relayTcp } from "../launch/wire/tcp_relay.ts";
 *
 * using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * await using relay = await relayTcp({
 *   link: "server",
 *   target: { hostname: "127.0.0.1", port: server.addr.port },
 *   recorder: new Recording((event) => console.log(event.kind)),
 * });
 * using client = await Deno.connect({ port: relay.address.port });
 * using connection = await server.accept();
 * ```
 */
export async function relayTcp(
  { link, listen, target, recorder, conditions = CALM }: RelayOptions,
): Promise<Relay> {
  const connections = new Set<Promise<void>>();
  const ends = new Set<End>();
  let count = 0, disposed = false;
  const listener = net.createServer({ allowHalfOpen: true }, (socket) => {
    const connection = serve(new End(socket), ++count);
    connections.add(connection);
    connection.finally(() => connections.delete(connection));
  });
  // A client that left before it was accepted has not been here for us.
  listener.on("error", () => {});
  const listening = Promise.withResolvers<void>();
  listener.listen({
    host: listen?.hostname ?? HOST,
    port: listen?.port ?? 0,
    backlog: 511,
  }, listening.resolve);
  await listening.promise;
  const address = listener.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot listen on a free port");
  }
  return {
    address: { hostname: address.address, port: address.port },
    conditions,
    change: () => {},
    hold: () => {},
    held: () => [],
    release: () => false,
    drop: () => false,
    double: () => false,
    inject: () => false,
    reset: () => false,
    stopListening: () => listener.close(),
    async settled(ms) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, ms);
      await Promise.race([Promise.all(connections), late.promise]);
      clearTimeout(timer);
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      listener.close();
      for (const end of ends) end.destroy();
      await Promise.all(connections);
    },
  };

  /** Connects a client with the server, for as long as both like. */
  async function serve(client: End, number: number): Promise<void> {
    const report: Report = (kind, from, bytes = new Uint8Array()) => {
      if (disposed) return;
      const now = recorder.now();
      recorder.record({
        number: recorder.next(),
        kind,
        link,
        connection: number,
        from,
        bytes,
        sent: now,
        delivered: now,
        fate: "delivered",
        marks: [],
        causes: [],
        of: null,
        text: "",
      });
    };
    ends.add(client);
    report("connect", "client");
    await recorder.turn?.(link, "client");
    const server = new End(
      net.connect({
        host: target.hostname,
        port: target.port,
        allowHalfOpen: true,
      }),
    );
    ends.add(server);
    if (await server.connected) {
      await Promise.all(handOn(client, server, report, recorder, link));
    } else {
      listener.close();
      report("refused", "server");
      client.reset();
    }
    await Promise.all([client.closed, server.closed]);
    ends.delete(client);
    ends.delete(server);
  }
}

type Report = (kind: WireEvent["kind"], from: Side, b?: Uint8Array) => void;

/** Hands on what each end sends, until both have closed or one resets. */
function handOn(
  client: End,
  server: End,
  report: Report,
  recorder: Recorder,
  link: string,
): Promise<void>[] {
  let over = false;
  const finish = async (from: Side, how: "end" | "reset", other: End) => {
    await recorder.turn?.(link, from);
    if (over) return;
    over = how === "reset";
    report(how, from);
    if (how === "reset") other.reset();
    else other.end();
  };
  const direction = async (from: Side, source: End, sink: End) => {
    const turn = recorder.turn?.bind(recorder, link, from);
    for await (const bytes of source.pieces(turn)) {
      report("message", from, bytes);
      // Once the system has taken it, not before, we read the next piece.
      if (await sink.write(bytes)) continue;
      // The other end was reset. Its own direction says so when it has handed
      // on what came before, unless that has ended already.
      if (!sink.ended) return;
      const other = from === "client" ? "server" : "client";
      return await finish(other, "reset", source);
    }
    await finish(from, source.ended ? "end" : "reset", sink);
  };
  return [
    direction("client", client, server),
    direction("server", server, client),
  ];
}

/** One of the two sockets of a connection through the relay. */
class End {
  /** Whether the other side has closed its direction in good order (FIN). */
  ended = false;
  /** Resolves with whether it could connect. */
  readonly connected: Promise<boolean>;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;

  readonly #socket: net.Socket;
  readonly #received: Uint8Array[] = [];
  #news = Promise.withResolvers<void>();
  #most = 1; // so many pieces may wait
  #over = false; // nothing more will be received

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true); // small messages go on at once
    const closed = Promise.withResolvers<void>();
    const connected = Promise.withResolvers<boolean>();
    this.closed = closed.promise;
    this.connected = connected.promise;
    socket.on("connect", () => connected.resolve(true));
    // The stream itself would drop what it holds when a reset comes after it:
    // so pieces wait in a queue of ours, which `pause` keeps short.
    socket.on("data", (bytes) => {
      if (this.#received.push(bytes) >= this.#most) socket.pause();
      this.#news.resolve();
    });
    const finish = (ended: boolean) => () => {
      this.ended ||= ended;
      this.#over = true;
      this.#news.resolve();
    };
    socket.on("end", finish(true));
    socket.on("error", finish(false));
    socket.on("close", finish(false));
    socket.on("close", () => connected.resolve(false));
    socket.on("close", () => closed.resolve());
    socket.pause();
  }

  /**
   * What it receives, up to the end or a reset: what has come each time when it
   * has got a turn, if turns are taken.
   */
  async *pieces(turn?: () => Promise<void>): AsyncGenerator<Uint8Array, void> {
    while (true) {
      if (this.#received.length > 0) {
        if (turn) {
          this.#most = 16;
          this.#socket.resume();
          await turn();
          this.#most = 1;
        }
        const [first, ...more] = this.#received.splice(0);
        if (first) yield more.length > 0 ? concat([first, ...more]) : first;
      } else if (this.#over) {
        return;
      } else {
        this.#news = Promise.withResolvers();
        this.#socket.resume();
        await this.#news.promise;
      }
    }
  }

  /** Sends a piece; resolves with whether the system has taken it. */
  write(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) =>
      this.#socket.write(bytes, (error) => resolve(!error))
    );
  }

  /** Says that there is no more to come (FIN). */
  end(): void {
    this.#socket.end();
  }

  /** Breaks it off (RST). */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Closes it without ceremony. */
  destroy(): void {
    this.#socket.destroy();
  }
}

function concat(pieces: Uint8Array[]): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
