/**
 * Attacks on TCP servers.
 *
 * @module
 */
import { type Attack, attempts, limited, pause, type Scene } from "./attack.ts";
import type { Random } from "./random.ts";

/** How an honest client of a server talks. */
export interface Talk {
  /** A request that is as it should be. */
  request(random: Random): Uint8Array;
  /** Whether the client closes its sending side after it. */
  ends: boolean;
  /** How often it may be closed without an answer, and is tried again then. */
  refusals?: number;
  /** So many bytes at its beginning must arrive together. */
  together?: number;
  /** Throws when what came back is not the answer to that request. */
  expect(request: Uint8Array, answer: string): void;
}

/** An honest exchange, in pieces; throws when it is not answered. */
export async function exchange(
  port: number,
  talk: Talk,
  random: Random,
  cut: { pieces?: number; gap?: number } = {},
): Promise<void> {
  for (let refusals = 0;; refusals++) {
    const request = talk.request(random);
    const answer = await answerTo(port, talk, request, random, cut);
    if (answer !== "" || refusals >= (talk.refusals ?? 0)) {
      return talk.expect(request, answer);
    }
  }
}

/** What is sent back; nothing if the connection is closed in the middle. */
async function answerTo(
  port: number,
  talk: Talk,
  request: Uint8Array,
  random: Random,
  { pieces = 1, gap = 0 }: { pieces?: number; gap?: number },
): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay();
  try {
    await send(connection, request.subarray(0, talk.together ?? 0));
    const rest = request.subarray(talk.together ?? 0);
    for (const piece of random.cut(rest, pieces)) {
      await send(connection, piece);
      if (gap > 0) await pause(random.integer(0, gap));
    }
    if (talk.ends) await connection.closeWrite();
  } catch {
    // It may have closed already: what it said before counts.
  }
  return await read(connection);
}

/** Everything that comes until the end, or for so many ms. */
async function read(connection: Deno.TcpConn, ms = 60_000): Promise<string> {
  const buffer = new Uint8Array(65536), decoder = new TextDecoder();
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), ms);
  let text = "";
  while (true) {
    const reading = connection.read(buffer).catch(() => null);
    const count = await Promise.race([reading, late.promise]);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  clearTimeout(timer);
  return text;
}

async function send(connection: Deno.TcpConn, data: Uint8Array): Promise<void> {
  let rest = data;
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}

/** A connection, or null when the server's queue is full, as is its right. */
async function connect(port: number): Promise<Deno.TcpConn | null> {
  const signal = AbortSignal.timeout(2_000);
  return await Deno.connect({ hostname: "127.0.0.1", port, signal })
    .catch(() => null);
}

/** Connects, does something, and closes; what goes wrong is what it wanted. */
async function visit(
  port: number,
  visitor: (connection: Deno.TcpConn) => Promise<unknown>,
): Promise<void> {
  const connection = await connect(port);
  if (!connection) return await pause(10);
  await limited(5_000, visitor(connection)).catch(() => {});
  connection.close();
}

/** All attacks that any TCP server must stand. */
export function tcpAttacks(talk: Talk): Attack[] {
  return [
    {
      name: "random bytes",
      run: (scene) =>
        attempts(
          scene,
          8,
          (random) =>
            visit(scene.victim.port, async (connection) => {
              await send(connection, random.bytes(random.size(20_000)));
              if (random.chance(0.5)) await connection.closeWrite();
              await read(connection, random.integer(1, 50));
            }),
        ),
    },
    {
      name: "mutated requests",
      run: (scene) =>
        attempts(
          scene,
          8,
          (random) =>
            visit(scene.victim.port, async (connection) => {
              await send(connection, random.mutate(talk.request(random)));
              if (random.chance(0.5)) await connection.closeWrite();
              await read(connection, random.integer(1, 50));
            }),
        ),
    },
    {
      name: "requests in pieces, slowly",
      run: (scene) =>
        attempts(scene, 8, (random) => {
          const pieces = random.integer(2, 40);
          const options = { pieces, gap: random.pick(0, 1, 3) };
          return exchange(scene.victim.port, talk, random, options);
        }),
    },
    {
      name: "clients that vanish",
      run: (scene) =>
        attempts(
          scene,
          16,
          (random) =>
            visit(scene.victim.port, async (connection) => {
              const request = talk.request(random);
              const length = random.pick(0, random.integer(0, request.length));
              await send(
                connection,
                random.chance(0.5) ? request : request.subarray(0, length),
              );
              // Closed with the answer unread, the connection is reset.
              await pause(random.integer(0, 4));
            }),
        ),
    },
    { name: "a crowd", run: (scene) => crowd(scene, talk) },
  ];
}

/** Thousands that connect at the same time and keep it waiting, or chew on. */
async function crowd(
  { victim, random, crowd }: Scene,
  talk: Talk,
): Promise<number> {
  const connections: Deno.TcpConn[] = [];
  try {
    while (connections.length < crowd) {
      const some = await Promise.all(Array.from(
        { length: Math.min(100, crowd - connections.length) },
        () => connect(victim.port),
      ));
      const open = some.filter((connection) => connection !== null);
      if (open.length === 0) break;
      connections.push(...open);
    }
    await Promise.all(connections.map((connection, number) => {
      const request = talk.request(random.for(number));
      const piece = request.subarray(0, number % request.length);
      return send(connection, piece).catch(() => {});
    }));
    await pause(100);
  } finally {
    for (const connection of connections) connection.close();
  }
  return connections.length;
}
