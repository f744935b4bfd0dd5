/**
 * A relay for TCP: bytes in their order, the end of each direction, resets and
 * back-pressure pass through it as they happen.
 *
 * On `node:net`, because that can reset a connection and Deno's own API cannot.
 *
 * @module
 */
import net from "node:net";
import type { Stop } from "./direction.ts";
import { Lane, notice } from "./lane.ts";
import { Link } from "./link.ts";
import { HOST, type Relay, type RelayOptions, type Side } from "./relay.ts";

const NO_DESCRIPTORS =
  "the system has no file descriptors left for it (ulimit -n)";

/**
 * A reset takes away what its receiver has not read, if it is more than fits its
 * buffer. So whoever was sent more than so many bytes has so many ms to read them.
 */
const FITS = 65_536, LAST_WORDS_MS = 300;

/** How many clients may wait to be accepted. */
const BACKLOG = 511;

/** How often a relay looks whether it can accept, in ms. */
const LOOK_MS = 1000;

/** So many free descriptors are enough to accept again; a connection takes two. */
const ENOUGH = 4, LEAST = 2;

/** How long the system may take to free the descriptors of a reset, in ms. */
const FREED_MS = 20;

/** What says that the relay's own system has nothing left to give. */
const EXHAUSTED = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"];

/**
 * Starts a TCP relay.
 *
 * One thing it cannot hand on: the system completes a client's connection before
 * we can know whether the server takes it. Where the server refuses, the client
 * is reset at once, and a `refused` event says so. The relay goes on listening
 * until {@linkcode Relay.stopListening}.
 *
 * @example
 * ```ts
 * import { Recording } from "./relay.ts";
 * import { relayTcp } from "./tcp_relay.ts";
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
export async function relayTcp(given: RelayOptions): Promise<Relay> {
  const options = { ...given }; // the target may change
  const { listen } = options;
  const connections = new Map<number, Connection>();
  const link = new Link(
    options,
    () => connections.values().flatMap(({ lanes }) => lanes),
  );
  const starved = new Starved();
  let count = 0;
  const listener = net.createServer(
    { allowHalfOpen: true },
    (socket) => {
      const number = ++count;
      const connection = new Connection(
        socket,
        number,
        link,
        options,
        (again) => starved.add(again),
      );
      connections.set(number, connection);
      connection.closed.then(() => connections.delete(number));
    },
  );
  await listenOn(listener, listen?.hostname ?? HOST, listen?.port ?? 0);
  // A client that left before it was accepted has not been here for us.
  listener.on("error", (error) => {
    const code = codeOf(error);
    if (EXHAUSTED.includes(code)) {
      link.trouble(`The relay cannot accept a connection: ${reason(error)}.`);
    }
  });
  const address = listener.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot listen on a free port");
  }
  // Without descriptors, node:net stops accepting and does not say so. The clients
  // wait in the system's queue then, and come as soon as it listens again.
  let isExhausted = false, disposed = false;
  const look = () => {
    const free = freeDescriptors(address.address, ENOUGH);
    if (free < LEAST && !isExhausted) {
      isExhausted = true;
      link.trouble(`The relay cannot accept a connection: ${NO_DESCRIPTORS}.`);
    } else if (free >= ENOUGH) {
      isExhausted = false;
      resume(listener);
    }
  };
  let looking: ReturnType<typeof setInterval>;
  const keepLooking = () => {
    looking = setInterval(look, LOOK_MS);
    Deno.unrefTimer(looking);
  };
  keepLooking();
  const stopListening = () => {
    clearInterval(looking);
    listener.close();
  };
  return {
    address: { hostname: address.address, port: address.port },
    get conditions() {
      return link.conditions;
    },
    change: (conditions) => link.change(conditions),
    stopListening,
    async listenAgain(target) {
      options.target = target;
      if (listener.listening || disposed) return;
      await listenOn(listener, address.address, address.port);
      keepLooking();
    },
    async settled(ms) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, ms);
      const all = [...connections.values()].map(({ closed }) => closed);
      await Promise.race([Promise.all(all), late.promise]);
      clearTimeout(timer);
    },
    hold: (holds) => link.hold(holds),
    held: () => link.held(),
    release: (number, bytes) =>
      link.some((lane) => lane.release(number, "once", bytes)),
    cut: (number, at) => link.some((lane) => lane.cut(number, at)),
    drop: () => false,
    double: () => false,
    inject(number, from, bytes) {
      const connection = connections.get(number);
      connection?.inject(from, bytes);
      return connection !== undefined;
    },
    reset(number) {
      const connection = connections.get(number);
      connection?.reset("reset by hand", "client");
      return connection !== undefined;
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      stopListening();
      starved.close();
      const all = [...connections.values()];
      for (const connection of all) connection.destroy();
      await Promise.all(all.map(({ closed }) => closed));
      link.close();
    },
  };
}

/** Listens; throws when the port is taken. */
async function listenOn(
  listener: net.Server,
  host: string,
  port: number,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  listener.on("error", reject);
  listener.listen({ host, port, backlog: BACKLOG }, resolve);
  try {
    await promise;
  } finally {
    listener.off("error", reject);
    listener.off("listening", resolve);
  }
}

