import { setTimeout as delay } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { Client, ClientProtocol } from "../tcp/library/client.ts";
import {
  IterativeServer,
  MultithreadedServer,
  Server,
  ServerProtocol,
} from "../tcp/library/server.ts";
import {
  assertExits,
  assertPrints,
  Program,
  ROOT,
  start,
  startServer,
  TcpListener,
  TcpPeer,
  unusedPort,
  within,
} from "./assertions.ts";
import { Hosts, needsHosts } from "./hosts.ts";
import { find, needs } from "./needs.ts";
import { together } from "./together.ts";

const CLASSES = ["Server", "IterativeServer", "MultithreadedServer"];
/** The last one is a MultithreadedServer that is given a module. */
const KINDS = [...CLASSES.slice(1), "Threads"];
const MIB = 1024 * 1024;

/** Starts tests/library/serve.ts. */
async function serve(
  kind: string,
  module: string,
  timeout = 30_000,
): Promise<{ server: Program; port: number } & AsyncDisposable> {
  const file = "tests/library/serve.ts";
  const flags = ["--allow-net=127.0.0.1", "--allow-read=."];
  const args = [kind, module, `${timeout}`];
  const server = new Program(kind, [
    "run",
    "--no-check",
    ...flags,
    file,
    ...args,
  ]);
  const [, port] = await server.prints(/^Server is listening to port (\d+)\n/);
  return {
    server,
    port: Number(port),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Sends a request as the Python client does: its sending side stays open. */
async function request(port: number, text: string): Promise<string> {
  using peer = await TcpPeer.connect(port);
  await peer.send(text);
  return await peer.rest();
}

/** Sends a request as our client does: half-closes. */
async function requestWhole(
  port: number,
  data: string | Uint8Array,
): Promise<string> {
  using peer = await TcpPeer.connect(port);
  await peer.send(data).catch(() => {}); // it may be told off before the end
  await peer.connection.closeWrite().catch(() => {});
  return await peer.rest();
}

/** A client protocol that keeps the reply. */
class Ask extends ClientProtocol {
  reply: string | undefined;
  readonly #request: string;

  constructor(request: string) {
    super();
    this.#request = request;
  }

  override prepareRequest(): string {
    return this.#request;
  }

  override processReply(message: string): void {
    this.reply = message;
  }
}

/** Several run at a time: they mostly wait. */
const waiting: Deno.TestDefinition[] = [];

class Echo extends ServerProtocol {
  override processRequest(message: string): string {
    return message;
  }
}

for (const name of CLASSES) {
  waiting.push({
    name: `library: the pair, with ${name}`,
    async fn() {
      await using started = await startServer("library:server", [
        "--class",
        name,
      ]);
      const { server, port } = started;
      await using client = await start("library:client", ["--port", `${port}`]);
      await assertExits(client, 0);
      assertEquals(client.stdout, "Response: Hello Client!\n");
      await assertPrints(server, /Received request from 127\.0\.0\.1:\d+\n/);
      if (name === "Server") await assertExits(server, 0);
      else assertEquals(await request(port, "Hello Server!"), "Hello Client!");
    },
  });
}

waiting.push({
  name: "library: Server is done when a client has its reply",
  async fn() {
    await using started = await serve("Server", "moods");
    const { server, port } = started;
    (await TcpPeer.connect(port)).connection.close();
    assertEquals(await requestWhole(port, Uint8Array.of(0xff)), "");
    assertEquals(await requestWhole(port, "throw"), "");
    assertEquals(await requestWhole(port, "hello"), "hello");
    const code = await server.exits();
    assertEquals(code, 0, server.stderr);
    assertStringIncludes(server.stdout, "Done.\n");
    await assertRejects(() => TcpPeer.connect(port));
  },
});

waiting.push({
  name: "library: IterativeServer takes the next client after the first",
  async fn() {
    await using started = await serve("IterativeServer", "moods");
    using first = await TcpPeer.connect(started.port);
    const second = requestWhole(started.port, "count");
    await first.send("c");
    await first.send("ount");
    await first.assertReplies("1");
    assertEquals(await second, "2");
  },
});

waiting.push({
  name: "library: MultithreadedServer serves one while another waits",
  async fn() {
    await using started = await serve("MultithreadedServer", "moods");
    const { server, port } = started;
    using silent = await TcpPeer.connect(port);
    const waiting = requestWhole(port, "wait");
    await assertPrints(server, "Received request");
    assertEquals(await requestWhole(port, "release"), "released");
    assertEquals(await waiting, "free");
    await silent.send("not silent");
    await silent.assertReplies("not silent");
  },
});

for (const kind of KINDS) {
  waiting.push({
    name: `library: ${kind} reads requests, however they come`,
    async fn() {
      await using started = await serve(kind, "moods");
      const { port } = started;
      assertEquals(await request(port, "as in Python"), "as in Python");
      assertEquals(await requestWhole(port, "half-closed"), "half-closed");
      assertEquals(await requestWhole(port, "\none\ntwo\n"), "onetwo");
      // A mark at its start is a part of the text; our decoder drops one, too.
      assertEquals(await requestWhole(port, "\ufeff\ufeffgrüß"), "\ufeffgrüß");
      assertEquals(await requestWhole(port, "length " + "é".repeat(9)), "16");

      // Up to 1,024 bytes, silence ends a request; a longer one, the close alone.
      const shorter = "length ".padEnd(1024, "x");
      assertEquals(await request(port, shorter), "1024");
      using longer = await TcpPeer.connect(port);
      await longer.send(`${shorter}x`);
      await delay(200);
      await longer.send("yz");
      await delay(200);
      await longer.connection.closeWrite();
      await longer.assertReplies("1027");

      // 10 ms are not silence yet. (On a busy machine they may last for long.)
      let whole = false;
      for (let i = 0; i < 10 && !whole; i++) {
        using halves = await TcpPeer.connect(port);
        halves.connection.setNoDelay();
        await halves.send("two ");
        await delay(10);
        await halves.send("halves").catch(() => {});
        whole = await halves.rest() === "two halves";
      }
      assert(whole, "two halves, 10 ms apart, were never taken together");

      // But 2 s would be far too long.
      let fastest = Infinity;
      for (let i = 0; i < 5; i++) {
        const begun = performance.now();
        await request(port, "hello");
        fastest = Math.min(fastest, performance.now() - begun);
      }
      assert(fastest < 1_500, `20 ms of silence took ${fastest} ms`);

      // Two halves of a character, and time between them. (Silence does not end
      // a request as long as this one.)
      using cut = await TcpPeer.connect(port);
      cut.connection.setNoDelay();
      await cut.send(`length ${"x".repeat(1_100)}`);
      await cut.send(Uint8Array.of(0xf0, 0x9f));
      await delay(300);
      await cut.send(Uint8Array.of(0x91, 0x8b));
      await cut.connection.closeWrite();
      await cut.assertReplies(`${"length ".length + 1_100 + "👋".length}`);

      // A client that still sends gets all of a long reply, however late it reads.
      using late = await TcpPeer.connect(port);
      await late.send("repeat 500000");
      await late.assertReplies("é");
      await late.send("more");
      await delay(500);
      assertEquals((await late.rest()).length, 499_999);
    },
  });

  waiting.push({
    name: `library: ${kind} takes and sends 1 MiB, and no more`,
    async fn() {
      await using started = await serve(kind, "moods");
      const { server, port } = started;
      const longest = "length ".padEnd(MIB, "x");
      assertEquals(await requestWhole(port, longest), `${MIB}`);
      const half = MIB / 2; // in characters of two bytes
      assert(await requestWhole(port, `repeat ${half}`) === "é".repeat(half));
      assertEquals(await requestWhole(port, `${longest}x`), "");
      await server.until(
        () => server.stderr.includes("its request exceeds 1 MiB.\n"),
        "complain",
        20_000,
      );
      assertEquals(await requestWhole(port, `repeat ${half + 1}`), "");
      assertStringIncludes(server.stderr, "the reply exceeds 1 MiB.\n");
      assertEquals(await requestWhole(port, "on we go"), "on we go");
    },
  });

  waiting.push({
    name: `library: ${kind} survives clients and protocols`,
    async fn() {
      await using started = await serve(kind, "moods", 1_000);
      const { server, port } = started;
      const complains = async (what: RegExp) => {
        await server.until(
          () => what.test(server.stderr),
          `say ${what}`,
          20_000,
        );
      };
      (await TcpPeer.connect(port)).connection.close();
      const vanishing = await TcpPeer.connect(port);
      await vanishing.send("repeat 500000");
      vanishing.connection.close();
      assertEquals(await requestWhole(port, Uint8Array.of(0xff, 0xfe)), "");
      await complains(/^Cannot answer 127\.0\.0\.1:\d+: .* not UTF-8\.$/m);
      assertEquals(await requestWhole(port, "throw"), "");
      await complains(
        /: the protocol threw Error: a bad�mood \(at .*moods\.ts/,
      );
      assertEquals(await requestWhole(port, "reject"), "");
      await complains(/: the protocol threw Error: a bad mood, later/);
      assertEquals(await requestWhole(port, "promise"), "kept");

      using silent = await TcpPeer.connect(port);
      await silent.assertCloses();
      await complains(/: no whole request within 1000 ms\.$/m);
      assertEquals(await requestWhole(port, "never"), "");
      await complains(/: the protocol gave no reply within 1000 ms\.$/m);
      assertEquals(await requestWhole(port, "on we go"), "on we go");
    },
  });
}

waiting.push({
  name: "library: a reply that is late goes to nobody else",
  async fn() {
    await using started = await serve("Threads", "moods", 2_000);
    const { port } = started;
    const ask = (text: string) => requestWhole(port, text);
    const many = (text: string) =>
      Promise.all(
        Array.from({ length: navigator.hardwareConcurrency }, () => ask(text)),
      );
    for (const reply of await many("late 2700")) assertEquals(reply, "");
    // The late ones would come while these are waited for.
    for (const reply of await many("late 1400")) {
      assertEquals(reply, "late 1400");
    }
  },
});

waiting.push({
  name: "library: a thread that ends between requests is replaced",
  async fn() {
    await using started = await serve("Threads", "moods", 5_000);
    const { server, port } = started;
    for (let i = 0; i < 4; i++) {
      assertEquals(await requestWhole(port, "bomb"), "lit");
      const bombs = () => server.stderr.split("the bomb").length - 1;
      await server.until(() => bombs() > i, "say why", 20_000);
      await delay(200);
      for (let j = 0; j < 3; j++) {
        assertEquals(await requestWhole(port, "quick"), "quick");
      }
    }
  },
});

waiting.push({
  name: "library: requests that wait get a new thread when theirs ends",
  async fn() {
    await using started = await serve("Threads", "moods", 5_000);
    const count = 4 * navigator.hardwareConcurrency;
    const asking = Array.from({ length: count }, (_, i) => {
      return requestWhole(started.port, i % 2 ? `number ${i}` : "exit");
    });
    for (const [i, reply] of (await Promise.all(asking)).entries()) {
      assertEquals(reply, i % 2 ? `number ${i}` : "");
    }
  },
});

waiting.push({
  name: "library: threads work in parallel, and are replaced",
  async fn() {
    await using started = await serve("Threads", "moods", 3_000);
    const { server, port } = started;
    const looping = requestWhole(port, "loop");
    if (navigator.hardwareConcurrency > 1) {
      // A loop that never pauses keeps one thread busy; the others go on.
      await assertPrints(server, "Received request");
      assertEquals(await requestWhole(port, "quick"), "quick");
      assertEquals(server.stderr, "");
    }
    assertEquals(await looping, "");
    assertStringIncludes(server.stderr, "gave no reply within 3000 ms");
    for (let i = 0; i < 5; i++) {
      assertEquals(await requestWhole(port, "crash"), "");
      assertEquals(await requestWhole(port, "exit"), "");
    }
    assertStringIncludes(server.stderr, "nobody catches this");
    // All threads are new by now, each with a protocol of its own.
    const count = navigator.hardwareConcurrency + 1;
    const counts = [];
    for (let i = 0; i < count; i++) {
      counts.push(await requestWhole(port, "count"));
    }
    for (const text of counts) {
      assert(/^[1-9]\d*$/.test(text) && Number(text) <= count, counts.join());
    }
  },
});

for (const kind of KINDS.slice(1)) {
  waiting.push({
    name: `library: ${kind} serves 300 clients at once`,
    async fn() {
      await using started = await serve(kind, "moods");
      const asks = Array.from({ length: 300 }, (_, i) => new Ask(`I am ${i}`));
      await Promise.all(
        asks.map((ask) => new Client(started.port, ask).open()),
      );
      const replies = asks.map(({ reply }) => reply);
      assertEquals(replies, asks.map((ask) => ask.prepareRequest()));
      assertEquals(started.server.stderr, "");
    },
  });
}

waiting.push({
  name: "library: an accept that fails is tried again",
  async fn() {
    await using server = new Program("failing accept", [
      ...["run", "--no-check", "--allow-net=127.0.0.1"],
      ...["--preload=tests/peers/failing_accept.ts", "tests/library/serve.ts"],
      ...["IterativeServer", "moods"],
    ]);
    const [, port] = await assertPrints(server, /port (\d+)\n/);
    assertEquals(await requestWhole(Number(port), "hello"), "hello");
    assertEquals(server.stderr, "");
  },
});

waiting.push({
  name: "library: what came while a server was busy came in time",
  async fn() {
    await using started = await serve("MultithreadedServer", "moods");
    let inRow = 0;
    for (let i = 0; inRow < 3; i++) {
      // The first half just before it computes for 200 ms, the second meanwhile.
      // (On a busy machine that may fail.)
      assert(
        i < 30,
        "two halves were never taken together three times in a row",
      );
      using busy = await TcpPeer.connect(started.port);
      using halves = await TcpPeer.connect(started.port);
      halves.connection.setNoDelay();
      await delay(10);
      await halves.send("two ");
      await busy.send("busy 200");
      await busy.connection.closeWrite();
      await delay(10);
      await halves.send("halves").catch(() => {});
      inRow = await halves.rest() === "two halves" ? inRow + 1 : 0;
    }
  },
});

waiting.push({
  name: "library: quiet says how long silence is",
  async fn() {
    const server = new MultithreadedServer(0, new Echo());
    const listening = server.listen({ quiet: 2_500 });
    using peer = await TcpPeer.connect(server.address.port);
    await peer.send("one ");
    await delay(500);
    await peer.send("request");
    const begun = performance.now();
    await peer.assertReplies("one request");
    assert(performance.now() - begun > 2_000, "it did not wait for silence");
    server.close();
    await listening;
  },
});

waiting.push({
  name: "library: a long request that stops ends by the timeout alone",
  async fn() {
    await using started = await serve("IterativeServer", "moods", 2_000);
    const { server, port } = started;
    assertEquals(await request(port, "length ".padEnd(1025, "x")), "");
    assertStringIncludes(server.stderr, "no whole request within 2000 ms.");
    assertEquals(await request(port, "on we go"), "on we go");
  },
});

for (const kind of KINDS) {
  waiting.push({
    name: `library: ${kind} closes a connection whose client stays`,
    async fn() {
      await using started = await serve(kind, "moods");
      using staying = await TcpPeer.connect(started.port);
      const begun = performance.now();
      await staying.send("hello");
      await staying.assertReplies("hello");
      let error: unknown;
      while (!error && performance.now() - begun < 15_000) {
        await delay(100);
        error = await staying.send("x").then(() => undefined, (e) => e);
      }
      assert(error, "it is still open after 15 s");
      assertEquals(await requestWhole(started.port, "next"), "next");
    },
  });

  waiting.push({
    name: `library: ${kind} leaves no socket behind`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using started = await serve(kind, "moods");
      const { server, port } = started;
      const openFiles = () => {
        const args = [`/proc/${server.pid}/fd`];
        const { stdout } = new Deno.Command("ls", { args }).outputSync();
        return new TextDecoder().decode(stdout).split("\n").length;
      };
      await requestWhole(port, "first");
      const before = openFiles();
      for (let i = 0; i < 200; i++) {
        assertEquals(await requestWhole(port, `${i}`), `${i}`);
      }
      const deadline = performance.now() + 20_000;
      while (openFiles() > before + 20) {
        assert(performance.now() < deadline, `${openFiles()} open files`);
        await delay(100);
      }
    },
  });

  waiting.push({
    name: `library: ${kind} goes on after clients that left the queue`,
    async fn() {
      await using started = await serve(kind, "moods");
      const { server, port } = started;
      using first = await TcpPeer.connect(port);
      await first.send("x".repeat(1025));
      for (let i = 0; i < 3; i++) {
        const peer = await TcpPeer.connect(port);
        await peer.send("unread");
        peer.connection.close();
      }
      await first.connection.closeWrite();
      assertEquals(await first.rest(), "x".repeat(1025));
      assertEquals(await requestWhole(port, "on we go"), "on we go");
      assert(server.status === undefined);
    },
  });
}

waiting.push({
  name: "library: a program ends by itself after close()",
  async fn() {
    const program = new Program("closing", [
      "run",
      "--no-check",
      "--allow-net=127.0.0.1",
      "--allow-read=.",
      "tests/library/closing.ts",
    ]);
    await using _ending = program;
    assertEquals(await program.exits(60_000), 0, program.stderr);
    assertEquals(
      program.stdout.replace(/^(Server|Received).*\n/gm, ""),
      "Reply: hello\nReply: hello\nClosed.\n",
    );
  },
});

waiting.push({
  name: "library: close() and a signal stop servers and free the port",
  async fn() {
    // Threads are in tests/library/closing.ts: each would type-check this module.
    for (
      const make of [
        (port: number) => new Server(port, new Echo()),
        (port: number) => new IterativeServer(port, new Echo()),
        (port: number) => new MultithreadedServer(port, new Echo()),
      ]
    ) {
      const server = make(unusedPort());
      let listening = server.listen();
      const { port } = server.address;
      using peer = await TcpPeer.connect(port);
      await assertRejects(() => server.listen(), Error, "listens already");
      const again = make(port);
      await assertRejects(
        () => again.listen(),
        Error,
        "Address already in use",
      );
      server.close(); // perhaps before it has seen the peer
      await within(20_000, listening, "the end");
      await peer.assertCloses();

      const controller = new AbortController();
      listening = again.listen({ signal: controller.signal });
      assertEquals(again.address.port, port);
      controller.abort();
      await within(20_000, listening, "the end");

      const aborted = server.listen({ signal: AbortSignal.abort() });
      await within(20_000, aborted, "the end");

      listening = server.listen(); // once more
      const { reply } = await ask(server.address.port, "hello");
      assertEquals(reply, "hello");
      server.close();
      await within(20_000, listening, "the end");
    }
  },
});

async function ask(port: number, text: string): Promise<Ask> {
  const protocol = new Ask(text);
  await new Client("127.0.0.1", port, protocol).open();
  return protocol;
}

waiting.push({
  name: "library: a module that cannot be used is an error of listen()",
  async fn() {
    for (
      const [module, complaint] of [
        ["./my_protocol.ts", "Invalid URL"],
        ["file:///nowhere/my_protocol.ts", "my_protocol.ts"],
        [import.meta.resolve("./assertions.ts"), "not a class"],
      ] as const
    ) {
      const server = new MultithreadedServer(0, module);
      await assertRejects(() => server.listen(), Error, complaint);
    }
    const server = new Server(0, new Echo());
    try {
      assert(server.address && false, "an address before listen()");
    } catch (error) {
      assert(error instanceof Error && /before it listens/.test(error.message));
    }
  },
});

waiting.push({
  name: "library: Client talks to servers like the Python ones",
  async fn() {
    using listener = new TcpListener();
    const asking = ask(listener.port, "Hello Server!");
    using peer = await listener.accept();
    await peer.assertReplies("Hello Server!");
    await peer.send("Hello\n");
    await peer.send(Uint8Array.of(0xc3));
    await peer.send(Uint8Array.of(0xa9, 0x0a));
    peer.connection.close();
    assertEquals((await asking).reply, "Helloé");

    // It reads once and closes, with the rest of the request unread: a reset.
    const long = ask(listener.port, "x".repeat(MIB));
    using once = await listener.accept();
    await once.connection.read(new Uint8Array(1024));
    await once.send("seen enough");
    once.connection.close();
    assertEquals((await long).reply, "seen enough");
  },
});

waiting.push(needs(["python3"], {
  name: "library: programs like the originals, with ours",
  async fn() {
    const python = (...args: string[]) =>
      new Program(
        "python3",
        ["tests/peers/library.py", ...args],
        {},
        ROOT,
        find("python3"),
      );
    await using server = python("server", "0");
    const [, port = ""] = await assertPrints(server, /port (\d+)\n/);
    assertEquals((await ask(Number(port), "one")).reply, "Hello Client!");
    // It leaves the rest unread, so its close is a reset.
    const { reply } = await ask(Number(port), "x".repeat(20_000));
    assertEquals(reply, "Hello Client!");
    await using client = await start("library:client", ["--port", port]);
    await assertPrints(client, "Response: Hello Client!\n");
    assertStringIncludes(server.stdout, ": Hello Server!\n");

    await Promise.all(KINDS.map(async (kind) => {
      await using started = await serve(kind, "moods");
      await using theirs = python("client", `${started.port}`, "as in Python");
      await assertExits(theirs, 0);
      assertEquals(theirs.stdout, "Response:  as in Python\n");
    }));
  },
}));

waiting.push(needs(["script"], {
  name: "library: threads start on a terminal without a question",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const flags = "run --no-check --allow-net=127.0.0.1 --allow-read=.";
    const command = `${Deno.execPath()} ${flags} tests/library/serve.ts`;
    const args = ["-qec", `${command} Threads moods`, "/dev/null"];
    const path = find("script") ?? "";
    await using server = new Program("on a terminal", args, {}, ROOT, path);
    const [, port] = await assertPrints(server, /to port (\d+)\r?\n/);
    assertEquals(await request(Number(port), "hello"), "hello");
    assert(!server.stdout.includes("Allow?"), server.stdout);
  },
}));

waiting.push({
  name: "library: Client says what went wrong",
  async fn() {
    const refused = () => ask(1, "x"); // a port that nobody has
    await assertRejects(refused, Error, "Is the server running?");
    const tooLong = () => ask(1, "x".repeat(MIB + 1));
    await assertRejects(tooLong, Error, "request exceeds 1 MiB");

    using listener = new TcpListener();
    const open = (options = {}) =>
      new Client(listener.port, new Ask("hi")).open(options);
    const meet = async (opening: Promise<void>, bytes: Uint8Array) => {
      const peer = await listener.accept();
      await peer.assertReplies("hi");
      await peer.send(bytes).catch(() => {});
      peer.connection.close();
      await opening;
    };
    await assertRejects(
      () => meet(open(), new Uint8Array()),
      Error,
      "without a reply",
    );
    await assertRejects(
      () => meet(open(), Uint8Array.of(0xff)),
      Error,
      "not UTF-8",
    );
    await assertRejects(
      () => meet(open(), new Uint8Array(MIB + 1)),
      Error,
      "reply exceeds 1 MiB",
    );
    await assertRejects(() => open({ timeout: 100 }), Error, "100 ms");
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    await assertRejects(() => open({ signal }), Error, "changed my mind");
  },
});

waiting.push({
  name: "library: a user's program, in a folder of its own",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "atm-" });
    try {
      for (const name of ["server.ts", "client.ts"]) {
        await Deno.copyFile(
          join(ROOT, "tcp/library", name),
          join(folder, name),
        );
      }
      for (const name of ["atm.ts", "moods.ts", "serve.ts", "ask.ts"]) {
        const text = await Deno.readTextFile(join(ROOT, "tests/library", name));
        const alone = text.replaceAll("../../tcp/library/", "./");
        await Deno.writeTextFile(join(folder, name), alone);
      }
      const run = (...args: string[]) => new Program("atm", args, {}, folder);
      await using check = run("check", "serve.ts", "ask.ts");
      assertEquals(await check.exits(60_000), 0, check.stderr);

      const net = "--allow-net=127.0.0.1", read = "--allow-read=.";
      for (const kind of ["IterativeServer", "MultithreadedServer"]) {
        await using server = run("run", net, read, "serve.ts", kind, "atm");
        const [, port = ""] = await assertPrints(server, /port (\d+)\n/);
        for (
          const [command, reply] of [
            ["ada 1815 GET_BALANCE", "BALANCE 100"],
            ["ada 1815 WITHDRAW 20", "BALANCE 80"],
            ["ada 1815 WITHDRAW 81", "ERROR not enough money"],
            ["ada 1906 WITHDRAW 1", "ERROR wrong user or PIN"],
            ["grace 1906 DEPOSIT 20", "BALANCE 20"],
            ["ada 1815 GET_BALANCE", "BALANCE 80"],
          ] as const
        ) {
          await using client = run("run", net, "ask.ts", port, command);
          await assertExits(client, 0);
          assertEquals(client.stdout, `Reply: ${reply}\n`);
        }
      }
      // Without permission to read it, the module cannot go into threads.
      await using denied = run(
        "run",
        "--no-prompt",
        net,
        "serve.ts",
        "T",
        "atm",
      );
      assertEquals(await denied.exits(), 1);
      assertStringIncludes(denied.stderr, "--allow-read");
      await using server = run("run", net, read, "serve.ts", "Threads", "atm");
      const [, port = ""] = await assertPrints(server, /port (\d+)\n/);
      await using client = run(
        "run",
        net,
        "ask.ts",
        port,
        "grace 1906 DEPOSIT 5",
      );
      await assertExits(client, 0);
      assertEquals(client.stdout, "Reply: BALANCE 5\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  waiting.push({
    name: `library: ${signal} ends the server in good order`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using started = await startServer("library:server");
      using peer = await TcpPeer.connect(started.port);
      started.server.kill(signal);
      await assertExits(started.server, 0);
      await peer.assertCloses();
    },
  });
}

