import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertExits,
  assertFails,
  assertPrints,
  noSignals,
  type Program,
  start,
  startAlone,
  startServer,
  UdpPeer,
  unusedPort,
  within,
} from "./assertions.ts";
import { load, type Report } from "./load.ts";
import { find, needs } from "./needs.ts";

Deno.test(needs(["nats-server"], {
  name: "nats: brokers and workers before NATS is there",
  async fn() {
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
    await client.assertReceives("error: the answer is larger than a datagram");
  },
}));

Deno.test(needs(["nats-server"], {
  name: "nats: workers killed and NATS restarted under load",
  ignore: noSignals,
  async fn() {
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
  },
}));

Deno.test(needs(["nats-server"], {
  name: "nats: SIGTERM ends brokers and workers in good order",
  ignore: noSignals,
  async fn() {
    for (const port of [0, unusedPort()]) { // with NATS, and without
      await using nats = port === 0 ? await startNats(0) : null;
      await using crew = await startCrew(nats?.port ?? port, ["tolower"], 1);
      if (nats) await crew.ready();
      for (const program of [...crew.workers, ...crew.brokers]) {
        program.kill("SIGTERM");
        await assertExits(program, 0);
      }
    }
  },
}));

Deno.test("nats: bad use is answered with a usage line", async () => {
  const bad = [["--nats", "x"], ["--nats"], ["--bogus"], ["extra"]];
  for (const args of [...bad, ["--port", "70000"], ["--port", ""]]) {
    await assertFails(
      "nats:broker",
      args,
      2,
      /Usage: nats_broker\.ts \[--host/,
    );
  }
  for (const args of [...bad, ["--operation"], ["--operation", "x"]]) {
    await assertFails("nats:worker", args, 2, /Usage: nats_worker\.ts \[--op/);
  }
  for (const task of ["nats:broker", "nats:worker"]) {
    await using help = await start(task, ["--help"]);
    await assertExits(help, 0);
  }
});

Deno.test(needs(["nats-server"], {
  name: "nats: each script runs alone in an empty folder",
  async fn() {
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
  },
}));

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

type Nats = { port: number } & AsyncDisposable;

/** Starts a NATS server; port 0 stands for any free one. */
async function startNats(port: number): Promise<Nats> {
  port ||= unusedPort();
  const child = new Deno.Command(find("nats-server") ?? "", {
    args: ["-a", "127.0.0.1", "-p", `${port}`],
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
  })();
  let running = true;
  child.status.then(() => running = false);
  const nats = {
    port,
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
