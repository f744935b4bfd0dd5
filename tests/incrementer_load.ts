/**
 * Many incrementer clients in one process, which know what they sent and got,
 * and what the server's log must hold afterwards.
 *
 * By hand, with the server running (IDs from 0 on, seconds):
 *
 *     deno run --allow-net=127.0.0.1 --allow-read tests/incrementer_load.ts \
 *       --port 2004 --clients 10001 --seconds 60 --log server.log
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

/** How a crowd of clients behaves. */
export interface CrowdOptions {
  port: number;
  /** How many clients; their IDs count up from `firstId`. */
  clients: number;
  firstId?: number;
  /** Between two numbers of a client (ms); 500 unless told otherwise. */
  tick?: number;
  /** Bounds of the time between two requests of a client (ms). */
  pause?: [number, number];
}

/** One client of a crowd. */
export class Member {
  readonly id: number;
  readonly connection: Deno.TcpConn;
  /** The number that the server let it go on from. */
  start = NaN;
  /** The numbers that it sent, in order. */
  readonly sent: number[] = [];
  /** How many of them the server had to have logged when it last answered. */
  answered = 0;
  /** How many requests were answered. */
  answers = 0;
  /** What was wrong: a false answer, or a lost connection. */
  fault: string | undefined;

  readonly #latencies: number[];
  readonly #registered = Promise.withResolvers<void>();
  #increment = 1;
  #asked: { kind: "odd" | "even"; at: number; after: number } | undefined;
  #due = Infinity;
  #text = "";

  constructor(id: number, connection: Deno.TcpConn, latencies: number[]) {
    this.id = id;
    this.connection = connection;
    this.#latencies = latencies;
    this.#receive();
  }

  /** Sends the ID; resolves when the server has answered or closed, or is late. */
  async register(): Promise<void> {
    this.#send(`${this.id} `);
    const late = () => {
      this.fault ??= "it got no number within 60 s";
      this.#registered.resolve();
    };
    const timer = setTimeout(late, 60_000);
    await this.#registered.promise;
    clearTimeout(timer);
  }

  /** Sends the next number, and a request when one is due. */
  tick(now: number, [min, max]: [number, number]): void {
    if (this.fault) return;
    const number = (this.sent.at(-1) ?? this.start) + this.#increment;
    this.sent.push(number);
    if (this.#due === Infinity) this.#due = now + Math.random() * max;
    if (now < this.#due || this.#asked) return this.#send(`${number} `);
    this.#due = now + min + Math.random() * (max - min);
    this.ask(`${number} `);
  }

  /** Sends a request, after what else there is to send. */
  ask(text = ""): void {
    if (this.fault || this.#asked) return;
    const kind = Math.random() < 0.5 ? "odd" : "even";
    this.#asked = { kind, at: performance.now(), after: this.sent.length };
    this.#send(`${text}${kind} `);
  }

  /** Whether a request waits for its answer. */
  get waiting(): boolean {
    return this.#asked !== undefined && this.fault === undefined;
  }

  #send(text: string): void {
    this.connection.write(new TextEncoder().encode(text))
      .catch((error) => this.fault ??= `cannot send: ${error}`);
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(64);
    while (true) {
      const count = await this.connection.read(buffer).catch(() => null);
      if (count === null) break;
      this.#text += new TextDecoder().decode(buffer.subarray(0, count));
      const messages = this.#text.split(" ");
      this.#text = messages.pop() ?? "";
      for (const message of messages) this.#take(message);
    }
    this.fault ??= "the server closed the connection";
    this.#registered.resolve();
  }

  #take(message: string): void {
    const number = /^\d+$/.test(message) ? Number(message) : NaN;
    if (Number.isNaN(this.start)) {
      this.start = number;
      this.#registered.resolve();
    } else if (this.#asked) {
      const { kind, at, after } = this.#asked;
      const odd = kind === "odd" ? 1 : 0;
      if (!(number >= 0 && number <= 99 && number % 2 === odd)) {
        this.fault = `"${kind}" was answered with "${message}"`;
      }
      this.#latencies.push(performance.now() - at);
      this.#asked = undefined;
      this.#increment = number;
      this.answered = after;
      this.answers++;
    } else {
      this.fault = `"${message}" came unasked`;
    }
  }
}

/** Clients that connect and count together. */
export class Crowd implements Disposable {
  readonly members: Member[] = [];
  /** From each request to its answer (ms). */
  readonly latencies: number[] = [];
  readonly #options: CrowdOptions;

  private constructor(options: CrowdOptions) {
    this.#options = options;
  }

