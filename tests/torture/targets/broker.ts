/**
 * The converting servers, and the brokers in front of them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { unusedPort } from "../../assertions.ts";
import { freeUdpPort } from "../../bench/load/udp.ts";
import { accepts, installed, ours, Server } from "../../bench/servers.ts";
import {
  type Attack,
  attempts,
  pause,
  type Scene,
  type Target,
  type Victim,
} from "../attack.ts";
import type { Random } from "../random.ts";
import { ask, udpAttacks, udpSocket } from "../udp.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const upper = (random: Random) => encode(random.word());
const request = (random: Random) =>
  encode(`${random.pick("toupper", "tolower")}:${random.word()}`);

/** Programs that are killed and started again while others use them. */
class Crew implements AsyncDisposable {
  readonly #commands = new Map<string, string[]>();
  readonly #running = new Map<string, Server>();
  #complaints = "";
  /** When the last of them was ready. */
  lastStart = 0;

  start(name: string, command: string[]): void {
    this.#commands.set(name, command);
    this.#running.set(name, new Server(command));
  }

  /** Kills it as nobody can prevent, and starts it again after a while (ms). */
  async killed(name: string, ms: number): Promise<void> {
    const server = this.#running.get(name);
    server?.kill("SIGKILL");
    await server?.ended;
    this.#complaints += server?.complaints ?? "";
    await pause(ms);
    this.start(name, this.#commands.get(name) ?? []);
  }

  pid(name: string): number {
    return this.#running.get(name)?.pid ?? 0;
  }

  pids(): number[] {
    return [...this.#running.values()].map(({ pid }) => pid);
  }

  complaints(): string {
    const running = [...this.#running.values()];
    return running.reduce((text, it) => text + it.complaints, this.#complaints);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#running.values()) {
      await server[Symbol.asyncDispose]();
    }
  }
}

/** A broker, and what it may excuse itself for. */
interface BrokerVictim extends Victim {
  crew: Crew;
  /**
   * Operations that may be answered `error: …`, and are asked for again then:
   * while a server is down, and while a flood makes systems drop datagrams.
   */
  excused: Set<string>;
}

/** So many errors in a row are not due to a flood, nor to a short outage. */
const EXCUSES = 50;

const OPERATIONS = ["toupper", "tolower"];

function brokerVictim(port: number, crew: Crew): BrokerVictim {
  const excused = new Set(OPERATIONS);
  return {
    port,
    crew,
    excused,
    witnesses: 4,
    pids: () => crew.pids(),
    lastStart: () => crew.lastStart,
    complaints: () => crew.complaints(),
    async check(random) {
      const operation = random.pick("toupper", "tolower");
      const text = random.word();
      let answer = await ask(port, encode(`${operation}:${text}`));
      for (
        let tries = 0;
        answer.startsWith("error: ") && excused.has(operation) &&
        tries < EXCUSES;
        tries++
      ) {
        await pause(100);
        answer = await ask(port, encode(`${operation}:${text}`));
      }
      const right = operation === "toupper"
        ? text.toUpperCase()
        : text.toLowerCase();
      assertEquals(answer, right, `${operation}:${text} is answered ${answer}`);
    },
    [Symbol.asyncDispose]: () => crew[Symbol.asyncDispose](),
  };
}

/** Waits until both operations are answered again; nobody helps by hand. */
async function recovered(victim: BrokerVictim): Promise<void> {
  const { port, excused, crew } = victim;
  for (const operation of OPERATIONS) {
    for (let tries = 50;; tries--) {
      const answer = await ask(port, encode(`${operation}:Aa`));
      if (!answer.startsWith("error: ")) break;
      if (tries === 1) throw new Error(`${operation} is not answered again`);
      await pause(200);
    }
  }
  for (const operation of OPERATIONS) excused.add(operation);
  crew.lastStart = performance.now();
}

async function udpBroker(): Promise<BrokerVictim> {
  const crew = new Crew();
  const [broker, upper, lower] = [freeUdpPort(), freeUdpPort(), freeUdpPort()];
  const at = (port: number) => ["--port", `${port}`];
  crew.start("toupper", await ours("broker:toupper", at(upper)));
  crew.start("tolower", await ours("broker:tolower", at(lower)));
  const servers = [
    ...["--toupper", `127.0.0.1:${upper}`],
    ...["--tolower", `127.0.0.1:${lower}`],
  ];
  crew.start(
    "broker",
    await ours("broker:broker", [...at(broker), ...servers]),
  );
  return await ready(brokerVictim(broker, crew));
}

async function natsBroker(): Promise<BrokerVictim> {
  const program = await installed("nats-server");
  const crew = new Crew();
  const [natsPort, broker] = [unusedPort(), freeUdpPort()];
  crew.start("nats", [program, "-a", "127.0.0.1", "-p", `${natsPort}`]);
  while (!await accepts(natsPort)) await pause(20);
  const nats = ["--nats", `nats://127.0.0.1:${natsPort}`];
  for (const [name, operation] of WORKERS) {
    const args = ["--operation", operation, ...nats];
    crew.start(name, await ours("nats:worker", args));
  }
  const args = ["--port", `${broker}`, ...nats];
  crew.start("broker", await ours("nats:broker", args));
  return await ready(brokerVictim(broker, crew));
}

const WORKERS: [string, string][] = [
  ["toupper 1", "toupper"],
  ["toupper 2", "toupper"],
  ["tolower", "tolower"],
];

async function ready(victim: BrokerVictim): Promise<BrokerVictim> {
  try {
    await recovered(victim);
    return victim;
  } catch (error) {
    await victim[Symbol.asyncDispose]();
    throw error;
  }
}

/** What an attack needs of a broker besides its port. */
const victims = new WeakMap<Victim, BrokerVictim>();

/** Kills a partner again and again, for the time that the attack has. */
function killing(
  name: string,
  { partner, excused }: { partner: string; excused: string[] },
): Attack {
  return {
    name,
    slow: true,
    async run(scene) {
      const victim = victims.get(scene.victim);
      assert(victim);
      const kills = {
        ...scene,
        more: (n: number) => n < 1 || n < 3 && scene.more(n),
      };
      const tried = await attempts(kills, 1, async (random) => {
        victim.excused.clear();
        for (const operation of excused) victim.excused.add(operation);
        await victim.crew.killed(partner, random.integer(0, 300));
        await pause(200);
      });
      await recovered(victim);
      return tried;
    },
  };
}

/** Answers from strangers to the very sockets that the broker waits at. */
const forged: Attack = {
  name: "forged answers",
  async run(scene: Scene) {
    const crew = victims.get(scene.victim)?.crew;
    const pid = crew?.pid("broker") ?? 0;
    let ports = await udpPorts(pid);
    return await attempts(scene, 1, async (random) => {
      if (random.chance(0.02)) ports = await udpPorts(pid);
      const socket = udpSocket();
      for (let count = 20; count > 0; count--) {
        const port = random.pick(scene.victim.port, ...ports);
        if (port === scene.victim.port) continue;
        const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
        await socket.send(encode("FORGED"), to).catch(() => {});
      }
      socket.close();
    });
  },
};

/** The ports of a process's UDP sockets, where Linux tells; none elsewhere. */
async function udpPorts(pid: number): Promise<number[]> {
  if (Deno.build.os !== "linux") return [];
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `ls -l /proc/${pid}/fd; cat /proc/net/udp`],
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const inodes = new Set(
    text.matchAll(/socket:\[(\d+)\]/g).map(([, inode]) => inode),
  );
  // Each line: number, local address and port, …, and the inode as the 10th.
  return text.matchAll(/^ *\d+: \w+:(\w{4})(?: +\S+){7} +(\d+) /gm)
    .filter(([, , inode]) => inodes.has(inode))
    .map(([, port = "0"]) => parseInt(port, 16)).toArray();
}

async function converter(name: "toupper" | "tolower"): Promise<Victim> {
  const port = freeUdpPort();
  const server = new Server(
    await ours(`broker:${name}`, ["--port", `${port}`]),
  );
  const convert = (text: string) =>
    name === "toupper" ? text.toUpperCase() : text.toLowerCase();
  return {
    port,
    witnesses: 2,
    pids: () => [server.pid],
    complaints: () => server.complaints,
    async check(random) {
      const text = random.word();
      assertEquals(await ask(port, encode(text)), convert(text));
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Starts it, so that the attacks on it find its crew. */
function remembered(start: () => Promise<BrokerVictim>) {
  return async () => {
    const victim = await start();
    victims.set(victim, victim);
    return victim;
  };
}

/** The servers and both brokers. */
export const brokerTargets: Target[] = [
  {
    name: "udp_toupper",
    start: () => converter("toupper"),
    attacks: udpAttacks(upper),
  },
  {
    name: "udp_tolower",
    start: () => converter("tolower"),
    attacks: udpAttacks(upper),
  },
  {
    name: "udp_broker",
    start: remembered(udpBroker),
    attacks: [
      ...udpAttacks(request),
      forged,
      killing("a server killed", { partner: "tolower", excused: ["tolower"] }),
    ],
  },
  {
    name: "nats_broker",
    start: remembered(natsBroker),
    attacks: [
      ...udpAttacks(request),
      forged,
      killing("a worker killed", {
        partner: "toupper 1",
        excused: ["toupper"],
      }),
      killing("NATS killed", { partner: "nats", excused: OPERATIONS }),
    ],
  },
];
