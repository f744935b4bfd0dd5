/**
 * The relays with their events recorded in a file, beside `socat`, which records
 * nothing.
 *
 * @module
 */
import { join } from "@std/path";
import { ROOT } from "../../../launch/programs/program.ts";
import { unusedPort } from "../../assertions.ts";
import type { Contest, Contestant, Entry } from "../contest.ts";
import { answers, freeUdpPort, roundTrips } from "../load/udp.ts";
import {
  accepts,
  contestant,
  installed,
  type Load,
  ours,
  Server,
} from "../servers.ts";

type Transport = "tcp" | "udp";

/** The command of a relay between two ports. */
type Between = (
  transport: Transport,
  port: number,
  target: number,
  stack: AsyncDisposableStack,
) => Promise<string[]>;

const relay: Between = async (transport, port, target, stack) => {
  const folder = await Deno.makeTempDir({ prefix: "bench-relay-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  return [
    ...[Deno.execPath(), "run", "--quiet", "--unstable-net"],
    ...["--allow-net=127.0.0.1", `--allow-write=${folder}`],
    join(ROOT, "tests", "bench", "relay_program.ts"),
    ...[transport, `${port}`, `${target}`, join(folder, "run.jsonl")],
  ];
};

const socat: Between = async (transport, port, target) => {
  const name = transport.toUpperCase();
  const more = transport === "tcp" ? ",nodelay" : "";
  return [
    await installed("socat"),
    `${name}-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr${more}`,
    `${name}:127.0.0.1:${target}${more}`,
  ];
};

/** A TCP server in this process that sends all back, or counts it. */
function tcpServer(stack: AsyncDisposableStack, echoes: boolean): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  stack.defer(() => listener.close());
  const serve = async (connection: Deno.TcpConn) => {
    using _ = connection;
    connection.setNoDelay();
    const buffer = new Uint8Array(256 * 1024);
    let sum = 0;
    while (true) {
      const count = await connection.read(buffer);
      if (count === null) break;
      sum += count;
      if (echoes) await sendAll(connection, buffer.subarray(0, count));
    }
    if (!echoes) await sendAll(connection, new TextEncoder().encode(`${sum}`));
  };
  (async () => {
    for await (const connection of listener) serve(connection).catch(() => {});
  })();
  return listener.addr.port;
}

async function sendAll(connection: Deno.TcpConn, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

/** Round trips of 32 bytes a second, on one connection. */
const tcpRoundTrips: Load = async (port, seconds) => {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay();
  const message = new Uint8Array(32), buffer = new Uint8Array(32);
  const begin = performance.now();
  let count = 0;
  for (; performance.now() - begin < seconds * 1000; count++) {
    await sendAll(connection, message);
    for (let got = 0; got < 32;) {
      const read = await connection.read(buffer.subarray(got));
      if (read === null) throw new Error("The connection ended");
      got += read;
    }
  }
  return count / (performance.now() - begin) * 1000;
};

/** Megabytes a second, one way on one connection. */
const tcpBytes: Load = async (port, seconds) => {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const message = new Uint8Array(256 * 1024);
  const begin = performance.now();
  let sent = 0;
  while (performance.now() - begin < seconds * 1000) {
    await sendAll(connection, message);
    sent += message.length;
  }
  await connection.closeWrite();
  const buffer = new Uint8Array(100);
  const count = await connection.read(buffer);
  const text = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  if (text !== `${sent}`) throw new Error(`${text} of ${sent} bytes arrived`);
  return sent / (performance.now() - begin) / 1000;
};

/** The server answers in small letters. */
const udpRoundTrips = roundTrips(
  1,
  (text) => text.toLowerCase(),
  (text) => text.toLowerCase(),
);

/** Starts the server and what stands between. */
function through(
  transport: Transport,
  load: Load,
  between: Between,
): Promise<Contestant> {
  return contestant(async (stack) => {
    const isUdp = transport === "udp";
    const target = isUdp
      ? await udpServer(stack)
      : tcpServer(stack, load === tcpRoundTrips);
    const port = isUdp ? freeUdpPort() : unusedPort();
    const command = await between(transport, port, target, stack);
    const server = stack.use(new Server(command));
    await server.ready(() => isUdp ? answers(port, "1") : accepts(port));
    return async (seconds) => [await load(port, seconds)];
  });
}

async function udpServer(stack: AsyncDisposableStack): Promise<number> {
  const port = freeUdpPort();
  const command = await ours("broker:tolower", ["--port", `${port}`]);
  await stack.use(new Server(command)).ready(() => answers(port, "1"));
  return port;
}

function contest(
  id: string,
  transport: Transport,
  { title, unit, target, load }: {
    title: string;
    unit: string;
    target: number;
    load: Load;
  },
): Contest {
  const entry = (name: string, between: Between): Entry => ({
    name,
    start: () => through(transport, load, between),
  });
  return {
    ...{ id, title, metrics: [{ unit, better: "more" }] },
    ours: entry("relay, events in a file", relay),
    peers: [{ ...entry("socat", socat), target }],
  };
}

/** The contests of both relays. */
export const relayContests: Contest[] = [
  contest("relay-tcp", "tcp", {
    ...{ title: "TCP relay, round trips", unit: "/s", target: 0.7 },
    load: tcpRoundTrips,
  }),
  contest("relay-bytes", "tcp", {
    ...{ title: "TCP relay, bytes", unit: "MB/s", target: 0.5 },
    load: tcpBytes,
  }),
  contest("relay-udp", "udp", {
    ...{ title: "UDP relay, round trips", unit: "/s", target: 0.7 },
    load: udpRoundTrips,
  }),
];
