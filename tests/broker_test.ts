import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  answerPrompt,
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  noSignals,
  start,
  startAlone,
  startServer,
  UdpPeer,
} from "./assertions.ts";
import { load } from "./load.ts";

/** Starts both servers and a broker, or a broker with servers of the test. */
async function startBroker(
  servers: { toupper?: number; tolower?: number } = {},
) {
  await using stack = new AsyncDisposableStack();
  const startOne = async (task: string, args: string[] = []) =>
    stack.use(await startServer(task, args));
  const toupper = servers.toupper ?? (await startOne("broker:toupper")).port;
  const tolower = servers.tolower ?? (await startOne("broker:tolower")).port;
  const { server: broker, port } = await startOne("broker:broker", [
    "--toupper",
    `127.0.0.1:${toupper}`,
    "--tolower",
    `127.0.0.1:${tolower}`,
  ]);
  const all = stack.move();
  return {
    broker,
    port,
    toupper,
    tolower,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

Deno.test("broker: a client gets its texts converted", async () => {
  await using started = await startBroker();
  const { broker, port } = started;
  await using client = await start("broker:client", ["localhost", `${port}`]);
  for (
    const [request, answer] of [
      ["toupper:Grüße: a:B", "Converted text: GRÜSSE: A:B"],
      ["  ToLower:ΟΔΥΣΣΕΥΣ  X ", "Converted text: οδυσσευς  x "],
      ["hello", "Invalid request format. Use 'tolower:text' or 'toupper:text'"],
      ["toupper:", "Invalid request format."],
      ["", "Invalid request format."],
      ["toupper:\u001b[31m", "Converted text: \u001b[31M"],
    ] as const
  ) {
    const from = client.stdout.length;
    await answerPrompt(client, "Enter request: ", request);
    await assertPrints(client, `${answer}`, from);
  }
  await answerPrompt(client, "Enter request: ", "EXIT");
  await assertExits(client, 0);
  assert(client.stdout.endsWith("Closing socket...\n"));
  await assertPrints(broker, /INFO 127\.0\.0\.1:\d+ "toupper:Grüße: a:B" -> /);
  await assertPrints(broker, String.raw`"toupper:\u001b[31m"`); // no colours
});

Deno.test("broker/udp_client: end of input counts as exit", async () => {
  await using client = await start("broker:client");
  await client.endInput();
  await assertExits(client, 0);
  assertEquals(client.stdout, "Enter request: \nClosing socket...\n");
});

Deno.test("broker/udp_client: gives up after three tries", async () => {
  using silent = new UdpPeer();
  await using client = await start("broker:client", [
    "127.0.0.1",
    `${silent.port}`,
  ]);
  await client.type("toupper:hi");
  const ports = new Set<number>();
  for (let tries = 0; tries < 3; tries++) {
    ports.add(await silent.assertReceives("toupper:hi"));
  }
  assertEquals(ports.size, 1);
  await assertExits(client, 1);
  assertComplaint(client, /: no reply to 3 tries of 2 s\. Is the broker runn/);
});

Deno.test("broker/udp_client: believes its broker, and each answer once", async () => {
  using broker = new UdpPeer();
  using stranger = new UdpPeer();
  await using client = await start("broker:client", [
    "127.0.0.1",
    `${broker.port}`,
  ]);
  await client.type("toupper:a");
  const first = await broker.assertReceives("toupper:a");
  await stranger.send("forged", first);
  await broker.send("A", first);
  await assertPrints(client, "Converted text: A\n");
  await broker.send("A again", first);
  await client.type("toupper:b");
  await broker.send("B", await broker.assertReceives("toupper:b"));
  await assertPrints(client, "Converted text: B\n");
  await client.endInput();
  await assertExits(client, 0);
});

Deno.test("broker: 64 clients, a server that answers in any order", async () => {
  using toupper = new UdpPeer();
  answerLate(toupper, (text) => text.toUpperCase());
  await using started = await startBroker({ toupper: toupper.port });
  const { port } = started;
  const report = await load({
    port,
    clients: 64,
    requests: 2_000,
  });
  const { right, wrong, errors, lost } = report.toupper;
  assertEquals({ wrong, errors, lost }, { wrong: 0, errors: 0, lost: 0 });
  assertEquals(right + report.tolower.right, 2_000);
});

Deno.test({
  name: "broker: a server that is killed and comes back",
  ignore: noSignals,
  async fn() {
    await using tolower = await startServer("broker:tolower");
    await using started = await startBroker({ tolower: tolower.port });
    const { port } = started;
    let again: Promise<Awaited<ReturnType<typeof startServer>>> | undefined;
    const report = await load({
      port,
      clients: 64,
      requests: 4_000,
      progress(sent) {
        if (sent === 1_000) tolower.server.kill("SIGKILL");
        if (sent === 3_000) {
          again = startServer("broker:tolower", ["--port", `${tolower.port}`]);
        }
      },
    });
    assert(again);
    await using _again = await again;
    const { right, ...others } = report.toupper;
    assertEquals(others, { wrong: 0, errors: 0, lost: 0, slowestError: 0 });
    assert(right > 0);
    assertEquals(report.tolower.wrong + report.tolower.lost, 0);
    assert(report.tolower.errors > 0);
    assert(report.tolower.slowestError < 5_000); // 2 s, on an idle machine
    const after = await load({ port, clients: 8, requests: 100 });
    assertEquals(after.toupper.right + after.tolower.right, 100);
  },
});

Deno.test("broker: late and forged answers reach nobody", async () => {
  using toupper = new UdpPeer();
  using stranger = new UdpPeer();
  await using started = await startBroker({ toupper: toupper.port });
  const { broker, port } = started;
  using client = new UdpPeer();
  await client.send("toupper:one", port);
  const { port: seat } = await toupper.receive();
  await stranger.send("FORGED", seat);
  await client.assertReceives("error: the toupper server does not answer");
  await toupper.send("ONE", seat); // late
  // So many that each seat has its turn: none may use the port of the first.
  for (let i = 0; i < 250; i++) {
    await client.send(`toupper:${i}`, port);
    const asked = await toupper.receive();
    assertEquals(asked.text, `${i}`);
    assert(asked.port !== seat);
    await toupper.send(`answer ${i}`, asked.port);
    if (i % 100 === 0) await toupper.send("once more", asked.port);
    await client.assertReceives(`answer ${i}`);
  }
  await assertPrints(broker, /WARN .*"toupper:one" -> error: the toupper/);
});

Deno.test("broker: what cannot be done is refused at once", async () => {
  await using started = await startBroker();
  const { broker, port } = started;
  using client = new UdpPeer();
  const count = () => openFiles(broker.pid);
  await client.send("when this is answered, all sockets are open", port);
  assertStringIncludes((await client.receive()).text, "error: ");
  const before = await count();
  const noise = crypto.getRandomValues(new Uint8Array(65507));
  for (
    const request of [
      "",
      "no colon",
      ":",
      "toupper:",
      "TOUPPER:x",
      "reverse:x",
      "\uFEFFtoupper:x",
      "toupper\n:x",
      Uint8Array.of(...new TextEncoder().encode("toupper:"), 0xc3),
      noise.subarray(0, 100),
      noise,
    ]
  ) {
    for (let i = 0; i < 20; i++) {
      await client.send(request, port);
      assertStringIncludes((await client.receive()).text, "error: ");
    }
  }
  assertEquals(await count(), before);
});

Deno.test("broker: texts up to the largest datagram, byte for byte", async () => {
  await using started = await startBroker();
  const { port } = started;
  using client = new UdpPeer();
  const whole = "x".repeat(65_499);
  await client.send(`toupper:${whole}`, port);
  await client.assertReceives(whole.toUpperCase());
  await client.send("tolower:\uFEFF A \r\n\0\t", port);
  const { bytes } = await client.receive();
  assertEquals(bytes, new TextEncoder().encode("\uFEFF a \r\n\0\t"));
  await client.send(`toupper:${"ΐ".repeat(30_000)}`, port); // three times as long
  await client.assertReceives("error: the answer is larger than a datagram");
});

Deno.test("broker: more requests than seats, and a server's datagram", async () => {
  using toupper = new UdpPeer();
  await using started = await startBroker({ toupper: toupper.port });
  const { port } = started;
  using client = new UdpPeer();
  // Waits for each to arrive, so that none gets lost in a full buffer.
  const seats = new Set<number>();
  for (let i = 0; i < 200; i++) {
    await client.send(`toupper:${i}`, port);
    seats.add((await toupper.receive()).port);
  }
  assertEquals(seats.size, 200);
  await client.send("toupper:one more", port);
  await client.assertReceives("error: too many requests in flight, try again");
  await client.send("tolower:OTHER", port); // has seats of its own
  await client.assertReceives("other");
  await toupper.send("not a request", port);
  await toupper.send("toupper:nor this", port);
  await client.send("reverse:x", port);
  await client.assertReceives("error: send 'toupper:text' or 'tolower:text'");
});

for (
  const [name, answer] of [["toupper", "ŜI ÉTAIT"], [
    "tolower",
    "ŝi était",
  ]] as const
) {
  Deno.test(`broker/udp_${name}: answers whatever comes`, async () => {
    await using started = await startServer(`broker:${name}`);
    const { server, port } = started;
    using client = new UdpPeer();
    await client.send("", port);
    await client.assertReceives("");
    await client.send(Uint8Array.of(0xff), port);
    await client.assertReceives("error: the text is not UTF-8");
    await client.send("Ŝi était", port);
    assertEquals(await client.assertReceives(answer), port);
    await assertPrints(
      server,
      `Connection established with 127.0.0.1:${client.port}\n`.repeat(3),
    );
  });
}

for (const name of ["broker", "toupper", "tolower"]) {
  const task = `broker:${name}`;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.test({
      name: `${task}: ${signal} ends it in good order`,
      ignore: noSignals,
      async fn() {
        await using started = await startServer(task);
        using client = new UdpPeer();
        await client.send(`to${name}:x`, started.port);
        await client.receive();
        started.server.kill(signal);
        await assertExits(started.server, 0);
        // No line is lost: not even those that were held back.
        assertStringIncludes(started.server.stdout, `127.0.0.1:${client.port}`);
      },
    });
  }

  Deno.test(`${task}: bad use, a port in use, a host that is not ours`, async () => {
    await using started = await startServer(task);
    const usage = /^Cannot use .* Usage: udp_\w+\.ts \[--host 127\.0\.0\.1\] /;
    for (
      const args of [
        ["--port", "abc"],
        ["--port", "70000"],
        ["--port", ""],
        ["--port"],
        ["--bogus"],
        ["extra"],
        ["--toupper", "127.0.0.1"],
        ["--tolower", "127.0.0.1:0"],
      ]
    ) await assertFails(task, ["--port", "0", ...args], 2, usage);
    await using help = await start(task, ["--help"]);
    await assertExits(help, 0);
    const advice = /^Cannot listen on 127\.0\.0\.1:\d+: .*another --port\.\n$/;
    await assertFails(task, ["--port", `${started.port}`], 1, advice);
    await assertFails(task, ["--host", "0.0.0.0"], 1, /--allow-net/);
  });
}

Deno.test("broker:client: bad use is answered with a usage line", async () => {
  for (
    const args of [
      ["127.0.0.1", "abc"],
      ["127.0.0.1", "0"],
      ["127.0.0.1", "70000"],
      ["127.0.0.1", "8082", "more"],
      ["--port", "1"],
      [""],
    ]
  ) await assertFails("broker:client", args, 2, /^Cannot use .* Usage: /);
  await using help = await start("broker:client", ["--help"]);
  await assertExits(help, 0);
  assertStringIncludes(help.stdout, "Usage: ");
});

Deno.test("broker: each script runs alone in an empty folder", async () => {
  await using toupper = await startAlone("broker/udp_toupper.ts", [
    "--port",
    "0",
  ]);
  const [, upper] = await assertPrints(toupper, /:(\d+)/);
  await using tolower = await startAlone("broker/udp_tolower.ts", [
    "--port",
    "0",
  ]);
  const [, lower] = await assertPrints(tolower, /:(\d+)/);
  await using broker = await startAlone("broker/udp_broker.ts", [
    "--port",
    "0",
    "--toupper",
    `127.0.0.1:${upper}`,
    "--tolower",
    `127.0.0.1:${lower}`,
  ]);
  const [, port] = await assertPrints(broker, /:(\d+)/);
  await using client = await startAlone("broker/udp_client.ts", [
    "localhost",
    `${port}`,
  ]);
  await client.type("tolower:ALONE");
  await client.endInput();
  await assertExits(client, 0);
  assertStringIncludes(client.stdout, "Converted text: alone\n");
});

/** How many files and sockets a program has open, where Linux tells. */
async function openFiles(pid: number): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  const args = [`/proc/${pid}/fd`];
  const { stdout } = await new Deno.Command("ls", { args }).output();
  return new TextDecoder().decode(stdout).split("\n").length;
}

/** Answers everything, each after its own delay of up to 50 ms. */
async function answerLate(
  server: UdpPeer,
  convert: (text: string) => string,
): Promise<void> {
  for await (const [bytes, sender] of server.socket) {
    const answer = convert(new TextDecoder().decode(bytes));
    setTimeout(() => {
      server.socket.send(new TextEncoder().encode(answer), sender);
    }, Math.random() * 50);
  }
}
