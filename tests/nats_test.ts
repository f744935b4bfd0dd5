import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "npm:@nats-io/transport-node@3.4.0";
import {
  assertExits,
  assertFails,
  assertPrints,
  freeze,
  noSignals,
  Program,
  ROOT,
  start,
  startAlone,
  startServer,
  UdpPeer,
  unusedPort,
  within,
} from "./assertions.ts";
import { Hosts, needsHosts } from "./hosts.ts";
import { load, type Report } from "./load.ts";
import { find, needs } from "./needs.ts";

/** A test that needs NATS, and perhaps signals. */
function test(name: string, fn: () => Promise<void>, ignore = false): void {
  Deno.test(needs(["nats-server"], { name: `nats: ${name}`, ignore, fn }));
}

test("brokers and workers before NATS is there", async () => {
  const port = unusedPort();
  await using crew = await startCrew(port, ["toupper"], 1);
  using client = new UdpPeer();
  const [broker = 0] = crew.ports;
  await client.send("toupper:grüße", broker);
  await client.assertReceives("error: there is no connection to NATS");
  await using _nats = await startNats(port);
  await crew.ready();
  await client.send("toupper:Grüße: a:B", broker);
  await client.assertReceives("GRÜSSE: A:B");
  await client.send("tolower:X", broker);
  const { text } = await client.receive();
  assertEquals(text, "error: no responders: 'convert.tolower'");
  for (const bad of ["", "no colon", "toupper:", "x:y", Uint8Array.of(255)]) {
    await client.send(bad, broker);
    assertStringIncludes((await client.receive()).text, "error: ");
  }
  await client.send(`toupper:${"x".repeat(65_499)}`, broker);
  await client.assertReceives("X".repeat(65_499));
  await client.send(`toupper:${"ΐ".repeat(30_000)}`, broker);
  assertMatch((await client.receive()).text, /^error: .*long/);
  await client.send("error: not from me", broker);
  await client.send("toupper:last", broker);
  await client.assertReceives("LAST");
});

test("workers killed and NATS restarted under load", async () => {
  const nats = await startNats(0);
  let restarted: Promise<Nats> | undefined;
  try {
    await using crew = await startCrew(nats.port, [
      "toupper",
      "toupper",
      "tolower",
    ], 2);
    await crew.ready();
    const [victim] = crew.workers;
    let sent = 0;
    const progress = () => {
      sent++;
      if (sent === 1_000) victim?.kill("SIGKILL");
      if (sent === 2_000) {
        restarted = restart(nats);
      }
    };
    const reports = await Promise.all(
      crew.ports.map((port) =>
        load({ port, clients: 32, requests: 2_000, progress })
      ),
    );
    assert(restarted);
    await restarted;
    for (const { toupper, tolower } of reports) {
      assertEquals(toupper.wrong + toupper.lost, 0);
      assertEquals(tolower.wrong + tolower.lost, 0);
      assert(Math.max(toupper.slowestError, tolower.slowestError) < 5_000);
    }

    // All goes on by itself: soon, every request gets an answer again.
    for (const port of crew.ports) {
      const recovered = async () => {
        while (errorsOf(await load({ port, clients: 2, requests: 20 })) > 0);
      };
      await within(20_000, recovered(), "answers after the restart");
      assertEquals(
        errorsOf(await load({ port, clients: 8, requests: 400 })),
        0,
      );
    }
  } finally {
    await (await restarted)?.[Symbol.asyncDispose]();
    await nats[Symbol.asyncDispose]();
  }
}, noSignals);

test("SIGTERM ends brokers and workers in good order", async () => {
  for (const port of [0, unusedPort()]) { // with NATS, and without
    await using nats = port === 0 ? await startNats(0) : null;
    await using crew = await startCrew(nats?.port ?? port, ["tolower"], 1);
    if (nats) await crew.ready();
    for (const program of [...crew.workers, ...crew.brokers]) {
      program.kill("SIGTERM");
      await assertExits(program, 0);
    }
  }
}, noSignals);

