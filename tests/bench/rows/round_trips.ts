/**
 * Round trips through the brokers, with one client and with 64.
 *
 * @module
 */
import { unusedPort } from "../../assertions.ts";
import type { Contest, Contestant, Metric, Peer } from "../contest.ts";
import { answers, freeUdpPort, roundTrips } from "../load/udp.ts";
import {
  accepts,
  contestant,
  installed,
  ours,
  pythonPeer,
  Server,
} from "../servers.ts";

const perSecond: Metric = { unit: "/s", better: "more" };

/** `toupper:` requests, which a broker understands. */
const through = (clients: number) =>
  roundTrips(
    clients,
    (text) => `toupper:${text}`,
    (text) => text.toUpperCase(),
  );

/** The same texts, as the server itself understands them. */
const direct = (clients: number) =>
  roundTrips(clients, (text) => text, (text) => text.toUpperCase());

/** Starts a UDP server; returns its port when it answers. */
async function start(
  stack: AsyncDisposableStack,
  command: (port: number) => Promise<string[]>,
  request: string,
): Promise<number> {
  const port = freeUdpPort();
  const server = stack.use(new Server(await command(port)));
  await server.ready(() => answers(port, request));
  return port;
}

const at = (port: number) => ["--port", `${port}`];

function udpBroker(clients: number): Promise<Contestant> {
  return contestant(async (stack) => {
    const [upper, lower] = [
      await start(stack, (port) => ours("broker:toupper", at(port)), "a"),
      await start(stack, (port) => ours("broker:tolower", at(port)), "A"),
    ];
    const port = await start(stack, (port) =>
      ours("broker:broker", [
        ...at(port),
        ...["--toupper", `127.0.0.1:${upper}`],
        ...["--tolower", `127.0.0.1:${lower}`],
      ]), "toupper:a");
    return async (seconds) => [await through(clients)(port, seconds)];
  });
}

function pythonBroker(clients: number): Promise<Contestant> {
  return contestant(async (stack) => {
    const [upper, lower] = [
      await start(
        stack,
        (port) => pythonPeer("udp_case.py", port, "upper"),
        "a",
      ),
      await start(
        stack,
        (port) => pythonPeer("udp_case.py", port, "lower"),
        "A",
      ),
    ];
    const port = await start(
      stack,
      (port) => pythonPeer("udp_broker.py", port, upper, lower),
      "toupper:a",
    );
    return async (seconds) => [await through(clients)(port, seconds)];
  });
}

/** A broker and a worker for each operation, around a NATS server. */
function natsBroker(clients: number): Promise<Contestant> {
  return contestant(async (stack) => {
    const program = await installed("nats-server");
    const natsPort = unusedPort();
    const nats = ["--nats", `nats://127.0.0.1:${natsPort}`];
    await stack.use(
      new Server([program, "-a", "127.0.0.1", "-p", `${natsPort}`]),
    ).ready(() => accepts(natsPort));
    for (const operation of ["toupper", "tolower"]) {
      const args = ["--operation", operation, ...nats];
      stack.use(new Server(await ours("nats:worker", args)));
    }
    const port = await start(
      stack,
      (port) => ours("nats:broker", [...at(port), ...nats]),
      "toupper:a",
    );
    return async (seconds) => [await through(clients)(port, seconds)];
  });
}

function serverAlone(clients: number): Promise<Contestant> {
  return contestant(async (stack) => {
    const command = (port: number) => ours("broker:toupper", at(port));
    const port = await start(stack, command, "a");
    return async (seconds) => [await direct(clients)(port, seconds)];
  });
}

function peers(clients: number, target?: number): Peer[] {
  return [
    { name: "udp_toupper, asked directly", start: () => serverAlone(clients) },
    {
      name: "Python, sequential broker",
      ...(target === undefined ? {} : { target }),
      start: () => pythonBroker(clients),
    },
  ];
}

/** The contests for both brokers. */
export const roundTripContests: Contest[] = [
  { clients: 1, title: "round trip, 1 client" },
  { clients: 64, target: 1, title: "round trip, 64 in flight" },
].flatMap(({ clients, target, title }) => [
  {
    id: `broker-${clients}`,
    title,
    metrics: [perSecond],
    ours: { name: "udp_broker", start: () => udpBroker(clients) },
    peers: peers(clients, target),
  },
  {
    id: `nats-${clients}`,
    title,
    metrics: [perSecond],
    ours: { name: "nats_broker", start: () => natsBroker(clients) },
    peers: peers(clients),
  },
]);