waiting.push(needsHosts({
  name: "library: from machine to machine, 1 byte to 1 MiB, 100 ms away",
  async fn() {
    await using hosts = await Hosts.create();
    const { a, b } = hosts;
    await hosts.set({ delay: 50 });
    const run = ["run", "--no-check", "--allow-net", "--allow-read"];
    const serving = ["tests/library/serve.ts", "MultithreadedServer", "moods"];
    await using server = a.run(
      Deno.execPath(),
      [...run, ...serving, "30000", "0.0.0.0"],
    );
    const [, port = ""] = await server.prints(/port (\d+)\n/, { ms: 60_000 });
    const sizes = ["8", "1023", "1024", "1025", "15000", "100000", `${MIB}`];
    const asking = ["tests/library/far.ts", a.ipv4, port, ...sizes];
    await using client = b.run(Deno.execPath(), [...run, ...asking]);
    assertEquals(await client.exits(120_000), 0, client.stderr);
    assertEquals(client.stdout, sizes.map((size) => `${size}\n`).join(""));

    // Lost packets come late: later than any silence that could end a request.
    await hosts.set({ delay: 10, loss: 5 });
    await using again = b.run(Deno.execPath(), [...run, ...asking]);
    assertEquals(await again.exits(240_000), 0, again.stderr);
    assertEquals(again.stdout, sizes.map((size) => `${size}\n`).join(""));
    assertEquals(server.stderr, "");
  },
}));

for (let part = 1; waiting.length > 0; part++) {
  Deno.test(together(`library: side by side, ${part}`, waiting.splice(0, 6)));
}