test(
  "a worker that vanishes costs no requests while another lives",
  async () => {
    await using nats = await startNats(0);
    await using crew = await startCrew(nats.port, ["toupper", "toupper"], 1);
    await crew.ready();
    const [worker] = crew.workers;
    if (worker) await freeze(worker);
    try {
      const [port = 0] = crew.ports;
      const { toupper } = await load({
        port,
        clients: 20,
        requests: 60,
        operation: () => "toupper",
      });
      // Each request goes to one of the two by chance, 12 times if need be.
      assert(
        toupper.errors <= 2,
        `${toupper.errors} of 60 requests got an error`,
      );
      assertEquals(toupper.right + toupper.errors, 60);
    } finally {
      crew.workers[0]?.kill("SIGCONT");
    }
  },
  noSignals,
);

test("200 requests in flight; a worker that does not answer", async () => {
  await using nats = await startNats(0);
  await using crew = await startCrew(nats.port, ["toupper", "tolower"], 1);
  await crew.ready();
  const [port = 0] = crew.ports;
  const [worker] = crew.workers;
  using client = new UdpPeer();
  using other = new UdpPeer();
  if (worker) await freeze(worker);
  const times: number[] = [];
  do { // a busy machine may be late at times
    const began = performance.now();
    await other.send("toupper:x", port);
    await other.assertReceives("error: no toupper worker answers");
    times.push(performance.now() - began);
  } while (times.length < 3 && Math.min(...times) >= 2_000);
  const fastest = Math.min(...times);
  assert(fastest > 1_500 && fastest < 2_000, `${fastest} ms`);
  for (let i = 0; i < 200; i++) await client.send(`toupper:${i}`, port);
  await other.send("toupper:one more", port);
  await other.assertReceives("error: too many requests in flight, try again");
  await other.send("tolower:OTHER", port); // there is room
  await other.assertReceives("other");
  worker?.kill("SIGCONT");
  const answers = new Set<string>();
  for (let i = 0; i < 200; i++) answers.add((await client.receive()).text);
  assertEquals(answers.size, 200);
  await other.send("toupper:one more", port);
  await other.assertReceives("ONE MORE");
  assert(await nats.subscriptions() < 100, "inboxes of the past are left");
}, noSignals);

test("a worker that is told to end answers what it took", async () => {
  await using nats = await startNats(0);
  await using crew = await startCrew(nats.port, ["toupper"], 1);
  await crew.ready();
  const [port = 0] = crew.ports;
  const [worker] = crew.workers;
  using client = new UdpPeer();
  await client.send("toupper:first", port);
  await client.assertReceives("FIRST");
  if (worker) await freeze(worker);
  const before = await nats.received();
  for (let i = 0; i < 100; i++) await client.send(`toupper:a${i}`, port);
  const all = async () => {
    while (await nats.received() < before + 100) await pause(20);
  };
  await within(20_000, all(), "NATS to have all requests");
  worker?.kill("SIGTERM");
  worker?.kill("SIGCONT");
  for (let i = 0; i < 100; i++) {
    assertMatch((await client.receive()).text, /^A\d+$/);
  }
  if (worker) await assertExits(worker, 0);
}, noSignals);

