import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import {
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  noSignals,
  Program,
  start,
  startAlone,
  TcpListener,
  TcpPeer,
  unusedPort,
} from "./assertions.ts";
import { Crowd, logFaults, loggedNumbers } from "./incrementer_load.ts";

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
  async serve(): Promise<{ server: Program; port: number } & AsyncDisposable> {
    const { file } = this;
    const server = new Program("incrementer:server", [
      ...["run", "--allow-net=127.0.0.1"],
      ...[`--allow-read=${file}`, `--allow-write=${file}`],
      ...["incrementer/server.ts", "--port", "0", "--log", file],
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
        /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z (INFO|WARN) [ -~]+$/,
      );
      return line.slice(line.indexOf(" ") + 1);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A client that counts fast, connected from the start. */
async function startClient(port: number, ...args: string[]): Promise<Program> {
  const fast = ["--tick", "50", "--pause", "200-300", "--connect"];
  return await start("incrementer:client", [
    "--port",
    `${port}`,
    ...fast,
    ...args,
  ]);
}

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

Deno.test("incrementer: a pair counts, stops, and goes on", async () => {
  await using log = await Log.create();
  await using started = await log.serve();
  const { server, port } = started;
  await using client = await startClient(port, "--id", "7");
  await assertPrints(client, "Connected with ID 7, last number: 0\n");
  await assertPrints(client, "Number: 2\n");
  await client.type("c");
  await assertPrints(client, "Client already running!\n");
  await assertPrints(client, /New increment: \d+\n[^]*Number: /);
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
  await assertPrints(server, /Client 7 disconnected[^]*Client 7 disconnected/);
  server.kill("SIGTERM");
  if (noSignals) return;
  await assertExits(server, 0);
  const [row] = /^ +7 +\d+ +\d+$/m.exec(server.stdout) ?? [];
  const logged = (await loggedNumbers(log.file)).get(7) ?? [];
  assertEquals(row?.trim().split(/ +/)[2], `${logged.at(-1)}`);
  assertEquals(logged.slice(0, numbers.length), numbers.map(Number));
});

Deno.test("incrementer/server: an ID without a blank, messages in one, one in two", async () => {
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
  await peer.send("4 even ");
  assertEquals(await numberFrom(peer) % 2, 0);
  assertEquals((await loggedNumbers(log.file)).get(42), [1, 2, 3, 104]);

  using late = await TcpPeer.connect(started.port);
  await late.send("43");
  await late.assertReplies("0 ");
  await late.send(" 1 odd "); // the ID's blank came late
  await numberFrom(late);
  assertEquals((await loggedNumbers(log.file)).get(43), [1]);
});

/** The next number that the server sends. */
async function numberFrom(peer: TcpPeer): Promise<number> {
  let text = "";
  const buffer = new Uint8Array(1);
  while (!text.endsWith(" ")) {
    await peer.connection.read(buffer);
    text += String.fromCharCode(...buffer);
  }
  assertMatch(text, /^\d\d? $/);
  return Number(text);
}

Deno.test("incrementer/server: what is no message ends that connection alone", async () => {
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
      "",
    ],
    ...["9007199254740992", "--1", "é", "\0", `\n${forged}\n`],
    ...[forged, "8".repeat(33), "x".repeat(10_000_000), random],
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
  for (const id of ["10001", "-1", "x", "", "1.5", "99999999999", "\n5"]) {
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
    7,
  );
  assertEquals((await loggedNumbers(log.file)).get(1), [1]);
  for (const line of lines) assertLess(line.length, 200);
  assertNotMatch(server.stdout, /[^ -~\n]/);
  assertEquals(server.stderr, "");
});

Deno.test("incrementer/server: an ID that is connected already is refused", async () => {
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
  await assertPrints(
    client,
    "OFFLINE: the server refuses ID 10000. Is it in use?",
  );
});

Deno.test("incrementer/client: tries another ID, and keeps the one that it got", async () => {
  using listener = new TcpListener();
  await using client = await startClient(listener.port);
  for (let i = 0; i < 3; i++) {
    using peer = await listener.accept();
    await peer.connection.read(new Uint8Array(20));
  }
  const peer = await listener.accept();
  await peer.send("12");
  const [, id] = await assertPrints(client, /with ID (\d+), last number: 12\n/);
  await peer.assertReplies(`${id} 13 `);
  assertEquals(client.stdout.match(/is refused, trying another/g)?.length, 3);
  peer.connection.close();
  await assertPrints(client, "Client is OFFLINE: ");
  await client.type("c");
  using again = await listener.accept();
  await again.assertReplies(`${id} `);
});

Deno.test("incrementer/client: a server without sentinels, cut and joined numbers", async () => {
  using listener = new TcpListener();
  await using client = await startClient(listener.port, "--pause", "0-0");
  using peer = await listener.accept();
  await peer.send("4");
  await peer.send("0");
  await assertPrints(client, "last number: 40\n");
  await assertPrints(client, /Request for an (odd|even) number\n/);
  await peer.send("1000");
  await assertPrints(client, "New increment: 1000\n");
  await peer.send("5 6 7");
  await assertPrints(client, "New increment: 6\n");
  await assertPrints(client, "New increment: 7\n");
  await peer.send("\x1b[2J ");
  await assertPrints(client, "OFFLINE: what the server sent is no number\n");
});

Deno.test("incrementer/client: a server that is not there, or goes away", async () => {
  await using client = await startClient(unusedPort());
  await assertPrints(client, /OFFLINE: .*refused.* Is the server running\?\n/);
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
});

Deno.test("incrementer/server: goes on from a log, and ignores what is not one", async () => {
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
  ];
  const last = logOf(["INFO Value calculated by client 7: 70"]);
  const torn = logOf(["INFO Value calculated by client 5: 51"]).slice(0, -2);
  await using log = await Log.create(logOf(lines), noise, "\n", last, torn);
  {
    // Its first line must not end the torn one.
    await using started = await log.serve();
    using _ = await assertGoesOn(started.port, 9, 0);
  }
  await using started = await log.serve();
  using _5 = await assertGoesOn(started.port, 5, 50);
  using _6 = await assertGoesOn(started.port, 6, -60);
  using _7 = await assertGoesOn(started.port, 7, 70);
  using _8 = await assertGoesOn(started.port, 8, 80);
  using _9 = await assertGoesOn(started.port, 9, 0);
});

