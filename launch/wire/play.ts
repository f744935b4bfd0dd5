/**
 * Sends what the clients of a saved run sent once more, with the same pauses.
 *
 * @module
 */
import type { Address } from "./relay.ts";
import type { SavedEvent, SavedRun } from "./saved_run.ts";

/** How long it waits for more answers after the last one, in ms. */
const QUIET_MS = 1000;

/** What was sent and what came back. */
export interface Played {
  connections: number;
  messages: number;
  bytesSent: number;
  bytesReceived: number;
  /** What went wrong, a line for each connection that had a trouble. */
  troubles: string[];
}

/**
 * Plays a run to a server. `link` chooses one of the run's links; the first one
 * on which a client sent something is taken by default. What the network of the
 * saved run did is not repeated: each message is sent once, when its client sent
 * it. Throws an Error with one line when the run has nothing to send.
 *
 * @example
 * ```ts
 * import { play } from "./play.ts";
 * import { readRun } from "./saved_run.ts";
 *
 * const again = async (file: string) =>
 *   await play(await readRun(file), { hostname: "127.0.0.1", port: 8080 });
 * ```
 */
export async function play(
  { header, events }: SavedRun,
  target: Address,
  { link, signal }: { link?: string; signal?: AbortSignal } = {},
): Promise<Played> {
  const sent = events.filter((event) =>
    event.from === "client" && !event.marks.includes("again") &&
    !event.marks.includes("injected") &&
    ["connect", "message", "datagram", "end", "reset"].includes(event.kind) &&
    !(event.kind === "reset" && event.causes.length > 0)
  );
  const name = link ?? sent.find(({ kind }) => kind !== "connect")?.link;
  const own = sent.filter((event) => event.link === name);
  const [first] = own;
  if (!first) {
    const names = header.links.map(({ name }) => name).join(", ");
    throw new Error(
      `There is nothing to play: no client sent anything${
        link ? ` to "${link}"; the run's links are ${names}` : ""
      }.`,
    );
  }
  const played: Played = {
    ...{ connections: 0, messages: 0, bytesSent: 0, bytesReceived: 0 },
    troubles: [],
  };
  const zero = performance.now();
  const due = async ({ sent }: SavedEvent) => {
    const ms = (sent - first.sent) / 1000 - (performance.now() - zero);
    if (ms > 0) await pause(ms, signal);
    signal?.throwIfAborted();
  };
  const connections = Map.groupBy(own, ({ connection }) => connection);
  await Promise.all(
    connections.entries().map(async ([number, events]) => {
      played.connections++;
      const isUdp = events.some(({ kind }) => kind === "datagram");
      try {
        await (isUdp ? playUdp : playTcp)(events, target, due, played, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const why = error instanceof Error ? error.message : error;
        played.troubles.push(`connection ${number}: ${why}`);
      }
    }),
  );
  return played;
}

type Due = (event: SavedEvent) => Promise<void>;

async function playTcp(
  events: SavedEvent[],
  target: Address,
  due: Due,
  played: Played,
  signal?: AbortSignal,
): Promise<void> {
  const [first] = events;
  if (first) await due(first);
  using connection = await Deno.connect(target);
  let last = performance.now(), ended = false;
  const reading = (async () => {
    const buffer = new Uint8Array(65_536);
    while (true) {
      const length = await connection.read(buffer).catch(() => null);
      if (length === null) break;
      played.bytesReceived += length;
      last = performance.now();
    }
    ended = true;
  })();
  for (const event of events) {
    await due(event);
    if (event.kind === "reset") return;
    if (event.kind === "end") {
      await connection.closeWrite();
      continue;
    }
    let rest = event.bytes;
    while (rest.length > 0) {
      rest = rest.subarray(await connection.write(rest));
    }
    if (event.kind === "message") played.messages++;
    played.bytesSent += event.bytes.length;
  }
  last = performance.now();
  while (!ended && performance.now() - last < QUIET_MS) {
    await Promise.race([reading, pause(QUIET_MS / 10, signal)]);
  }
}

async function playUdp(
  events: SavedEvent[],
  target: Address,
  due: Due,
  played: Played,
  signal?: AbortSignal,
): Promise<void> {
  const isV6 = target.hostname.includes(":");
  const loopback = isV6 ? "::1" : "127.0.0.1";
  const isLocal = target.hostname === "localhost" ||
    target.hostname === loopback || target.hostname.startsWith("127.");
  const hostname = isLocal ? loopback : isV6 ? "::" : "0.0.0.0";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  let last = performance.now();
  const reading = (async () => {
    for await (const [bytes] of socket) {
      played.bytesReceived += bytes.length;
      last = performance.now();
    }
  })().catch(() => {});
  try {
    for (const event of events) {
      await due(event);
      await socket.send(event.bytes, { transport: "udp", ...target });
      played.messages++;
      played.bytesSent += event.bytes.length;
    }
    last = performance.now();
    while (performance.now() - last < QUIET_MS) {
      await pause(QUIET_MS / 10, signal);
    }
  } finally {
    socket.close();
    await reading;
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