/** A client's connection through the relay, and the one to the server. */
class Connection {
  /** Resolves when both sockets are gone. */
  readonly closed: Promise<void>;
  readonly #number: number;
  readonly #link: Link;
  readonly #options: RelayOptions;
  readonly #starve: (connection: Connection) => void;
  readonly #client: net.Socket;
  #server: net.Socket | undefined;
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #finished = Promise.withResolvers<void>();
  #open = 1; // sockets
  #over = false; // reset: nothing else is reported

  constructor(
    client: net.Socket,
    number: number,
    link: Link,
    options: RelayOptions,
    starve: (connection: Connection) => void,
  ) {
    this.#starve = starve;
    this.closed = this.#finished.promise;
    this.#client = client;
    this.#number = number;
    this.#link = link;
    this.#options = options;
    this.#up = this.#lane("client");
    this.#down = this.#lane("server");
    this.#attach(client, this.#up, this.#down);
    this.#up.take("connect", number);
  }

  /** Its queues. */
  get lanes(): Lane[] {
    return [this.#up, this.#down];
  }

  #lane(from: Side): Lane {
    const { link, recorder } = this.#options;
    const lane = new Lane({
      ...{ link, from, recorder, ordered: true },
      direction: this.#link.direction(from),
      out: (kind, _, bytes) => this.#out(kind, from, bytes),
      room: () => void this.#socket(from)?.resume(),
      stop: (stop) => this.#stop(stop, from),
    });
    const { holds } = this.#link;
    if (holds) lane.hold(holds);
    lane.watchTime();
    return lane;
  }

