import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  answerPrompt,
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  noSignals,
  Program,
  ROOT,
  sideBySide,
  startClient,
  startOnTerminal,
  startServer,
  type Step,
  TcpListener,
  TcpPeer,
  UNCOUNTED,
} from "./assertions.ts";
import { type Host, Hosts, needsHosts } from "./hosts.ts";
import { find, needs } from "./needs.ts";
import { startPython } from "./peers/python.ts";

/** Tests that mostly wait: they run side by side. */
const waiting: Step[] = [];

/** A long text of two-byte characters: 200,000 bytes, cut by every read. */
const LONG = "é".repeat(100_000);

Deno.test("tcp: the pair greets each other and ends", async () => {
  await using started = await startServer("tcp:server");
  const { server, port } = started;
  await using client = await startClient("tcp:client", port);
  await assertExits(client, 0);
  assertEquals(client.stdout, "Server says: Hello from server!\n");
  await assertExits(server, 0);
  assertEquals(
    server.stdout.replace(/127.0.0.1:\d+/, "HOST:PORT"),
    `Server listening on port ${port}...\nConnected by HOST:PORT\n` +
      "Client says: Hello from client!\n",
  );
});

Deno.test("tcp/server: answers a client that does not close its side", async () => {
  await using started = await startServer("tcp:server");
  using peer = await TcpPeer.connect(started.port);
  await peer.send("Hello from client!");
  await peer.assertReplies("Hello from server!");
  await peer.assertCloses();
  await assertExits(started.server, 0);
});

Deno.test("tcp/server: takes what one read returns for the message", async () => {
  await using started = await startServer("tcp:server");
  using peer = await TcpPeer.connect(started.port);
  // It closes with one byte unread. On Windows its answer may be lost then.
  await peer.send("x".repeat(1025));
  await assertExits(started.server, 0);
  assertMatch(started.server.stdout, /\nClient says: x{1024}\n$/);
});

Deno.test("tcp/server: reports a client that leaves without a word", async () => {
  await using started = await startServer("tcp:server");
  const peer = await TcpPeer.connect(started.port);
  peer.connection.close();
  await assertExits(started.server, 1);
  assertComplaint(
    started.server,
    /^Cannot serve on 127\.0\.0\.1 port 0: the client left without a word\.\n$/,
  );
});

Deno.test("tcp/client: says hello and prints what a raw server answers", async () => {
  using listener = new TcpListener();
  await using client = await startClient("tcp:client", listener.port);
  using peer = await listener.accept();
  await peer.assertReplies("Hello from client!");
  await peer.send("Hällo from a peer that stays");
  await assertExits(client, 0);
  assertEquals(client.stdout, "Server says: Hällo from a peer that stays\n");
});

Deno.test("tcp/client: takes what one read returns for the message", async () => {
  using listener = new TcpListener();
  await using client = await startClient("tcp:client", listener.port);
  using peer = await listener.accept();
  await peer.send("x".repeat(1025));
  await assertExits(client, 0);
  assertMatch(client.stdout, /^Server says: x{1024}\n$/);
});

Deno.test("tcp/client: reports a server that leaves without a word", async () => {
  using listener = new TcpListener();
  await using client = await startClient("tcp:client", listener.port);
  const peer = await listener.accept();
  await peer.assertReplies("Hello from client!"); // unread, it would be a reset
  peer.connection.close();
  await assertExits(client, 1);
  assertComplaint(
    client,
    /^Cannot talk with 127\.0\.0\.1 port \d+: the server left without a word\.\n$/,
  );
});

Deno.test("tcp/chat: turns, empty lines, long texts, exit by the client", async () => {
  await using started = await startServer("tcp:chat:server");
  const { server, port } = started;
  await using client = await startClient("tcp:chat:client", port);
  await assertPrints(
    client,
    `Connected to TCP Chat Server at 127.0.0.1:${port}\n`,
  );
  await answerPrompt(client, "You (client): ", "");
  await answerPrompt(client, "You (client): ", "  ");
  await answerPrompt(client, "You (client): ", "grüß dich 👋");
  await assertPrints(server, "Client: grüß dich 👋\n");
  await answerPrompt(server, "You (server): ", "");
  await answerPrompt(server, "You (server): ", "  ");
  await answerPrompt(server, "You (server): ", LONG);
  await assertPrints(client, `Server: ${LONG}\n`);
  await answerPrompt(client, "You (client): ", LONG);
  await assertPrints(server, `Client: ${LONG}\n`);
  await answerPrompt(server, "You (server): ", "bye");
  await answerPrompt(client, "You (client): ", " EXIT ");
  await assertExits(client, 0);
  await assertExits(server, 0);
  assert(client.stdout.endsWith(
    "Server: Goodbye! Closing connection.\nClient closed.\n",
  ));
  assert(server.stdout.endsWith("Client: EXIT\nServer closed.\n"));
});

