/**
 * Load for a broker: many clients at a time, each of which checks that the
 * answer it gets is the answer to its own request.
 *
 *     deno run --unstable-net --allow-net=127.0.0.1 tests/load.ts 8082 64 20000
 *
 * (port, clients, requests) prints what came back, as JSON.
 *
 * @module
 */

/** What became of the requests of one operation. */
export interface Outcome {
  /** Answered with the right text. */
  right: number;
  /** Answered with the text of somebody else, or with nonsense. */
  wrong: number;
  /** Answered with `error: …`. */
  errors: number;
  /** Not answered within the patience. */
  lost: number;
  /** The longest wait for an `error: …`, in ms. */
  slowestError: number;
}

/** Both operations' outcomes, and the time that all requests took. */
export interface Report {
  toupper: Outcome;
  tolower: Outcome;
  ms: number;
}

export interface Load {
  port: number;
  /** How many clients ask at a time, each one request after the other. */
  clients: number;
  /** Requests of all clients together. */
  requests: number;
  /** Which operation the client of that number asks for; both, in turns. */
  operation?: (client: number) => "toupper" | "tolower";
  /** How long a client waits for an answer; 5,000 ms unless told otherwise. */
  patience?: number;
  /** Called when so many requests have been sent. */
  progress?: (sent: number) => void;
}

/** Sends requests with distinct texts to a broker on this machine. */
export async function load(options: Load): Promise<Report> {
  const { port, clients, requests, patience = 5_000 } = options;
  const operationOf = options.operation ??
    ((client: number) => client % 2 === 0 ? "toupper" : "tolower");
  const report: Report = { toupper: none(), tolower: none(), ms: 0 };
  const broker = { transport: "udp", hostname: "127.0.0.1", port } as const;
  let sent = 0;

  async function client(number: number): Promise<void> {
    const operation = operationOf(number);
    const outcome = report[operation];
    let socket = open();
    const buffer = new Uint8Array(65536);
    while (sent < requests) {
      const text = `Client ${number}, request ${++sent}: Grüße, ΑΣ!`;
      const expected = operation === "toupper"
        ? text.toUpperCase()
        : text.toLowerCase();
      options.progress?.(sent);
      const since = performance.now();
      const request = new TextEncoder().encode(`${operation}:${text}`);
      await socket.send(request, broker);
      const { promise: silence, resolve } = Promise.withResolvers<null>();
      const timer = setTimeout(resolve, patience, null);
      const receiving = receive(socket, buffer, port).catch(() => null);
      const received = await Promise.race([receiving, silence]);
      clearTimeout(timer);
      if (received === null) {
        outcome.lost++;
        socket.close(); // its answer may still come
        socket = open();
        continue;
      }
      const answer = new TextDecoder().decode(received);
      if (answer === expected) outcome.right++;
      else if (answer.startsWith("error: ")) {
        outcome.errors++;
        const ms = performance.now() - since;
        outcome.slowestError = Math.max(outcome.slowestError, ms);
      } else outcome.wrong++;
    }
    socket.close();
  }

  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
  report.ms = performance.now() - start;
  return report;
}

/** What the broker sends next; strangers' datagrams are not its fault. */
async function receive(
  socket: Deno.DatagramConn,
  buffer: Uint8Array,
  broker: number,
): Promise<Uint8Array> {
  while (true) {
    const [datagram, sender] = await socket.receive(buffer);
    if (sender.transport === "udp" && sender.port === broker) return datagram;
  }
}

function none(): Outcome {
  return { right: 0, wrong: 0, errors: 0, lost: 0, slowestError: 0 };
}

function open(): Deno.DatagramConn {
  return Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
}

if (import.meta.main) {
  const [port = 8082, clients = 64, requests = 20_000] = Deno.args.map(Number);
  console.log(JSON.stringify(await load({ port, clients, requests })));
}