  /** The socket of a side. */
  #socket(side: Side): net.Socket | undefined {
    return side === "client" ? this.#client : this.#server;
  }

  /** Listens to a socket: what it says goes into `lane`, `back` leads to it. */
  #attach(socket: net.Socket, lane: Lane, back: Lane): void {
    socket.setNoDelay(true); // small messages go on at once
    socket.on("data", (bytes) => {
      lane.take("message", this.#number, own(bytes));
      if (lane.full) socket.pause();
    });
    socket.on("end", () => lane.take("end", this.#number));
    socket.on("drain", () => back.unblock());
    // It was reset, or it takes nothing any more: its peer has gone.
    socket.on("error", () => {
      if (!this.#over) lane.take("reset", this.#number);
    });
    socket.on("close", () => {
      back.close();
      this.#left();
    });
  }

  /** A socket is gone. What the client said may still be on its way to connect. */
  #left(): void {
    this.#open--;
    const connects = !this.#server && !this.#up.empty && !this.#up.stalled;
    if (!connects || this.#over) this.#finish();
  }

  /** Hands on what has left a queue; false if the socket is full. */
  #out(
    kind: Parameters<Lane["take"]>[0],
    from: Side,
    bytes: Uint8Array,
  ): boolean {
    if (kind === "connect") return this.#connect();
    const other = this.#socket(from === "client" ? "server" : "client");
    if (!other || other.destroyed) return true;
    if (kind === "message") return other.write(bytes);
    if (kind === "end") other.end();
    else this.#break();
    return true;
  }

  /** Connects to the server; until that is done, what the client says waits. */
  #connect(): boolean {
    const { hostname, port } = this.#options.target;
    const server = net.connect(
      { host: hostname, port, allowHalfOpen: true },
    );
    this.#server = server;
    this.#open++;
    let connected = false;
    server.on("connect", () => {
      connected = true;
      this.#attach(server, this.#down, this.#up);
      this.#up.unblock();
    });
    server.on("error", (error) => {
      if (!connected) this.#refuse(error);
    });
    server.on("close", () => {
      if (!connected) this.#left();
    });
    return false;
  }

  #refuse(error: unknown): void {
    const { hostname, port } = this.#options.target;
    const where = hostname.includes(":")
      ? `[${hostname}]:${port}`
      : `${hostname}:${port}`;
    if (EXHAUSTED.includes(codeOf(error))) {
      const text = `The relay cannot connect to ${where}: ${reason(error)}.`;
      this.#link.trouble(text, this.#number);
      this.#starve(this);
      return;
    }
    const text = codeOf(error) === "ECONNREFUSED"
      ? `refused by ${where}`
      : `cannot reach ${where}: ${reason(error)}`;
    this.#down.take("refused", this.#number, undefined, { text });
  }

  /** Connects once more, now that there may be a descriptor for it. */
  connectAgain(): void {
    if (!this.#over && !this.#client.destroyed) this.#connect();
  }

  /** The relay itself cannot serve it: resets it. */
  giveUp(): void {
    this.#break();
  }

  /** A condition stops the connection. */
  #stop({ cause, then, both }: Stop, from: Side): void {
    if (then === "reset") return this.reset(cause, from);
    const lanes = both
      ? [this.#up, this.#down]
      : [from === "client" ? this.#up : this.#down];
    for (const lane of lanes) lane.stall(cause);
    const { link, recorder } = this.#options;
    recorder.record(notice(recorder, link, "condition", {
      text: `${cause}: nothing passes any more`,
      ...{ from, connection: this.#number, causes: [cause] },
    }));
  }

  /** Resets it because of a condition, or by hand. */
  reset(cause: string, from: Side): void {
    if (this.#over) return;
    const { link, recorder } = this.#options;
    recorder.record(notice(recorder, link, "reset", {
      text: cause,
      ...{ from, connection: this.#number, causes: [cause] },
    }));
    this.#break();
  }

  inject(from: Side, bytes: Uint8Array): void {
    const lane = from === "client" ? this.#up : this.#down;
    lane.take("message", this.#number, bytes, { mark: "injected" });
  }

  /** Closes both sockets without ceremony. */
  destroy(): void {
    this.#over = true;
    this.#up.close();
    this.#down.close();
    this.#client.destroy();
    this.#server?.destroy();
    this.#finish();
  }

  /** Resets both sides, after what was on its way to them. */
  #break(): void {
    this.#over = true;
    for (const socket of [this.#client, this.#server]) {
      if (!socket || socket.destroyed) continue;
      if (socket.bytesWritten <= FITS) {
        socket.resetAndDestroy();
        continue;
      }
      const timer = setTimeout(() => socket.resetAndDestroy(), LAST_WORDS_MS);
      socket.on("close", () => clearTimeout(timer));
    }
    this.#finish();
  }

  /** Forgets it, if both sockets are gone. */
  #finish(): void {
    if (this.#open > 0) return;
    this.#up.close();
    this.#down.close();
    this.#finished.resolve();
  }
}

/**
 * Connections for whose other socket the system had no descriptor. The newest half
 * of them is reset, so that the others get the descriptors, and so on.
 */
class Starved {
  #waiting: Connection[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  add(connection: Connection): void {
    this.#waiting.push(connection);
    this.#timer ??= setTimeout(() => this.#share(), FREED_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #share(): void {
    const all = this.#waiting.splice(0);
    const served = all.splice(0, all.length >> 1);
    for (const connection of all) connection.giveUp();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const connection of served) connection.connectAgain();
    }, FREED_MS);
  }
}

/** How many descriptors are free, up to so many: it opens and closes that many. */
function freeDescriptors(hostname: string, most: number): number {
  const opened: Disposable[] = [];
  try {
    while (opened.length < most) {
      opened.push(Deno.listen({ hostname, port: 0 }));
    }
  } catch (error) {
    if (!EXHAUSTED.includes(codeOf(error))) return most;
  } finally {
    for (const one of opened) one[Symbol.dispose]();
  }
  return opened.length;
}

/** Lets a listener go on where it has stopped; to another one it does nothing. */
function resume(listener: net.Server): void {
  // There is no public way that keeps those who wait in the system's queue.
  const handle: unknown = Reflect.get(listener, "_handle");
  if (typeof handle !== "object" || handle === null) return;
  const listen: unknown = Reflect.get(handle, "listen");
  if (typeof listen === "function") Reflect.apply(listen, handle, [BACKLOG]);
}

/** Bytes that keep no larger buffer in memory. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.length * 2 < bytes.buffer.byteLength
    ? new Uint8Array(bytes)
    : bytes;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? `${error.code}` : "";
}

/** Why, in words for a user. */
function reason(error: unknown): string {
  const code = codeOf(error);
  if (code === "EMFILE" || code === "ENFILE") {
    return NO_DESCRIPTORS;
  }
  return error instanceof Error ? error.message : `${error}`;
}