Deno.test("tcp/chat: both say whose turn it is; exit by the server ends both", async () => {
  await using started = await startServer("tcp:chat:server");
  const { server, port } = started;
  await using client = await startClient("tcp:chat:client", port);
  await assertPrints(server, "Waiting for the client ...\n");
  await answerPrompt(client, "You (client): ", "hi");
  await assertPrints(client, "You (client): Waiting for the server ...\n");
  await answerPrompt(server, "You (server): ", "ho");
  await assertPrints(server, "You (server): Waiting for the client ...\n");
  await answerPrompt(client, "You (client): ", "and?");
  await answerPrompt(server, "You (server): ", " Exit");
  await assertExits(server, 0);
  await assertExits(client, 0);
  assert(client.stdout.endsWith("...\nServer: Exit\nClient closed.\n"));
  assertEquals(
    server.stdout.split("\n").slice(2),
    [
      "Waiting for the client ...",
      "Client: hi",
      "You (server): Waiting for the client ...",
      "Client: and?",
      "You (server): Server closed.",
      "",
    ],
  );
});

Deno.test("tcp/chat_server: a peer like the Python client, whose messages come in parts", async () => {
  await using started = await startServer("tcp:chat:server");
  const { server, port } = started;
  using peer = await TcpPeer.connect(port);
  await peer.send("hello\r\n");
  await assertPrints(server, "Client: hello\n");
  await answerPrompt(server, "You (server): ", "good day");
  await peer.assertReplies("good day");

  // A short message is shown soon.
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const began = performance.now();
    await peer.send(`message ${turn}`);
    await assertPrints(server, `Client: message ${turn}\n`);
    times.push(performance.now() - began);
  }
  // Each waits 200 ms for more; a busy machine may need longer for some.
  assert(Math.min(...times) < 1_500, `${times}`);

  // One cut message is one message.
  for (let tries = 0; tries < 5; tries++) {
    const from = server.stdout.length;
    let longest = 0;
    for (const byte of new TextEncoder().encode("aé👋")) {
      const began = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 20));
      await peer.send(Uint8Array.of(byte));
      longest = Math.max(longest, performance.now() - began);
    }
    await peer.send("!");
    await assertPrints(server, /!\nYou/, from);
    if (longest > 100) continue; // a busy machine: the pauses were too long
    const whole = /^(You \(server\): )?\n?Client: aé👋!\nYou/;
    assertMatch(server.stdout.slice(from), whole);
    break;
  }

  // A part that comes late is shown at once, and costs no turn.
  await peer.send("one");
  await assertPrints(server, "Client: one\nYou (server): ");
  await peer.send("two");
  await assertPrints(server, "): \nClient: two\nYou (server): ");
  await answerPrompt(server, "You (server): ", "reply");
  await peer.assertReplies("reply");
  await assertPrints(server, "): Waiting for the client ...\n");
  await peer.send("three");
  await assertPrints(server, "...\nClient: three\nYou (server): ");

  // A character is put together, however long its half waits.
  await peer.send(Uint8Array.of(0x47, 0xc3));
  await assertPrints(server, "Client: G\nYou (server): "); // 200 ms are over
  await peer.send(Uint8Array.of(0xbc));
  await assertPrints(server, "\nClient: ü\nYou (server): ");
  await peer.send(Uint8Array.of(0xc3)); // the other half never comes
  await answerPrompt(server, "You (server): ", "no message, no turn");
  await peer.assertReplies("no message, no turn");
  await peer.send("!");
  await assertPrints(server, "...\nClient: \uFFFD!\nYou (server): ");

  // It cannot command the terminal; without an end, it is cut at 1 MiB.
  await peer.send("x\nYou (server): exit");
  await assertPrints(server, "Client: x\uFFFDYou (server): exit\nYou");
  await peer.send("x".repeat(1_500_000));
  const two = /Client: (x+)\nYou \(server\): \nClient: (x+)\nYou/;
  const [, first, second] = await assertPrints(server, two);
  assertEquals(`${first}${second}`.length, 1_500_000);
  assert(first && first.length >= 1024 * 1024 && first.length < 1_200_000);

  await peer.send("exit");
  await peer.assertReplies("Goodbye! Closing connection.");
  await peer.assertCloses();
  await assertExits(server, 0);
});