test("NATS away for 5 s, or silent for longer than that", async () => {
  await Promise.all([away(), silent()]);

  async function away(): Promise<void> {
    await using nats = await startNats(0);
    await using crew = await startCrew(nats.port, ["toupper"], 1);
    await crew.ready();
    const [port = 0] = crew.ports;
    using client = new UdpPeer();
    await nats[Symbol.asyncDispose]();
    await lost(crew, nats);
    const until = performance.now() + 5_000;
    for (let asked = 0; asked < 5 || performance.now() < until; asked++) {
      await client.send("toupper:away", port);
      await client.assertReceives("error: there is no connection to NATS");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await using again = await startNats(nats.port);
    await recovered(crew, again);
  }

  async function silent(): Promise<void> {
    await using nats = await startNats(0);
    await using crew = await startCrew(nats.port, ["toupper"], 1);
    await crew.ready();
    const [port = 0] = crew.ports;
    using client = new UdpPeer();
    await freeze(nats);
    await client.send("toupper:silent", port);
    await client.assertReceives("error: no toupper worker answers");
    await lost(crew, nats);
    await client.send("toupper:silent", port);
    await client.assertReceives("error: there is no connection to NATS");
    nats.kill("SIGCONT");
    await recovered(crew, nats);
  }

  type Crew = Awaited<ReturnType<typeof startCrew>>;

  async function lost({ workers, brokers }: Crew, { port }: Nats) {
    const line = `Lost nats://127.0.0.1:${port}, waiting for it ...\n`;
    for (const broker of brokers) await assertPrints(broker, `WARN ${line}`);
    for (const worker of workers) await assertPrints(worker, line);
  }

  async function recovered({ workers, brokers, ports }: Crew, nats: Nats) {
    const line = `Connected to nats://127.0.0.1:${nats.port} again\n`;
    for (const broker of brokers) await assertPrints(broker, `INFO ${line}`);
    for (const worker of workers) await assertPrints(worker, line);
    using client = new UdpPeer();
    const answered = async () => {
      while (true) {
        await client.send("toupper:back", ports[0] ?? 0);
        if ((await client.receive()).text === "BACK") return;
      }
    };
    await within(20_000, answered(), "an answer");
  }
}, noSignals);

test("user and password; another server takes over; no word of them", async () => {
  const config = 'authorization { user: "a@b", password: "p:ö" }\n';
  const all = [await startNats(0, config), await startNats(0, config)];
  try {
    const login = "nats://a%40b:p%3A%C3%B6@127.0.0.1";
    const place = all.map(({ port }) => `${login}:${port}`).join(",");
    await using worker = await start("nats:worker", ["--nats", place]);
    const list = all.map(({ port }) => `nats://127.0.0.1:${port}`);
    await assertPrints(worker, `Connecting to ${list.join(" or ")} ...\n`);
    const [, first] = await assertPrints(worker, /Connected to \S+:(\d+)\n/);
    await using started = await startServer("nats:broker", ["--nats", place]);
    const { server: broker, port } = started;
    await assertPrints(broker, /Connected to \S+:(\d+)\n/);
    const index = all.findIndex(({ port }) => port === Number(first));
    await all[index]?.[Symbol.asyncDispose]();
    const other = list[1 - index];
    await assertPrints(worker, `Lost ${list[index]}, waiting for it ...\n`);
    await assertPrints(worker, `Connected to ${other} again\n`);
    await assertPrints(broker, new RegExp(`Connected to ${other}( again)?\n`));
    using client = new UdpPeer();
    await client.send("toupper:over", port);
    await client.assertReceives("OVER");
    const printed = [worker, broker].map((it) => it.stdout + it.stderr).join();
    assert(!/p:ö|p%3A|a@b|a%40/i.test(printed), printed);

    // One refusal of five is also a reset. Then the program tries once more.
    const tasks = ["nats:worker", "nats:broker"];
    const wrongs = ["", "a:hidden@"];
    const cases = [1, 2, 3].flatMap(() =>
      tasks.flatMap((task) => wrongs.map((wrong) => [task, wrong] as const))
    );
    await Promise.all(cases.map(async ([task, wrong]) => {
      const place = `nats://${wrong}127.0.0.1:${other?.slice(17)}`;
      const args = task === "nats:broker" ? ["--port", "0"] : [];
      const refused =
        /^Cannot (?!.*hidden).* Authorization Violation\. NATS wants a user/;
      await assertFails(task, [...args, "--nats", place], 1, refused);
    }));
  } finally {
    for (const nats of all) await nats[Symbol.asyncDispose]();
  }
});

test("NATS servers that say nothing are passed over; IPv6", async () => {
  await using nats = await startNats(0, "", "::1");
  const silent = [1, 2, 3].map(() =>
    Deno.listen({ hostname: "127.0.0.1", port: 0 })
  );
  const places = [
    ...silent.map(({ addr }) => `nats://127.0.0.1:${addr.port}`),
    `nats://[::1]:${nats.port}`,
  ];
  const command = ["run", "--quiet", "--allow-net=127.0.0.1,[::1]"];
  await using worker = new Program(
    "nats:worker",
    [
      ...command,
      ...["broker/nats/nats_worker.ts", "--nats", places.join(",")],
    ],
    {},
    ROOT,
  );
  await assertPrints(worker, `Connected to ${places[3]}\n`);
  for (const listener of silent) listener.close();
});

test("a name needs the permission for that name alone", async () => {
  await using nats = await startNats(0);
  const place = `nats://localhost:${nats.port}`;
  await using worker = new Program(
    "nats:worker",
    [
      ...["run", "--quiet", "--allow-net=localhost"],
      ...["broker/nats/nats_worker.ts", "--nats", place],
    ],
    {},
    ROOT,
  );
  await assertPrints(worker, `Connected to ${place}\n`);
});

test("one worker of a group gets each; an answer to any try counts", async () => {
  await using nats = await startNats(0);
  await using crew = await startCrew(nats.port, ["toupper", "toupper"], 1);
  await crew.ready();
  const servers = `127.0.0.1:${nats.port}`;
  const connection = await connect({ servers });
  try {
    const answers = connection.subscribe("answers");
    let count = 0;
    (async () => {
      for await (const _answer of answers) count++;
    })();
    for (let i = 0; i < 20; i++) {
      connection.publish("convert.toupper", "x", { reply: "answers" });
    }
    const slow = connection.subscribe("convert.tolower", {
      queue: "converters",
      callback: (_, message) =>
        void setTimeout(() => message.respond("!"), 400),
    });
    await connection.flush();
    // Each try is answered after the next one was sent.
    using client = new UdpPeer();
    await client.send("tolower:slow", crew.ports[0] ?? 0);
    await client.assertReceives("!");
    assertEquals(count, 20);
    slow.unsubscribe();
    // A worker that ends answers what it took; nobody is there for the next try.
    connection.subscribe("convert.tolower", {
      queue: "converters",
      max: 1,
      callback: (_, message) =>
        void setTimeout(() => message.respond("last"), 700),
    });
    await connection.flush();
    await client.send("tolower:last", crew.ports[0] ?? 0);
    await client.assertReceives("last");
  } finally {
    await connection.close();
  }
});

test("an answer over max_payload is an error, and not the worker's end", async () => {
  await using nats = await startNats(0, "max_payload: 2000\n");
  await using crew = await startCrew(nats.port, ["toupper"], 1);
  await crew.ready();
  const [port = 0] = crew.ports;
  using client = new UdpPeer();
  for (const text of ["ΐ".repeat(600), "x".repeat(2_001)]) {
    await client.send(`toupper:${text}`, port);
    assertMatch((await client.receive()).text, /^error: .*max_payload/);
    await client.send("toupper:again", port);
    await client.assertReceives("AGAIN");
  }
  const before = await nats.subscriptions();
  for (let i = 0; i < 50; i++) {
    await client.send(`toupper:${"x".repeat(2_001)}`, port);
    await client.receive();
  }
  assert(await nats.subscriptions() < before + 10, "inboxes are left");
});

test("a missing permission is named", async () => {
  for (const task of ["nats:worker", "nats:broker"]) {
    const place = "nats://127.0.0.1:1,nats://127.0.0.2"; // its usual port
    const args = [
      "--nats",
      place,
      ...task === "nats:broker" ? ["--port", "0"] : [],
    ];
    await assertFails(
      task,
      args,
      1,
      /^Cannot .*"127\.0\.0\.2:4222".*--allow-net/,
    );
  }
});

test("each script runs alone in an empty folder", async () => {
  await using nats = await startNats(0);
  const place = ["--nats", `nats://127.0.0.1:${nats.port}`];
  await using worker = await startAlone("broker/nats/nats_worker.ts", place);
  await assertPrints(worker, "Waiting for requests on convert.toupper ...\n");
  await using broker = await startAlone("broker/nats/nats_broker.ts", [
    ...place,
    "--port",
    "0",
  ]);
  const [, port] = await assertPrints(broker, /:(\d+)/);
  await assertPrints(broker, "INFO Connected to nats:");
  using client = new UdpPeer();
  await client.send("toupper:alone", Number(port));
  await client.assertReceives("ALONE");
});

Deno.test(needs(
  ["nats-server"],
  needsHosts({
    name: "nats: a worker's machine that vanishes costs no requests",
    async fn() {
      await using hosts = await Hosts.create();
      const { a, b, c } = hosts;
      await using nats = a.run(find("nats-server") ?? "", ["-a", a.ipv4]);
      await nats.until(() => nats.stderr.includes("is ready"), "start", 20_000);
      const place = ["--nats", `nats://${a.ipv4}:4222`];
      await using near = await a.start("nats:worker", place);
      await using far = await c.start("nats:worker", place);
      for (const worker of [near, far]) {
        await assertPrints(worker, "Waiting for");
      }
      await using broker = await b.start("nats:broker", place);
      await assertPrints(broker, `INFO Connected to nats://${a.ipv4}:4222\n`);
      await using client = await b.start("broker:client");
      await hosts.set({ dark: ["c"] });
      for (let i = 0; i < 12; i++) { // without a second try, half of them fail
        await client.type(`toupper:text ${i}`);
        await assertPrints(client, `Converted text: TEXT ${i}\n`);
      }
    },
  }),
));

function errorsOf({ toupper, tolower }: Report): number {
  return toupper.errors + toupper.lost + tolower.errors + tolower.lost;
}

/** Starts workers and brokers that look for NATS at a port. */
async function startCrew(nats: number, operations: string[], count: number) {
  await using stack = new AsyncDisposableStack();
  const place = ["--nats", `nats://127.0.0.1:${nats}`];
  const workers: Program[] = [], brokers: Program[] = [], ports: number[] = [];
  for (const operation of operations) {
    const args = ["--operation", operation, ...place];
    const worker = stack.use(await start("nats:worker", args));
    await assertPrints(worker, "Connecting to nats://");
    workers.push(worker);
  }
  for (let i = 0; i < count; i++) {
    const { server, port } = stack.use(await startServer("nats:broker", place));
    brokers.push(server);
    ports.push(port);
  }
  const all = stack.move();
  return {
    workers,
    brokers,
    ports,
    /** Waits until all have found NATS. */
    async ready() {
      for (const worker of workers) {
        await assertPrints(worker, "Waiting for requ");
      }
      for (const broker of brokers) {
        await assertPrints(broker, "INFO Connected");
      }
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface Nats extends AsyncDisposable {
  port: number;
  pid: number;
  kill(signal: Deno.Signal): void;
  /** How many messages it has taken. */
  received(): Promise<number>;
  /** How many subscriptions it has. */
  subscriptions(): Promise<number>;
}

/** Starts a NATS server; port 0 stands for any free one. */
async function startNats(
  port: number,
  config = "",
  address = "127.0.0.1",
): Promise<Nats> {
  port ||= unusedPort();
  const monitor = unusedPort();
  const file = await Deno.makeTempFile({ suffix: ".conf" });
  await Deno.writeTextFile(file, config);
  const child = new Deno.Command(find("nats-server") ?? "", {
    args: [
      ...["-a", address, "-p", `${port}`, "-c", file],
      ...["-m", `${monitor}`],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const reading = (async () => {
    let log = "";
    for await (
      const text of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      log += text;
      if (log.includes("Server is ready")) resolve();
    }
    reject(new Error(`nats-server ended: ${log}`));
    await Deno.remove(file).catch(() => {});
  })();
  let running = true;
  child.status.then(() => running = false);
  const nats = {
    port,
    pid: child.pid,
    kill: (signal: Deno.Signal) => child.kill(signal),
    async received() {
      const response = await fetch(`http://127.0.0.1:${monitor}/varz`);
      return (await response.json()).in_msgs;
    },
    async subscriptions() {
      const response = await fetch(`http://127.0.0.1:${monitor}/subsz`);
      return (await response.json()).num_subscriptions;
    },
    async [Symbol.asyncDispose]() {
      if (running) child.kill("SIGKILL");
      await child.status;
      await reading;
    },
  };
  try {
    await within(20_000, ready, "nats-server");
  } catch (error) {
    await nats[Symbol.asyncDispose]();
    throw error;
  }
  return nats;
}

async function restart(nats: Nats): Promise<Nats> {
  await nats[Symbol.asyncDispose]();
  return await startNats(nats.port);
}
