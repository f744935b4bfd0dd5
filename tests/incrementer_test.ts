import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertNotMatch,
} from "@std/assert";
import { join } from "@std/path";
import { setTimeout as pause } from "node:timers/promises";
import {
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  freeze,
  noSignals,
  PATIENCE_MS,
  Program,
  ROOT,
  start,
  TcpListener,
  TcpPeer,
  unusedPort,
  within,
} from "./assertions.ts";
import { Crowd, logFaults, loggedNumbers } from "./incrementer_load.ts";
import { Hosts, needsHosts } from "./hosts.ts";
import { find, needs } from "./needs.ts";
import { together } from "./together.ts";

/** A server with a log of its own, which outlives it until the test ends. */
class Log implements AsyncDisposable {
  readonly file: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.file = join(folder, "server.log");
  }

  static async create(...content: BlobPart[]): Promise<Log> {
    const log = new Log(await Deno.makeTempDir({ prefix: "incrementer-" }));
    await Deno.writeFile(log.file, await new Blob(content).bytes());
    return log;
  }

  /** Starts a server that uses it. */
  async serve(
    script = ["incrementer/server.ts"],
  ): Promise<{ server: Program; port: number } & AsyncDisposable> {
    const { file } = this;
    const server = new Program("incrementer:server", [
      ...["run", "--allow-net=127.0.0.1"],
      ...[`--allow-read=${file}`, `--allow-write=${file}`],
      ...[...script, "--port", "0", "--log", file],
    ]);
    const stop = () => server[Symbol.asyncDispose]();
    try {
      const [, port] = await server.prints(/ONLINE on [\d.]+:(\d+)\n/);
      return { server, port: Number(port), [Symbol.asyncDispose]: stop };
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /** Its lines without the times, which must be there. */
  async lines(): Promise<string[]> {
    const lines = (await Deno.readTextFile(this.file)).split("\n");
    assertEquals(lines.pop(), "");
    return lines.map((line) => {
      assertMatch(
        line,
        /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z (INFO|WARN) [ -~\ufffd\xa0-\xff]+$/,
      );
      return line.slice(line.indexOf(" ") + 1);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Arguments of a client that counts fast, connected from the start. */
const FAST = ["--tick", "50", "--pause", "200-300", "--connect"];

async function startClient(port: number, ...args: string[]): Promise<Program> {
  const all = ["--port", `${port}`, ...FAST, ...args];
  return await start("incrementer:client", all);
}

/** Tests that mostly wait: several run at a time. */
const waiting: Deno.TestDefinition[] = [];

/** A log as the server writes it. */
function logOf(texts: string[]): string {
  const time = "2026-01-31T12:00:00.000Z";
  return texts.map((text) => `${time} ${text}\n`).join("");
}

/** Asserts from what number a client goes on; returns it connected. */
async function assertGoesOn(
  port: number,
  id: number,
  number: number,
): Promise<TcpPeer> {
  const peer = await TcpPeer.connect(port);
  await peer.send(`${id} `);
  await peer.assertReplies(`${number} `);
  return peer;
}

waiting.push({
  name: "incrementer: a pair counts, stops, and goes on",
  async fn() {
    await using log = await Log.create();
    await using started = await log.serve();
    const { server, port } = started;
    await using client = await startClient(port, "--id", "7");
    await assertPrints(client, "Connected with ID 7, last number: 0\n");
    await assertPrints(client, "Number: 2\n");
    await client.type("c");
    await assertPrints(client, "Client already running!\n");
    await assertPrints(client, /(New increment: \d+\n[^]*Number: [^]*){2}/);
    await client.type("s");
    await assertPrints(client, "Client is OFFLINE\n");
    await client.type("s");
    await assertPrints(client, "Client isn't running!\n");
    const numbers = client.stdout.match(/(?<=Number: )\d+/g) ?? [];
    const from = client.stdout.length;
    await client.type("c");
    const [, last] = await assertPrints(client, /last number: (\d+)\n/, from);
    await assertPrints(client, `Number: ${Number(last) + 1}\n`, from);
    assert(Number(last) >= Number(numbers.at(-1)));
    await client.type("exit");
    await assertExits(client, 0);
    await assertPrints(
      server,
      /Client 7 disconnected[^]*Client 7 disconnected/,
    );
    server.kill("SIGTERM");
    if (noSignals) return;
    await assertExits(server, 0);
    const [row] = /^ +7 +\d+ +\d+$/m.exec(server.stdout) ?? [];
    const logged = (await loggedNumbers(log.file)).get(7) ?? [];
    assertEquals(row?.trim().split(/ +/)[2], `${logged.at(-1)}`);
    assertEquals(logged.slice(0, numbers.length), numbers.map(Number));
  },
});

waiting.push({
  name:
    "incrementer/server: an ID without a blank, messages in one, one in two",
  async fn() {
    await using log = await Log.create();
    await using started = await log.serve();
    using peer = await TcpPeer.connect(started.port);
    await peer.send("42");
    await peer.assertReplies("0 ");
    await peer.send("1 2 3 od");
    await new Promise((resolve) => setTimeout(resolve, 500));
    await peer.send("d 10");
    const odd = await numberFrom(peer);
    assertEquals(odd % 2, 1);
    await peer.send("4  even "); // a blank too many says nothing
    assertEquals(await numberFrom(peer) % 2, 0);
    assertEquals((await loggedNumbers(log.file)).get(42), [1, 2, 3, 104]);

    using late = await TcpPeer.connect(started.port);
    await late.send("43");
    await late.assertReplies("0 ");
    await late.send(" 1 odd "); // the ID's blank came late
    await numberFrom(late);
    assertEquals((await loggedNumbers(log.file)).get(43), [1]);
  },
});

/** The next number that the server sends. */
async function numberFrom(peer: TcpPeer): Promise<number> {
  const [, number] = await peer.assertMatches(/^(\d\d?) /);
  return Number(number);
}

waiting.push({
  name: "incrementer/server: what is no message ends that connection alone",
  async fn() {
    await using log = await Log.create();
    await using started = await log.serve();
    const { server, port } = started;
    using bystander = await assertGoesOn(port, 1, 0);
    const forged =
      "2026-01-31T12:00:00.000Z INFO Value calculated by client 1: 666";
    const random = crypto.getRandomValues(new Uint8Array(65536));
    random[0] = 0xff;
    const bad: (string | Uint8Array)[] = [
      ...[
        "\n",
        "7\r\n",
        "\x1b[2J\x1b]0;title\x07",
        "ODD",
        "1.5",
        "1e3",
        "0x10",
      ],
      ...["9007199254740992", "--1", "é", "\0", `\n${forged}\n`],
      ...[
        forged,
        "8".repeat(33),
        "x".repeat(10_000_000),
        random,
        "1".repeat(17),
      ],
    ];
    for (const [index, message] of bad.entries()) {
      using peer = await assertGoesOn(port, 100 + index, 0);
      await peer.send("5 ").then(() => peer.send(message)).then(() =>
        peer.send(" ")
      )
        .catch(() => {}); // it is closed before all of it is sent
      await peer.assertCloses();
      using again = await assertGoesOn(port, 100 + index, 5);
      await again.send("odd ");
      await numberFrom(again);
    }
    for (const id of ["10001", "-1", "x", "1.5", "99999999999", "\n5"]) {
      using peer = await TcpPeer.connect(port);
      await peer.send(`${id} `);
      await peer.assertCloses();
    }
    await bystander.send("1 odd ");
    await numberFrom(bystander);
    const lines = await log.lines(); // all printable
    assertEquals(
      lines.filter((line) => /refused: it sent/.test(line)).length,
      bad.length,
    );
    assertEquals(
      lines.filter((line) => /refused: no ID from/.test(line)).length,
      6,
    );
    assertEquals((await loggedNumbers(log.file)).get(1), [1]);
    for (const line of lines) assertLess(line.length, 200);
    assertNotMatch(server.stdout, /[^ -~\n\ufffd\xa0-\xff]/);
    assertEquals(server.stderr, "");
  },
});

waiting.push({
  name: "incrementer/server: an ID that is connected already is refused",
  async fn() {
    await using log = await Log.create();
    await using started = await log.serve();
    const { port } = started;
    using first = await assertGoesOn(port, 10_000, 0);
    using second = await TcpPeer.connect(port);
    await second.send("10000 ");
    await second.assertCloses();
    await first.send("3 odd ");
    await numberFrom(first);
    assertMatch(
      (await log.lines()).join("\n"),
      /WARN Port \d+ refused: ID 10000 is connected already/,
    );
    await using client = await startClient(port, "--id", "10000");
    await assertPrints(client, "ID 10000 is refused, trying again\n");
  },
});

waiting.push({
  name: "incrementer/client: tries another ID, and keeps the one that it got",
  async fn() {
    using listener = new TcpListener();
    await using client = await startClient(listener.port);
    for (let i = 0; i < 3; i++) {
      using peer = await listener.accept();
      await peer.connection.read(new Uint8Array(20));
    }
    const peer = await listener.accept();
    await peer.send("12");
    const [, id] = await assertPrints(
      client,
      /with ID (\d+), last number: 12\n/,
    );
    await peer.assertReplies(`${id} 13 `);
    assertEquals(client.stdout.match(/is refused, trying another/g)?.length, 3);
    peer.connection.close();
    const closed = "Client is OFFLINE: the server closed the connection\n";
    await assertPrints(client, closed);
    await client.type("c");
    for (let i = 0; i < 2; i++) { // also when it is refused now
      using again = await listener.accept();
      await again.assertReplies(`${id} `);
    }
  },
});

waiting.push({
  name:
    "incrementer/client: its ID goes without a blank to who answers at once",
  async fn() {
    using listener = new TcpListener();
    await using client = await startClient(listener.port, "--id", "7");
    // It waits for 100 ms. On a busy machine our answer may come later.
    for (let tries = 0, text = ""; text !== "711 "; tries++) {
      assert(tries < 20, text);
      using peer = await listener.accept();
      await peer.send("10 ");
      [text] = await peer.assertMatches(/.*11 /);
      const from = client.stdout.length;
      peer.connection.close();
      await assertPrints(client, "Client is OFFLINE: ", from);
      await client.type("c");
    }
  },
});

waiting.push({
  name:
    "incrementer/client: a server without sentinels, cut and joined numbers",
  async fn() {
    using listener = new TcpListener();
    await using client = await startClient(listener.port, "--pause", "0-0");
    using peer = await listener.accept();
    await peer.send("4");
    await peer.send("0");
    await assertPrints(client, "last number: 40\n");
    await assertPrints(client, /Request for an (odd|even) number\n/);
    await peer.send("1000");
    await pause(2_000); // so that was all of it
    await peer.send("5 6 7");
    await assertPrints(client, "New increment: 1000\n");
    await assertPrints(client, "New increment: 6\n");
    await assertPrints(client, "New increment: 7\n");
    await peer.send("\x1b[2J ");
    await assertPrints(client, "OFFLINE: what the server sent is no number\n");
  },
});

waiting.push({
  name: "incrementer/client: a server that is not there, or goes away",
  async fn() {
    await using client = await startClient(unusedPort());
    await assertPrints(
      client,
      /OFFLINE: .*refused.* Is the server running\?\n/,
    );
    await client.type("nonsense");
    await client.type("exit");
    await assertExits(client, 0);

    await using log = await Log.create();
    await using started = await log.serve();
    await using other = await startClient(started.port);
    await assertPrints(other, "Number: 1\n");
    started.server.kill("SIGKILL");
    await assertPrints(other, "Client is OFFLINE: ");
    await other.endInput(); // counts as exit
    await assertExits(other, 0);
  },
});

waiting.push({
  name: "incrementer/server: goes on from a log, and ignores what is not one",
  async fn() {
    const noise = new Uint8Array(3_000_000);
    for (let i = 0; i < noise.length; i += 50_000) {
      crypto.getRandomValues(noise.subarray(i, i + 50_000));
    }
    const lines = [
      "INFO Value calculated by client 5: 50",
      "INFO Value calculated by client 6: -60",
      "INFO Odd number sent to client 6: 61",
      "WARN Value calculated by client 5: 1",
      "INFO Value calculated by client 5: 2 and more",
      "INFO Value calculated by client 10001: 3",
      "INFO Port 1 refused: it sent 4 Value calculated by client 5: 4",
      "INFO Counter sent to client 8: 80",
      "INFO Value calculated by client 10: 100\r", // an editor has been there
      "INFO Even number sent to client 10: 44\r",
    ];
    const last = logOf(["INFO Value calculated by client 7: 70"]);
    const torn = logOf(["INFO Value calculated by client 5: 51"]).slice(0, -2);
    await using log = await Log.create(logOf(lines), noise, "\n", last, torn);
    {
      // Its first line must not end the torn one.
      await using started = await log.serve();
      using _ = await assertGoesOn(started.port, 9, 0);
      const text = await Deno.readTextFile(log.file);
      assertMatch(text, / \(torn\)\n\d{4}-\S+ INFO SERVER ONLINE/);
    }
    await using started = await log.serve();
    using _5 = await assertGoesOn(started.port, 5, 50);
    using _6 = await assertGoesOn(started.port, 6, -60);
    using _7 = await assertGoesOn(started.port, 7, 70);
    using _8 = await assertGoesOn(started.port, 8, 80);
    using _9 = await assertGoesOn(started.port, 9, 0);
    using _10 = await assertGoesOn(started.port, 10, 100);
    if (noSignals) return;
    started.server.kill("SIGTERM");
    await assertPrints(started.server, /^ +6 +61 +-60$/m);
    await assertPrints(started.server, /^ +10 +44 +100$/m);
    assertNotMatch(started.server.stdout, /^ +10001 /m);
  },
});

waiting.push({
  name: "incrementer/server: reads 300,000 lines back",
  async fn() {
    const numbers = Array.from(
      { length: 300_000 },
      (_, index) =>
        `INFO Value calculated by client ${index % 10_001}: ${index}`,
    );
    await using log = await Log.create(logOf(numbers));
    await using started = await log.serve();
    using _peer = await assertGoesOn(started.port, 9_970, 299_999);
  },
});

waiting.push({
  name: "incrementer: kill -9 under load loses nothing that was answered",
  async fn() {
    await using log = await Log.create();
    const clients = 300, tick = 100;
    const pause: [number, number] = [300, 500];
    let members;
    {
      await using started = await log.serve();
      const { server, port } = started;
      using crowd = await Crowd.connect({ port, clients, tick, pause });
      await crowd.count(1_500, true);
      server.kill("SIGKILL");
      await server.ended;
      members = crowd.members;
    }
    assert(members.some(({ answers }) => answers > 0));
    const before = await loggedNumbers(log.file);
    assertEquals(logFaults(members, before, { killed: true }), []);

    await using started = await log.serve();
    const { port } = started;
    using crowd = await Crowd.connect({ port, clients, tick, pause });
    for (const { id, start } of crowd.members) {
      // The server may have been killed before this client's first number.
      assertEquals(start, before.get(id)?.at(-1) ?? 0);
    }
    await crowd.count(500);
    assertEquals(crowd.faults(), []);
    const logged = await loggedNumbers(log.file);
    assertEquals(logFaults(crowd.members, logged, { before }), []);
  },
});

waiting.push({
  name:
    "incrementer/server: SIGUSR2 shows the table; end of input stops nothing",
  ignore: noSignals,
  async fn() {
    await using log = await Log.create();
    await using started = await log.serve();
    const { server, port } = started;
    await server.endInput();
    using peer = await assertGoesOn(port, 77, 0);
    await peer.send("5 odd ");
    const odd = await numberFrom(peer);
    server.kill("SIGUSR2");
    await assertPrints(server, new RegExp(`^ +77 +${odd} +5$`, "m"));
    server.kill("SIGINT");
    await assertExits(server, 0);
    await peer.assertCloses();
  },
});

waiting.push({
  name: "incrementer/server: 32 bytes may wait for their blank",
  async fn() {
    await using log = await Log.create();
    await using started = await log.serve();
    using peer = await assertGoesOn(started.port, 1, 0);
    await peer.send("x".repeat(33)); // and no blank
    await peer.assertCloses();
    using other = await assertGoesOn(started.port, 1, 0);
    await other.send(`${"0".repeat(15)}7 ${"1".repeat(32)}`);
    using third = await assertGoesOn(started.port, 2, 0); // meanwhile
    assertNotMatch(started.server.stdout, /1{32}/); // it waits
    await other.send(" ");
    await other.assertCloses();
    await third.send("1 odd ");
    await numberFrom(third);
    const lines = await log.lines();
    assertEquals(
      lines.filter((line) => line.includes("refused: ")),
      [
        `WARN Client 1 refused: it sent "${"x".repeat(33)}"`,
        `WARN Client 1 refused: it sent "${"1".repeat(32)}"`,
      ],
    );
    assertEquals((await loggedNumbers(log.file)).get(1), [7]);
  },
});

waiting.push({
  name:
    "incrementer/client: its ID goes out alone, the blank when no answer comes",
  async fn() {
    using listener = new TcpListener();
    await using client = await startClient(listener.port, "--id", "3425");
    {
      using strict = await listener.accept();
      await strict.assertReplies("3425 ");
    }
    using original = await listener.accept();
    const buffer = new Uint8Array(100);
    const size = await within(
      PATIENCE_MS,
      original.connection.read(buffer),
      "the ID",
    );
    assertEquals(
      new TextDecoder().decode(buffer.subarray(0, size ?? 0)),
      "3425",
    );
    await original.send("5");
    await original.assertMatches(/^ ?6 7 /); // a slow machine may send the blank
    await assertPrints(client, "Connected with ID 3425, last number: 5\n");
  },
});

waiting.push(needs(["python3"], {
  name: "incrementer: programs like the originals, with ours",
  async fn() {
    const python = (...args: string[]) =>
      new Program(
        "python3",
        ["tests/peers/incrementer.py", ...args],
        {},
        ROOT,
        find("python3"),
      );
    await using log = await Log.create();
    await using started = await log.serve();
    for (const last of [0, 27]) {
      await using client = python("client", `${started.port}`, "12");
      await assertExits(client, 0);
      const [, begin, odd, even] =
        /^last (\d+)\nodd (\d+)\neven (\d+)\n$/.exec(client.stdout) ?? [];
      assertEquals([Number(odd) % 2, Number(even) % 2], [1, 0]);
      const numbers = (await loggedNumbers(log.file)).get(12) ?? [];
      assertEquals(Number(begin), last === 0 ? 0 : numbers.at(-7));
      assertEquals(numbers.length, last === 0 ? 6 : 12);
    }

    await using server = python("server");
    const [, port] = await assertPrints(server, /port (\d+)\n/);
    await using client = await startClient(Number(port), "--id", "3425");
    await assertPrints(client, "Connected with ID 3425, last number: 100\n");
    await assertPrints(client, /New increment: [78]\n/);
    await client.type("s");
    await assertPrints(client, "Client is OFFLINE\n");
    assertMatch(server.stdout, /^ID \[3425 ?\]\nnumber 101\nnumber 102\n/m);
    assertEquals(server.stderr, "");
  },
}));

waiting.push(needs(["python3"], {
  name: "incrementer/server: clients that leave before accept() cost nothing",
  ignore: noSignals,
  async fn() {
    await using log = await Log.create();
    await using started = await log.serve();
    const { server, port } = started;
    using before = await assertGoesOn(port, 1, 0);
    await freeze(server);
    const reset = `
import socket, struct
for i in range(20):
    s = socket.create_connection(("127.0.0.1", ${port}))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
`;
    await using leaving = new Program(
      "python3",
      ["-c", reset],
      {},
      ROOT,
      find("python3"),
    );
    await assertExits(leaving, 0);
    server.kill("SIGCONT");
    using after = await assertGoesOn(port, 2, 0);
    await before.send("1 odd ");
    await numberFrom(before);
    await after.send("1 odd ");
    await numberFrom(after);
    assertNotMatch(server.stdout, /open files/);
  },
}));

waiting.push({
  name:
    "incrementer/server: used-up descriptors make clients wait, and it goes on",
  ignore: noSignals,
  async fn() {
    await using log = await Log.create();
    const { file } = log;
    const limit = 'ulimit -n 60 && exec "$@"';
    const deno = [Deno.execPath(), "run", "--allow-net=127.0.0.1"];
    const script = ["incrementer/server.ts", "--port", "0", "--log", file];
    const files = [`--allow-read=${file}`, `--allow-write=${file}`];
    const args = ["-c", limit, "sh", ...deno, ...files, ...script];
    await using server = new Program("server", args, {}, ROOT, "/bin/sh");
    const [, port] = await assertPrints(server, /ONLINE on [\d.]+:(\d+)\n/);
    {
      using stack = new DisposableStack();
      for (let i = 0; i < 60; i++) {
        stack.use(await TcpPeer.connect(Number(port)));
      }
      await assertPrints(server, "Too many open files: clients must wait.");
      assertEquals(server.status, undefined);
      await pause(1_500); // it must not ask all the time
      const times = server.stdout.match(/Too many open files/g)?.length ?? 0;
      assertLess(times, 5);
    }
    using peer = await assertGoesOn(Number(port), 5, 0);
    await peer.send("5 odd ");
    await numberFrom(peer);
  },
});

waiting.push({
  name: "incrementer/server: what it cannot log, it does not serve",
  async fn() {
    await using log = await Log.create();
    const elsewhere = ["--port", "0", "--log", log.file];
    await assertFails(
      "incrementer:server",
      elsewhere,
      1,
      /^Cannot use .*--allow-(read|write)/,
    );
    if (Deno.build.os !== "linux") return;
    const args = ["incrementer/server.ts", "--port", "0", "--log", "/dev/full"];
    await using server = new Program("a full disk", ["run", "-A", ...args]);
    await assertExits(server, 1);
    assertComplaint(server, /^Cannot use \/dev\/full: No space left on device/);
  },
});

/** The limit for silence (30 s) in copies of the scripts, to reach it sooner. */
const SILENCE_MS = 6_000;

/** A folder with both scripts, which take silence for a fifth of its time. */
class Impatient implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async create(): Promise<Impatient> {
    const folder = await Deno.makeTempDir({ prefix: "impatient-" });
    for (const name of ["server.ts", "client.ts"]) {
      const text = await Deno.readTextFile(join(ROOT, "incrementer", name));
      const [patient] = /const SILENCE_MS = 30_000;$/m.exec(text) ?? [];
      assert(patient, `${name} has no limit of 30 s`);
      const copy = text.replace(patient, `const SILENCE_MS = ${SILENCE_MS};`)
        .replace("SILENCE_MS + 5_000", "SILENCE_MS + 1_000");
      await Deno.writeTextFile(join(folder, name), copy);
    }
    return new Impatient(folder);
  }

  /** The words that run one of them. */
  script(name: string): string[] {
    return ["--config", join(ROOT, "deno.json"), join(this.folder, name)];
  }

  client(port: number, ...args: string[]): Program {
    const words = ["--allow-net=127.0.0.1", ...this.script("client.ts")];
    const all = [...words, "--port", `${port}`, ...FAST, ...args];
    return new Program("an impatient client", ["run", ...all]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Waits that take as long as the limit for silence, at the same time. */
Deno.test("incrementer: silence ends a connection after its time, and not before", async (t) => {
  await using impatient = await Impatient.create();
  await using log = await Log.create();
  await using started = await log.serve(impatient.script("server.ts"));
  const { server, port } = started;
  const begin = performance.now();
  const assertWaited = () => {
    const ms = performance.now() - begin;
    assert(ms >= SILENCE_MS - 200, `only after ${ms} ms`);
  };
  const closes = async (peer: TcpPeer) => {
    const text = await within(60_000, untilClosed(peer), "an end");
    assertWaited();
    return text;
  };
  const cases: Record<string, () => Promise<void>> = {
    async "a client without an ID"() {
      using peer = await TcpPeer.connect(port);
      assertEquals(await closes(peer), "");
    },
    async "a client with half a message"() {
      using peer = await TcpPeer.connect(port);
      await peer.send("1 12");
      assertEquals(await closes(peer), "0 ");
    },
    async "one that says something now and then stays"() {
      using peer = await assertGoesOn(port, 2, 0);
      await pause(SILENCE_MS * 0.55);
      await peer.send("1 ");
      await pause(SILENCE_MS * 0.55);
      await peer.send("2 odd ");
      await numberFrom(peer);
    },
    async "our client, when its old connection has vanished"() {
      using _vanished = await assertGoesOn(port, 3, 0);
      await using client = await startClient(port, "--id", "3");
      await assertPrints(client, "ID 3 is refused, trying again\n");
      await client.prints("Connected with ID 3, last number: 0\n", {
        ms: 60_000,
      });
      assertWaited();
      const tries = client.stdout.match(/trying again/g)?.length ?? 0;
      assertLess(tries, 15); // not without a pause
    },
    async "our client gives up an ID that stays in use"() {
      using peer = await assertGoesOn(port, 4, 0);
      await using client = impatient.client(port, "--id", "4");
      const gaveUp = client.prints("OFFLINE: the server refuses ID 4.", {
        ms: 90_000,
      });
      let over = false;
      gaveUp.finally(() => over = true).catch(() => {});
      for (let i = 1; !over; i++) {
        await peer.send(`${i} `);
        await pause(500);
      }
      await gaveUp;
      assertWaited();
    },
    async "our client, without a first number"() {
      using listener = new TcpListener();
      await using client = impatient.client(listener.port);
      using _peer = await listener.accept();
      const says = "OFFLINE: the server does not answer\n";
      await client.prints(says, { ms: 60_000 });
      assertWaited();
    },
    async "our client, without an increment"() {
      using listener = new TcpListener();
      await using client = impatient.client(listener.port);
      using peer = await listener.accept();
      await peer.send("1 ");
      const says = "OFFLINE: the server does not answer\n";
      await client.prints(says, { ms: 60_000 });
      assertWaited();
      assertEquals(client.stdout.match(/Request for/g)?.length, 1);
    },
  };
  const free = {
    ...{ sanitizeOps: false, sanitizeResources: false, sanitizeExit: false },
  };
  const across = {
    name: "between hosts: a cut and a vanished machine",
    fn: () => cutAndVanish(impatient),
  };
  const { ignore = false } = needsHosts(across);
  await Promise.all([
    ...Object.entries(cases).map(([name, fn]) => t.step({ name, fn, ...free })),
    t.step({ ...needsHosts(across), ignore, ...free }),
  ]);
  await assertPrints(server, /Port \d+ refused: it was silent for 30 s/);
  await assertPrints(server, /Client 1 refused: it was silent for 30 s/);
});

/** At 100 ms of round trip: one client is cut off for a time, one for ever. */
async function cutAndVanish(impatient: Impatient): Promise<void> {
  await using hosts = await Hosts.create();
  await hosts.set({ delay: 50 });
  const { a, b, c } = hosts;
  await using log = await Log.create();
  const flags = [`--allow-read=${log.file}`, `--allow-write=${log.file}`];
  const script = impatient.script("server.ts");
  const place = ["--host", a.ipv4, "--log", log.file];
  const args = ["run", "--allow-net", ...flags, ...script, ...place];
  await using server = a.run(Deno.execPath(), args);
  await assertPrints(server, "SERVER ONLINE on 10.77.0.1:2004\n");
  const from = ["--host", a.ipv4, "--connect", "--id"];
  await using cut = await b.start("incrementer:client", [...from, "1"]);
  await using vanishes = await c.start("incrementer:client", [...from, "2"]);
  await assertPrints(cut, "Number: 3\n");
  await assertPrints(vanishes, "Number: 3\n");
  await hosts.set({ dark: ["b", "c"] });
  await pause(SILENCE_MS / 2);
  await hosts.set({ dark: ["c"] });
  await using again = await b.start("incrementer:client", [...from, "2"]);
  await assertPrints(again, "ID 2 is refused, trying again\n");
  await again.prints(/Connected with ID 2, last number: \d+\n/, { ms: 60_000 });
  assertMatch(server.stdout, /Client 2 refused: it was silent for 30 s/);
  const seen = server.stdout.length;
  await assertPrints(server, "Value calculated by client 1: ", seen);
  assertNotMatch(cut.stdout, /OFFLINE/);
  await cut.type("s");
  await assertPrints(cut, "Client is OFFLINE\n");
  await assertPrints(server, "Client 1 disconnected\n");
  const sent = cut.stdout.match(/(?<=Number: )\d+/g)?.map(Number);
  const logged = (await loggedNumbers(log.file)).get(1);
  assertEquals(logged?.slice(0, sent?.length), sent);
}

/** What the server says until it closes, however long that takes. */
async function untilClosed({ connection }: TcpPeer): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(1024);
  while (true) {
    const size = await connection.read(buffer).catch(() => null);
    if (size === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, size));
  }
}

for (let part = 1; waiting.length > 0; part++) {
  Deno.test(
    together(`incrementer: side by side, ${part}`, waiting.splice(0, 6)),
  );
}