Deno.test("tcp/chat: lines that wait on a pipe are said turn by turn", async () => {
  await using started = await startServer("tcp:chat:server");
  const { server, port } = started;
  await server.type("one");
  await server.type("two");
  await using client = await startClient("tcp:chat:client", port);
  await client.type("eins");
  await client.type("zwei");
  await client.endInput(); // counts as exit
  await assertExits(client, 0);
  await assertExits(server, 0);
  const said = server.stdout.match(/Client: \w+/g);
  assertEquals(said, ["Client: eins", "Client: zwei", "Client: exit"]);
  const replies = client.stdout.match(/Server: .*/g);
  assertEquals(replies, [
    "Server: one",
    "Server: two",
    "Server: Goodbye! Closing connection.",
  ]);
});

Deno.test("tcp/chat_server: end of input counts as exit", async () => {
  await using started = await startServer("tcp:chat:server");
  await started.server.endInput();
  using peer = await TcpPeer.connect(started.port);
  await peer.send("hello");
  await peer.assertReplies("exit");
  await peer.assertCloses();
  await assertExits(started.server, 0);
});

Deno.test("tcp/chat_server: a client that vanishes at the prompt ends it", async () => {
  await using started = await startServer("tcp:chat:server");
  const { server, port } = started;
  const peer = await TcpPeer.connect(port);
  await peer.send("hello");
  await assertPrints(server, "You (server): ");
  peer.connection.close();
  await assertExits(server, 0);
  assert(server.stdout.endsWith("\nClient disconnected\nServer closed.\n"));
});

Deno.test("tcp/chat_server: a second client is turned away at once", async () => {
  await using started = await startServer("tcp:chat:server");
  const { server, port } = started;
  using _peer = await TcpPeer.connect(port);
  await assertPrints(server, "Client connected from");
  await assertFails("tcp:chat:client", ["--port", `${port}`], 1, /refused/i);
});

Deno.test("tcp/chat_client: a server that vanishes at the prompt ends it", async () => {
  using listener = new TcpListener();
  await using client = await startClient("tcp:chat:client", listener.port);
  const peer = await listener.accept();
  await assertPrints(client, "You (client): ");
  peer.connection.close();
  await assertExits(client, 0);
  assert(
    client.stdout.endsWith("\nServer closed the connection.\nClient closed.\n"),
  );
});

Deno.test("tcp/chat_client: a server that vanishes instead of answering", async () => {
  using listener = new TcpListener();
  await using client = await startClient("tcp:chat:client", listener.port);
  const peer = await listener.accept();
  await answerPrompt(client, "You (client): ", "hello");
  await peer.assertReplies("hello");
  peer.connection.close();
  await assertExits(client, 0);
  assert(client.stdout.endsWith(
    "Server closed the connection.\nClient closed.\n",
  ));
});

Deno.test("tcp/chat_client: what is typed arrives as it was typed, but is shown escaped", async () => {
  const odd = "a\u2028b\rc\x1b[2J\u202ed";
  using listener = new TcpListener();
  await using client = await startClient("tcp:chat:client", listener.port);
  using peer = await listener.accept();
  await answerPrompt(client, "You (client): ", `${odd}\r`);
  await peer.assertReplies(odd);
  await peer.send(odd);
  await assertPrints(client, "Server: a\uFFFDb\uFFFDc\uFFFD[2J\uFFFDd\nYou");
  await answerPrompt(client, "You (client): ", "next");
  await peer.assertReplies("next");
});

/** A peer that resets its connection when something is typed into it. */
function startResetter(connect: string): Program {
  const script = `
import socket, struct, sys
${connect}
print("connected", flush=True)
sys.stdin.readline()
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()`;
  const python = find("python3");
  return new Program("resetter", ["-c", script], {}, ROOT, python);
}

