/**
 * Three machines for tests: network namespaces of this one (Linux, as root),
 * each with its own addresses, ports and programs. The wire between them can be
 * slow, lose packets or be cut; `peers/wire.py` carries each packet.
 *
 * It takes 10.77.0.0/24 and fd77::/64, and nothing outside the namespaces
 * changes: many tests may have their hosts at the same time.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import {
  isScript,
  Program,
  ROOT,
  taskCommand,
} from "../launch/programs/program.ts";
import { find, hasNamespaces, needs } from "./needs.ts";

const WIRE = fromFileUrl(new URL("peers/wire.py", import.meta.url));

/** The wire's conditions; what is not named stays as it is. */
export interface Conditions {
  /** How long each packet takes, in ms: half of a round trip. */
  delay?: number;
  /** How many of 100 packets disappear. The seed is fixed. */
  loss?: number;
  /** The next so many packets that hold this text disappear. */
  lose?: [text: string, times: number];
  /** These hosts are cut off, and nobody is told: a machine that vanished. */
  dark?: string[];
  /** The interface of this host goes down, and its programs are told. */
  down?: string;
  /** The interface of this host goes up again. */
  up?: string;
  /** Host c is behind a router: others see 10.77.0.9 and can only answer. IPv4. */
  nat?: boolean;
  /** Delivers a datagram of IPv4 whose sender is a lie. */
  forge?: [
    from: string,
    fromPort: number,
    to: string,
    toPort: number,
    text: string,
  ];
}

/** One machine. */
export class Host {
  /** Its addresses: 10.77.0.N and fd77::N. */
  readonly ipv4: string;
  readonly ipv6: string;

  /** `name` is a, b or c; `namespace` is what `ip netns` calls it. */
  constructor(
    readonly name: string,
    readonly namespace: string,
    number: number,
  ) {
    this.ipv4 = `10.77.0.${number}`;
    this.ipv6 = `fd77::${number}`;
  }

  /**
   * Starts what a task of `deno.json` runs, with more arguments, on this host.
   * Programs that talk with other machines need the whole network.
   */
  async start(task: string, args: string[] = []): Promise<Program> {
    const command = (await taskCommand(task)).map((word) =>
      isScript(word)
        ? `${ROOT}${word}`
        : word.replace(/^--allow-net=.*/, "--allow-net")
    );
    return this.run(Deno.execPath(), [...command, ...args], task);
  }

  /** Starts any program on this host. Its PID is the program's own. */
  run(
    executable: string,
    args: string[],
    name: string = executable,
    cwd: string = ROOT,
  ): Program {
    const words = ["netns", "exec", this.namespace, executable, ...args];
    return new Program(`${name} on ${this.name}`, words, {}, cwd, find("ip"));
  }

  /** Sets a value of this host's kernel, `net.ipv4.tcp_keepalive_time` say. */
  async sysctl(key: string, value: number): Promise<void> {
    const file = `/proc/sys/${key.replaceAll(".", "/")}`;
    const command = `echo ${value} > ${file}`;
    await using shell = this.run("/bin/sh", ["-c", command], key);
    if (await shell.exits() !== 0) throw new Error(shell.stderr);
  }
}

/**
 * Three hosts and the wire between them. When they are disposed of, and also
 * when the test is killed, they and all that runs on them are gone.
 *
 * @example
 * ```ts ignore
 * Deno.test(needsHosts({
 *   name: "tcp: over 100 ms of round trip",
 *   async fn() {
 *     await using hosts = await Hosts.create();
 *     await hosts.set({ delay: 50 });
 *     await using server = await hosts.a.start("tcp:server", ["--host", "0.0.0.0"]);
 *     await server.prints(/port 12345/);
 *     await using client = await hosts.b.start("tcp:client", ["--host", hosts.a.ipv4]);
 *     await client.prints("Server says: Hello from server!");
 *   },
 * }));
 * ```
 */
export class Hosts implements AsyncDisposable {
  readonly a: Host;
  readonly b: Host;
  readonly c: Host;
  readonly #wire: Program;
  #answers = 0;

  private constructor() {
    const name = `t${crypto.randomUUID().slice(0, 8)}`;
    this.a = new Host("a", `${name}-a`, 1);
    this.b = new Host("b", `${name}-b`, 2);
    this.c = new Host("c", `${name}-c`, 3);
    const python = find("python3");
    this.#wire = new Program("the wire", ["-S", WIRE, name], {}, ROOT, python);
  }

  /** Makes them; the wire is fast and loses nothing. */
  static async create(): Promise<Hosts> {
    const hosts = new Hosts();
    try {
      await hosts.#answer();
      return hosts;
    } catch (error) {
      await hosts[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Changes conditions; they hold when this returns. Returns the number of
   * packets that were taken for delivery since the beginning.
   */
  async set(conditions: Conditions): Promise<number> {
    await this.#wire.type(JSON.stringify(conditions));
    return await this.#answer();
  }

  /** The number of packets that were taken for delivery since the beginning. */
  async packets(): Promise<number> {
    return await this.set({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire.endInput();
    await this.#wire.ended;
  }

  async #answer(): Promise<number> {
    const nth = this.#answers++;
    const line = await this.#wire.until(
      () => this.#wire.stdout.split("\n").slice(0, -1)[nth],
      "answer",
      20_000,
    );
    return JSON.parse(line).packets;
  }
}

/** A test with hosts. Where a system has none, it is ignored, by name. */
export function needsHosts(test: Deno.TestDefinition): Deno.TestDefinition {
  if (Deno.build.os === "linux" && hasNamespaces() && hasTun()) {
    return needs(["ip", "python3"], test);
  }
  const name = `${test.name} (needs network namespaces: Linux, root, ip, TUN)`;
  return { ...test, name, ignore: true };
}

/** Whether the device that makes interfaces opens; Deno itself may not try. */
function hasTun(): boolean {
  const args = ["-c", ": <> /dev/net/tun"];
  const options = { args, stdout: "null", stderr: "null" } as const;
  return new Deno.Command("/bin/sh", options).outputSync().success;
}