  /** Connects all of them, 200 at a time, and waits until each has its number. */
  static async connect(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options);
    const { port, clients, firstId = 0 } = options;
    const join = async (id: number) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const member = new Member(id, connection, crowd.latencies);
      crowd.members.push(member);
      await member.register();
    };
    for (let first = 0; first < clients; first += 200) {
      const length = Math.min(200, clients - first);
      await Promise.all(
        Array.from({ length }, (_, index) => join(firstId + first + index)),
      );
    }
    return crowd;
  }

  /**
   * Lets them count for a time (ms), evenly spread. At the end each asks once
   * more, for at most 10 s: what is answered is in the log. With `abruptly` none
   * does, as when the server is about to be killed.
   */
  async count(ms: number, abruptly = false): Promise<void> {
    const { tick = 500, pause = [3_000, 5_000] } = this.#options;
    const { members } = this;
    const begin = performance.now();
    let done = 0;
    for (let now = begin; now - begin < ms; now = performance.now()) {
      const target = Math.floor((now - begin) / tick * members.length);
      for (; done < target; done++) {
        members[done % members.length]?.tick(now, pause);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (abruptly) return;
    const end = performance.now() + 10_000;
    const settle = async () => {
      while (
        performance.now() < end && members.some(({ waiting }) => waiting)
      ) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await settle();
    const { length } = this.latencies;
    for (const member of members) member.ask();
    await settle();
    this.latencies.length = length; // so many at once tell nothing
  }

  /** What was wrong, a line for each client that has a reason to complain. */
  faults(): string[] {
    return this.members.flatMap(({ id, fault, waiting }) => {
      const what = fault ?? (waiting ? "a request was not answered" : "");
      return what === "" ? [] : `client ${id}: ${what}`;
    });
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    for (const { connection } of this.members) connection.close();
  }
}

/** The numbers that a log holds, in order, for each client. */
export async function loggedNumbers(
  file: string,
): Promise<Map<number, number[]>> {
  const logged = new Map<number, number[]>();
  for (const line of (await Deno.readTextFile(file)).split("\n").slice(0, -1)) {
    const [, id, number] =
      /^\S+Z INFO Value calculated by client (\d+): (-?\d+)$/.exec(line) ?? [];
    if (id === undefined) continue;
    const numbers = logged.get(Number(id)) ?? [];
    numbers.push(Number(number));
    logged.set(Number(id), numbers);
  }
  return logged;
}

/**
 * Compares what clients sent with what came into the log since `before`: each
 * number once and in order. With `killed`, what was sent after the last answer
 * may be missing; but nothing else may.
 */
export function logFaults(
  members: readonly Member[],
  logged: Map<number, number[]>,
  { before = new Map<number, number[]>(), killed = false } = {},
): string[] {
  return members.flatMap(({ id, sent, answered }) => {
    const old = before.get(id)?.length ?? 0;
    const numbers = logged.get(id)?.slice(old) ?? [];
    const least = killed ? answered : sent.length;
    if (numbers.length < least || numbers.length > sent.length) {
      return `client ${id}: sent ${sent.length}, logged ${numbers.length}`;
    }
    const differs = numbers.findIndex((number, i) => number !== sent[i]);
    return differs < 0 ? [] : `client ${id}: number ${differs} differs`;
  });
}

if (import.meta.main) {
  const { port, clients, seconds, log } = parseArgs(Deno.args, {
    string: ["port", "clients", "seconds", "log"],
    default: {
      port: "2004",
      clients: "10001",
      seconds: "60",
      log: "server.log",
    },
  });
  const before = await loggedNumbers(log).catch(() => new Map());
  const begin = performance.now();
  using crowd = await Crowd.connect({
    port: Number(port),
    clients: Number(clients),
  });
  const connecting = Math.round(performance.now() - begin);
  console.log(`${crowd.members.length} connected in ${connecting} ms`);
  await crowd.count(Number(seconds) * 1000);
  const sent = crowd.members.reduce((sum, { sent }) => sum + sent.length, 0);
  const answers = crowd.latencies.toSorted((a, b) => a - b);
  const at = (share: number) =>
    answers[Math.floor(share * (answers.length - 1))]?.toFixed(1);
  console.log(`${sent} numbers sent, ${answers.length} requests answered`);
  console.log(`answers: median ${at(0.5)} ms, 99 % ${at(0.99)}, all ${at(1)}`);
  const faults = [
    ...crowd.faults(),
    ...logFaults(crowd.members, await loggedNumbers(log), { before }),
  ];
  console.log(`${faults.length} faults`, faults.slice(0, 5));
  Deno.exit(faults.length > 0 ? 1 : 0);
}