waiting.push(needs(["python3"], {
  name: "tcp/chat: a reset is no goodbye",
  ignore: noSignals, // Windows resets otherwise
  async fn() {
    const reset = /^Cannot .* 127\.0\.0\.1 port \d+: .*reset.*\n$/i;
    const server = async (prompt: boolean) => {
      await using started = await startServer("tcp:chat:server");
      const { server, port } = started;
      await using peer = startResetter(
        `s = socket.create_connection(("127.0.0.1", ${port}))` +
          (prompt ? "\ns.sendall(b'hello')" : ""),
      );
      await assertPrints(
        server,
        prompt ? "You (server): " : "Waiting for the client ...\n",
      );
      await peer.type("reset");
      await assertExits(server, 1);
      assertComplaint(server, reset);
      assert(server.stdout.endsWith(prompt ? "(server): " : "client ...\n"));
    };
    const client = async () => {
      await using peer = startResetter(
        's = socket.create_server(("127.0.0.1", 0))\n' +
          "print(s.getsockname()[1], flush=True)\ns = s.accept()[0]",
      );
      const [port] = await assertPrints(peer, /^\d+(?=\n)/);
      await using client = await startClient("tcp:chat:client", Number(port));
      await answerPrompt(client, "You (client): ", "hello");
      await assertPrints(client, "Waiting for the server ...\n");
      await assertPrints(peer, "connected");
      await peer.type("reset");
      await assertExits(client, 1);
      assertComplaint(client, reset);
      assert(client.stdout.endsWith("server ...\n"));
    };
    await Promise.all([server(true), server(false), client()]);
  },
}));

Deno.test("tcp/chat_server: ends in good order while words wait unread", async () => {
  await using started = await startServer("tcp:chat:server");
  const { server, port } = started;
  using peer = await TcpPeer.connect(port);
  await peer.send("hello");
  await assertPrints(server, "Client: hello\nYou (server): ");
  const flood = peer.send("x".repeat(20_000_000)).catch(() => {});
  await server.type("exit");
  const buffer = new Uint8Array(100);
  assertEquals(await peer.connection.read(buffer), 4);
  assertEquals(await peer.connection.read(buffer), null); // and not a reset
  await assertExits(server, 0);
  await flood;
});

waiting.push({
  name: "tcp/chat: a text that is under way for 10 s is reported",
  async fn() {
    const notice = "No answer for 10 s. TCP repeats what did not arrive.\n";
    // More than one write takes, while the peer does not read.
    const long = "x".repeat(4_000_000);
    const client = async () => {
      using listener = new TcpListener();
      await using client = await startClient("tcp:chat:client", listener.port);
      using peer = await listener.accept();
      const began = performance.now();
      await answerPrompt(client, "You (client): ", long);
      await assertPrints(client, `...\n${notice}`);
      assert(performance.now() - began > 9_900);
      await peer.assertReplies(long);
      await peer.send("here");
      await assertPrints(client, `${notice}Server: here\nYou (client): `);
    };
    const server = async () => {
      await using started = await startServer("tcp:chat:server");
      const { server, port } = started;
      using peer = await TcpPeer.connect(port);
      await peer.send("hello");
      await answerPrompt(server, "You (server): ", long);
      await assertPrints(server, `Waiting for the client ...\n${notice}`);
      await peer.assertReplies(long);
    };
    const slow = async () => {
      using listener = new TcpListener();
      await using client = await startClient("tcp:chat:client", listener.port);
      using peer = await listener.accept();
      await answerPrompt(client, "You (client): ", "hello");
      await peer.assertReplies("hello");
      await new Promise((resolve) => setTimeout(resolve, 13_000));
      await peer.send("here"); // the notice has come before that
      await assertPrints(client, `${notice}Server: here\nYou (client): `);
    };
    const quick = async () => {
      using listener = new TcpListener();
      await using client = await startClient("tcp:chat:client", listener.port);
      using peer = await listener.accept();
      await answerPrompt(client, "You (client): ", "hello");
      await peer.send("here");
      await assertPrints(client, "Server: here\nYou (client): ");
      await new Promise((resolve) => setTimeout(resolve, 11_000));
      assert(!client.stdout.includes("No answer"));
    };
    await Promise.all([client(), server(), slow(), quick()]);
  },
});