Deno.test("incrementer/server: reads a million lines back", async () => {
  const numbers = Array.from(
    { length: 1_000_000 },
    (_, index) => `INFO Value calculated by client ${index % 10_001}: ${index}`,
  );
  await using log = await Log.create(logOf(numbers));
  const begin = performance.now();
  await using started = await log.serve();
  assertLess(performance.now() - begin, 15_000); // about 1 s
  using _peer = await assertGoesOn(started.port, 9_890, 999_989);
});

Deno.test("incrementer: kill -9 under load loses nothing that was answered", async () => {
  await using log = await Log.create();
  const clients = 300, tick = 100, pause: [number, number] = [300, 500];
  let members;
  {
    await using started = await log.serve();
    const { server, port } = started;
    using crowd = await Crowd.connect({ port, clients, tick, pause });
    await crowd.count(3_000, true);
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
    assertEquals(start, before.get(id)?.at(-1));
  }
  await crowd.count(1_000);
  assertEquals(crowd.faults(), []);
  const logged = await loggedNumbers(log.file);
  assertEquals(logFaults(crowd.members, logged, { before }), []);
});

Deno.test({
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

for (const task of ["incrementer:server", "incrementer:client"]) {
  Deno.test(`${task}: bad use is answered with a usage line`, async () => {
    const own = task === "incrementer:server"
      ? [["--log", ""], ["--id", "1"]]
      : [
        ...[["--id", "10001"], ["--id", "x"], ["--tick", "-1"], ["--tick", ""]],
        ...[["--pause", "5"], ["--pause", "5-4"], ["--port", "0"], [
          "--log",
          "x",
        ]],
      ];
    const bad = [["--port", "abc"], ["--port", "70000"], ["--bogus"], [
      "extra",
    ]];
    for (const args of [...bad, ...own]) {
      await assertFails(
        task,
        args,
        2,
        /Usage: \w+\.ts \[--host 127\.0\.0\.1\]/,
      );
    }
    await using help = await start(task, ["--help"]);
    await assertExits(help, 0);
    assertStringIncludes(help.stdout, "Usage: ");
  });
}

Deno.test("incrementer/server: what it cannot use, and why", async () => {
  await using log = await Log.create();
  await using started = await log.serve();
  const inUse = /^Cannot listen on .*another --port\.\n$/;
  await assertFails(
    "incrementer:server",
    ["--port", `${started.port}`],
    1,
    inUse,
  );
  const elsewhere = ["--port", "0", "--log", log.file];
  await assertFails("incrementer:server", elsewhere, 1, /--allow-(read|write)/);
  await using server = new Program("server", ["run", "incrementer/server.ts"]);
  await assertExits(server, 1);
  assertComplaint(server, /--allow-net/);
});

Deno.test("incrementer: each script runs alone in an empty folder", async () => {
  await using server = await startAlone("incrementer/server.ts", [
    "--port",
    "0",
  ]);
  const [, port] = await assertPrints(server, /ONLINE on [\d.]+:(\d+)\n/);
  await using client = await startAlone("incrementer/client.ts", [
    ...["--port", `${port}`, "--connect"],
  ]);
  await assertPrints(client, "Number: 1\n");
  await client.endInput();
  await assertExits(client, 0);
  await assertPrints(server, /Client \d+ disconnected\n/);
});