Deno.test(needs(["python3"], {
  name: "tcp/chat: what is typed on a terminal out of turn is not sent",
  ignore: noSignals,
  async fn() {
    using listener = new TcpListener();
    await using client = await startOnTerminal("tcp:chat:client", [
      "--port",
      `${listener.port}`,
    ]);
    using peer = await listener.accept();
    await assertPrints(client, "You (client): ");
    await client.type("hello");
    await peer.assertReplies("hello");
    await assertPrints(client, "Waiting for the server ...");
    await client.type("too early");
    await assertPrints(client, "Not sent, it is the server's turn.");
    await peer.send("good day");
    await assertPrints(client, /Server: good day\r?\nYou \(client\): /);
    await client.type("now");
    await peer.assertReplies("now");
    await assertPrints(client, /now\r?\nWaiting for the server/);
    await client.type("\x04"); // Ctrl-D, out of turn, too
    await peer.assertReplies("exit");
    await peer.send("Goodbye!");
    await assertPrints(client, /Server: Goodbye!\r?\nClient closed\./);
    await peer.assertCloses();

    await using server = await startOnTerminal("tcp:chat:server", ["--port=0"]);
    const [, port] = await assertPrints(server, /on \S+:(\d+) \.\.\./);
    using other = await TcpPeer.connect(Number(port));
    await assertPrints(server, "Waiting for the client ...");
    await server.type("too early");
    await assertPrints(server, "Not sent, it is the client's turn.");
    await other.send("hello");
    await assertPrints(server, /Client: hello\r?\nYou \(server\): /);
    await server.type("\x04"); // Ctrl-D
    await other.assertReplies("exit");
    await assertPrints(server, "Server closed.");
  },
}));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `tcp/chat_client: ${signal} ends it, and the server is told`,
    ignore: noSignals,
    async fn() {
      await using started = await startServer("tcp:chat:server");
      const { server, port } = started;
      await using client = await startClient("tcp:chat:client", port);
      await assertPrints(client, "You (client): ");
      client.kill(signal);
      await assertExits(client, 0);
      assert(client.stdout.endsWith("\nClient closed.\n"));
      await assertExits(server, 0);
      assertStringIncludes(server.stdout, "Client disconnected\n");
    },
  });
}

Deno.test({
  name: "tcp/chat_server: a signal ends it, and the client is told",
  ignore: noSignals,
  async fn() {
    await using started = await startServer("tcp:chat:server");
    const { server, port } = started;
    await using client = await startClient("tcp:chat:client", port);
    await answerPrompt(client, "You (client): ", "hi");
    await assertPrints(server, "You (server): ");
    server.kill("SIGINT");
    await assertExits(server, 0);
    assert(server.stdout.endsWith("\nServer closed.\n"));
    await assertExits(client, 0);
    assert(client.stdout.endsWith(
      "Server closed the connection.\nClient closed.\n",
    ));
  },
});

Deno.test(needs(["python3"], {
  name: "tcp: each program talks with its counterpart in Python",
  async fn() {
    const greeted = "Client says: Hello from client!\n";
    const ours = async () => {
      await using started = await startServer("tcp:server");
      await using client = startPython("tcp_client", started.port);
      await assertExits(client, 0);
      assertEquals(client.stdout, "Server says: Hello from server!\n");
      await assertExits(started.server, 0);
      assert(started.server.stdout.endsWith(greeted));
    };
    const theirs = async () => {
      await using server = startPython("tcp_server", 0);
      const [, port] = await assertPrints(server, /port (\d+)/);
      await using client = await startClient("tcp:client", Number(port));
      await assertExits(client, 0);
      assertEquals(client.stdout, "Server says: Hello from server!\n");
      await assertExits(server, 0);
      assert(server.stdout.endsWith(greeted));
      if (Deno.build.os !== "linux") return;
      // It did not set SO_REUSEADDR, so its closed connection keeps the port.
      const advice = /in use.* wait a minute, or pass another --port\.\n$/;
      await assertFails("tcp:server", ["--port", `${port}`], 1, advice);
    };
    const chat = async (server: Program, client: Program) => {
      await answerPrompt(client, "You (client): ", "grüß dich 👋");
      await assertPrints(server, "Client: grüß dich 👋\n");
      await answerPrompt(server, "You (server): ", "hello");
      await assertPrints(client, "Server: hello\n");
      await answerPrompt(client, "You (client): ", "Exit");
      await assertExits(client, 0);
      await assertExits(server, 0);
      assert(client.stdout.endsWith(
        "Server: Goodbye! Closing connection.\nClient closed.\n",
      ));
      assert(server.stdout.endsWith("Client: Exit\nServer closed.\n"));
    };
    const ourChat = async () => {
      await using started = await startServer("tcp:chat:server");
      await using client = startPython("tcp_chat_client", started.port);
      await chat(started.server, client);
    };
    const theirChat = async () => {
      await using server = startPython("tcp_chat_server", 0);
      const [, port] = await assertPrints(server, /:(\d+) \.\.\.\n/);
      await using client = await startClient("tcp:chat:client", Number(port));
      await chat(server, client);
    };
    await Promise.all([ours(), theirs(), ourChat(), theirChat()]);
  },
}));

waiting.push(needsHosts({
  name: "tcp: between hosts, 100 ms and 10 % loss away, by IPv4, IPv6 and NAT",
  async fn() {
    await using hosts = await Hosts.create();
    const { a, b, c } = hosts;
    await hosts.set({ delay: 50, loss: 10 });
    const pair = async (listen: string, host: string, from: Host) => {
      await using server = await a.start("tcp:server", [
        ...["--host", listen, "--port", "0"],
      ]);
      const [, port] = await assertPrints(server, /port (\d+)/);
      const args = ["--host", host, "--port", `${port}`];
      await using client = await from.start("tcp:client", args);
      await assertExits(client, 0);
      assertEquals(client.stdout, "Server says: Hello from server!\n");
      await assertExits(server, 0);
      assertStringIncludes(server.stdout, "Client says: Hello from client!\n");
      return /Connected by (.*):\d+\n/.exec(server.stdout)?.[1];
    };
    const chat = async () => {
      const long = "é".repeat(20_000);
      const host = ["--host", a.ipv6];
      await using server = await a.start("tcp:chat:server", host);
      await assertPrints(server, "on [fd77::1]:23456 ...\n");
      await using client = await b.start("tcp:chat:client", host);
      await answerPrompt(client, "You (client): ", "hello");
      await assertPrints(server, /from \[fd77::2\]:\d+\n/);
      await answerPrompt(server, "You (server): ", long);
      await client.until(
        // It may come in parts, because a lost packet costs more than 200 ms.
        () => client.stdout.match(/é/g)?.length === 20_000,
        "print it all",
        60_000,
      );
      await answerPrompt(client, "You (client): ", "exit");
      await assertExits(client, 0);
      await assertExits(server, 0);
    };
    const [four, six] = await Promise.all([
      pair("0.0.0.0", a.ipv4, b),
      pair("::", a.ipv6, b),
      chat(),
    ]);
    assertEquals([four, six], [b.ipv4, `[${b.ipv6}]`]);
    await hosts.set({ delay: 0, loss: 0, nat: true });
    assertEquals(await pair("0.0.0.0", a.ipv4, c), "10.77.0.9");
  },
}));

waiting.push(needsHosts({
  name: "tcp/chat: between hosts, a cut wire and a machine that vanishes",
  async fn() {
    const start = async (hosts: Hosts) => {
      const host = ["--host", hosts.a.ipv4];
      const server = await hosts.a.start("tcp:chat:server", host);
      await assertPrints(server, "listening");
      const client = await hosts.b.start("tcp:chat:client", host);
      await answerPrompt(client, "You (client): ", "hello");
      await answerPrompt(server, "You (server): ", "good day");
      await assertPrints(client, "Server: good day\nYou (client): ");
      return { server, client };
    };
    const cut = async () => {
      await using hosts = await Hosts.create();
      const { server, client } = await start(hosts);
      await hosts.set({ dark: ["b"] });
      await client.type("over a cut wire");
      await assertPrints(client, "No answer for 10 s. TCP repeats");
      assert(!server.stdout.includes("over"));
      await hosts.set({ dark: [] });
      await server.prints("Client: over a cut wire\n", { ms: 60_000 });
      await answerPrompt(server, "You (server): ", "exit");
      await assertExits(client, 0);
      await assertExits(server, 0);
    };
    const vanished = async () => {
      await using hosts = await Hosts.create();
      for (const host of [hosts.a, hosts.b]) {
        await host.sysctl("net.ipv4.tcp_keepalive_time", 1);
        await host.sysctl("net.ipv4.tcp_keepalive_intvl", 1);
        await host.sysctl("net.ipv4.tcp_keepalive_probes", 2);
      }
      const { server, client } = await start(hosts);
      await hosts.set({ dark: ["b"] });
      for (const program of [server, client]) {
        await assertExits(program, 1);
        assertComplaint(program, /^Cannot .* port 23456: .*timed out.*\.\n$/);
      }
    };
    await Promise.all([cut(), vanished()]);
  },
}));

Deno.test({
  name: "tcp: what mostly waits",
  ...UNCOUNTED,
  fn: (t) => sideBySide(t, waiting.length, waiting),
});
