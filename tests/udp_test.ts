import { assert, assertEquals, assertStringIncludes } from "@std/assert";
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
  UdpPeer,
  UNCOUNTED,
} from "./assertions.ts";
import { type Host, Hosts, needsHosts } from "./hosts.ts";
import { find, needs } from "./needs.ts";
import { startPython } from "./peers/python.ts";

/** The largest datagram in bytes; macOS sends no larger ones. */
const LARGEST = Deno.build.os === "darwin" ? 9_216 : 65_507;

/** Texts that take 0, 1, 4096 and the most bytes that a datagram can have. */
const TEXTS = [
  "",
  "x",
  "é".repeat(2048),
  "é".repeat(LARGEST >> 1) + "e".repeat(LARGEST % 2),
];

/** Tests that mostly wait: they run side by side. */
const waiting: Step[] = [];

const BUSY = "Server is busy with another client.";
const GOODBYE = "Goodbye! Closing session.";
const HELLO = "Hello from client!";

/** A port of this machine where datagrams go to nobody. */
function deafPort(): number {
  using peer = new UdpPeer();
  return peer.port;
}

/** Says something to a chat server that has no client yet. */
async function join(peer: UdpPeer, server: Program, port: number) {
  await peer.send("hello", port);
  await assertPrints(server, `Client connected from 127.0.0.1:${peer.port}\n`);
  await assertPrints(server, "Client: hello\nYou (server): ");
}

/** Starts a chat client, lets it say something; `port` is the client's. */
async function startTalk(peer: UdpPeer, text = "hello") {
  const client = await startClient("udp:chat:client", peer.port);
  await answerPrompt(client, "You (client): ", text);
  const port = await peer.assertReceives(text);
  return {
    client,
    port,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

Deno.test("udp: the pair greets each other and ends", async () => {
  await using started = await startServer("udp:server");
  const { server, port } = started;
  await using client = await startClient("udp:client", port);
  await assertExits(client, 0);
  assertEquals(client.stdout, "Server says: Hello from server!\n");
  await assertExits(server, 0);
  assertEquals(
    server.stdout,
    `Server listening on port ${port}...\nClient says: ${HELLO}\n`,
  );
});

Deno.test("udp: both show the empty and the largest datagram whole", async () => {
  const server = async (text: string) => {
    await using started = await startServer("udp:server");
    const { server, port } = started;
    using peer = new UdpPeer();
    await peer.send(text, port);
    assertEquals(await peer.assertReceives("Hello from server!"), port);
    await assertExits(server, 0);
    assert(server.stdout.endsWith(`\nClient says: ${text}\n`));
  };
  const client = async (text: string) => {
    using peer = new UdpPeer();
    await using client = await startClient("udp:client", peer.port);
    await peer.send(text, await peer.assertReceives(HELLO));
    await assertExits(client, 0);
    assertEquals(client.stdout, `Server says: ${text}\n`);
  };
  const texts = [TEXTS[0] ?? "", TEXTS.at(-1) ?? ""];
  await Promise.all(texts.flatMap((text) => [server(text), client(text)]));
});

Deno.test("udp/client: believes only the server, and it only once", async () => {
  using peer = new UdpPeer();
  using stranger = new UdpPeer();
  await using client = await startClient("udp:client", peer.port);
  const port = await peer.assertReceives(HELLO);
  for (const forged of ["forged", "", "forged again"]) {
    await stranger.send(forged, port);
  }
  for (const text of ["true", "true", "too late"]) await peer.send(text, port);
  await assertExits(client, 0);
  assertEquals(client.stdout, "Server says: true\n");
});

waiting.push({
  name: "udp/client: waits for a server that takes its time",
  async fn() {
    using peer = new UdpPeer();
    await using client = await startClient("udp:client", peer.port);
    const port = await peer.assertReceives(HELLO);
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // of 3,000
    await peer.send("late", port);
    await assertExits(client, 0);
    assertEquals(client.stdout, "Server says: late\n");
  },
});

waiting.push({
  name: "udp/client: reports a reply that does not come",
  async fn() {
    const complaint =
      /^Cannot talk with 127\.0\.0\.1 port \d+: no reply within 3 s\. Is the server running\?\n$/;
    const nobody = async () => {
      await assertFails(
        "udp:client",
        ["--port", `${deafPort()}`],
        1,
        complaint,
      );
    };
    const silence = async () => {
      using peer = new UdpPeer();
      await using client = await startClient("udp:client", peer.port);
      const port = await peer.assertReceives(HELLO);
      using stranger = new UdpPeer();
      const flood = setInterval(() => stranger.send("forged", port), 5);
      const late = setTimeout(() => peer.send("too late", port), 7_000);
      await assertExits(client, 1).finally(() => {
        clearInterval(flood);
        clearTimeout(late);
      });
      assertComplaint(client, complaint);
      assertStringIncludes(client.stderr, "no reply within 3 s");
      assertEquals(client.stdout, "");
    };
    await Promise.all([nobody(), silence()]);
  },
});

Deno.test("udp/chat: turns, empty lines, long texts, exit by the client", async () => {
  await using started = await startServer("udp:chat:server");
  const { server, port } = started;
  await using client = await startClient("udp:chat:client", port);
  await assertPrints(
    client,
    `Connected (UDP) to 127.0.0.1:${port}. Type messages; 'exit' to quit.\n`,
  );
  await answerPrompt(client, "You (client): ", "");
  await answerPrompt(client, "You (client): ", "  ");
  await answerPrompt(client, "You (client): ", "grüß dich 👋");
  await assertPrints(server, /Client connected from 127\.0\.0\.1:\d+\n/);
  await assertPrints(server, "Client: grüß dich 👋\n");
  await answerPrompt(server, "You (server): ", "");
  await answerPrompt(server, "You (server): ", "  ");
  for (const text of TEXTS.slice(1)) {
    await answerPrompt(server, "You (server): ", text);
    await assertPrints(client, `Server: ${text}\n`);
    await answerPrompt(client, "You (client): ", text);
    await assertPrints(server, `Client: ${text}\n`);
  }
  const long = "x".repeat(LARGEST + 1);
  const complaint = /Cannot send \d+ bytes: .+\.\nYou/; // each system has its own words
  await answerPrompt(server, "You (server): ", long);
  await assertPrints(server, complaint);
  await answerPrompt(server, "You (server): ", "bye");
  await answerPrompt(client, "You (client): ", long);
  await assertPrints(client, complaint);
  await answerPrompt(client, "You (client): ", " EXIT ");
  await assertExits(client, 0);
  await assertExits(server, 0);
  assert(client.stdout.endsWith(`Server: ${GOODBYE}\nClient closed.\n`));
  assert(server.stdout.endsWith("Client: EXIT\nServer closed.\n"));
  // An empty line is not sent, so nobody waits for an answer to it.
  for (const { stdout } of [client, server]) {
    assert(!stdout.includes("No answer"), stdout);
  }
});

Deno.test("udp/chat: exit by the server ends both", async () => {
  await using started = await startServer("udp:chat:server");
  const { server, port } = started;
  await using client = await startClient("udp:chat:client", port);
  await answerPrompt(client, "You (client): ", "hi");
  await answerPrompt(server, "You (server): ", "Exit");
  await assertExits(server, 0);
  await assertExits(client, 0);
  assert(client.stdout.endsWith("Server: Exit\nClient closed.\n"));
});

Deno.test("udp/chat: lines that wait on a pipe are said turn by turn", async () => {
  await using started = await startServer("udp:chat:server");
  const { server, port } = started;
  await server.type("one");
  await server.type("two");
  await using client = await startClient("udp:chat:client", port);
  await client.type("eins");
  await client.type("zwei");
  await client.endInput(); // counts as exit
  await assertExits(client, 0);
  await assertExits(server, 0);
  const said = server.stdout.match(/Client: \w+/g);
  assertEquals(said, ["Client: eins", "Client: zwei", "Client: exit"]);
  const replies = client.stdout.match(/Server: .*/g);
  assertEquals(replies, ["Server: one", "Server: two", `Server: ${GOODBYE}`]);
});

Deno.test("udp/chat_server: end of input counts as exit", async () => {
  await using started = await startServer("udp:chat:server");
  await started.server.endInput();
  using peer = new UdpPeer();
  await peer.send("hello", started.port);
  await peer.assertReceives("exit");
  await assertExits(started.server, 0);
});

Deno.test("udp/chat_server: tells others that it is busy, and ignores them", async () => {
  await using started = await startServer("udp:chat:server");
  const { server, port } = started;
  using peer = new UdpPeer();
  using stranger = new UdpPeer();
  await join(peer, server, port);
  await stranger.send(BUSY, port); // as another busy server: no answer
  for (const text of ["exit", "", "forged", "x".repeat(LARGEST)]) {
    await stranger.send(text, port);
    assertEquals(await stranger.assertReceives(BUSY), port);
  }
  await stranger.send("no answer to the first one", stranger.port);
  await stranger.assertReceives("no answer to the first one");
  await using second = await startClient("udp:chat:client", port);
  await answerPrompt(second, "You (client): ", "me, too");
  await assertPrints(second, `Server: ${BUSY}\nYou (client): `);
  await answerPrompt(second, "You (client): ", "exit");
  await assertExits(second, 0);
  assert(second.stdout.endsWith(`Server: ${BUSY}\nClient closed.\n`));

  await answerPrompt(server, "You (server): ", "only you");
  await peer.assertReceives("only you");
  await stranger.send("between the turns", port);
  await stranger.assertReceives(BUSY);
  await peer.send("exit", port);
  await peer.assertReceives(GOODBYE);
  await assertExits(server, 0);
  const said = server.stdout.match(/Client: .*/g);
  assertEquals(said, ["Client: hello", "Client: exit"]);
});

Deno.test("udp/chat_server: a peer like the Python client; what comes twice; its exit", async () => {
  await using started = await startServer("udp:chat:server");
  const { server, port } = started;
  using peer = new UdpPeer();
  await join(peer, server, port);
  await peer.send("hello", port);
  const twice = "Client: hello\nYou (server): \nClient: hello\nYou (server): ";
  await assertPrints(server, twice); // and replies once
  for (const text of [...TEXTS, "crlf\r\n"]) {
    await answerPrompt(server, "You (server): ", "good day");
    assertEquals(await peer.assertReceives("good day"), port);
    await peer.send(text, port);
    await assertPrints(server, `Client: ${text.trim()}\nYou (server): `);
  }
  await peer.send("x\nYou (server): exit", port); // cannot command the terminal
  await assertPrints(server, "Client: x\uFFFDYou (server): exit\nYou");
  await peer.send("Exit", port);
  await peer.assertReceives(GOODBYE);
  await assertExits(server, 0);
  assert(server.stdout.endsWith("): \nClient: Exit\nServer closed.\n"));
});

Deno.test("udp/chat_client: replies of every size, twice, late, and no stranger's", async () => {
  using peer = new UdpPeer();
  using stranger = new UdpPeer();
  await using talk = await startTalk(peer);
  const { client, port } = talk;
  for (const text of [...TEXTS, "crlf\r\n"]) {
    for (const forged of ["exit", "", BUSY]) await stranger.send(forged, port);
    await peer.send(text, port);
    await assertPrints(client, `Server: ${text.trim()}\nYou (client): `);
    await answerPrompt(client, "You (client): ", "more");
    await peer.assertReceives("more");
  }
  await peer.send("one", port);
  await assertPrints(client, "Server: one\nYou (client): ");
  await peer.send("one", port);
  const twice = "Server: one\nYou (client): \nServer: one\nYou (client): ";
  await assertPrints(client, twice);
  await answerPrompt(client, "You (client): ", "and?");
  await peer.assertReceives("and?");
  await peer.send("two", port);
  await assertPrints(client, "Server: two\nYou (client): ");
  await peer.send("late", port);
  await assertPrints(client, "\nServer: late\nYou (client): ");
  await peer.send("Exit", port); // the server's Ctrl-C
  await assertExits(client, 0);
  assert(client.stdout.endsWith("): \nServer: Exit\nClient closed.\n"));
  const replies = client.stdout.match(/Server: /g);
  assertEquals(replies?.length, TEXTS.length + 6);
});

waiting.push({
  name: "udp/chat_client: repeats an exit that nobody answers, then gives up",
  async fn() {
    const lost = async () => {
      using peer = new UdpPeer();
      await using talk = await startTalk(peer, "exit");
      const { client, port } = talk;
      await peer.assertReceives("exit");
      await peer.send(GOODBYE, port);
      await assertExits(client, 0);
      assert(client.stdout.endsWith(`Server: ${GOODBYE}\nClient closed.\n`));
    };
    const nobody = async () => {
      await using client = await startClient("udp:chat:client", deafPort());
      await client.endInput();
      await assertExits(client, 1);
      assertComplaint(client, /^Cannot talk .* Is the server running\?\n$/);
    };
    await Promise.all([lost(), nobody()]);
  },
});

waiting.push({
  name: "udp/chat: says that nothing comes, and then it is one's turn",
  async fn() {
    const notice =
      "No answer for 10 s. Say it again, if it is lost, or wait.\n";
    const client = async () => {
      using peer = new UdpPeer();
      const began = performance.now();
      await using talk = await startTalk(peer);
      const { client, port } = talk;
      await assertPrints(client, "Waiting for the server ...\n");
      await client.type("again"); // waits for its turn
      await assertPrints(client, `...\n${notice}You (client): `);
      assert(performance.now() - began > 9_900);
      await peer.assertReceives("again");
      await peer.send("here", port);
      await assertPrints(client, "Server: here\nYou (client): ");
    };
    const server = async () => {
      await using started = await startServer("udp:chat:server");
      const { server, port } = started;
      using peer = new UdpPeer();
      await join(peer, server, port);
      const began = performance.now();
      await server.type("reply");
      await peer.assertReceives("reply");
      await assertPrints(server, `...\n${notice}You (server): `);
      assert(performance.now() - began > 9_900);
      await server.type("again");
      await peer.assertReceives("again");
      await peer.send("here", port);
      await assertPrints(server, "Client: here\nYou (server): ");
    };
    const quick = async () => {
      using peer = new UdpPeer();
      await using talk = await startTalk(peer);
      await peer.send("here", talk.port);
      await assertPrints(talk.client, "Server: here\nYou (client): ");
      await new Promise((resolve) => setTimeout(resolve, 11_000));
      assert(!talk.client.stdout.includes("No answer"));
    };
    await Promise.all([client(), server(), quick()]);
  },
});

Deno.test("udp/chat_client: what is typed arrives as it was typed, but is shown escaped", async () => {
  const odd = "a\u2028b\rc\x1b[2J\u202ed";
  using peer = new UdpPeer();
  await using client = await startClient("udp:chat:client", peer.port);
  await answerPrompt(client, "You (client): ", `${odd}\r`);
  const port = await peer.assertReceives(odd);
  await peer.send(odd, port);
  await assertPrints(client, "Server: a\uFFFDb\uFFFDc\uFFFD[2J\uFFFDd\nYou");
  await answerPrompt(client, "You (client): ", "next");
  await peer.assertReceives("next");
});

Deno.test(needs(["python3"], {
  name: "udp/chat: what is typed on a terminal out of turn is not sent",
  ignore: noSignals,
  async fn() {
    using peer = new UdpPeer();
    await using client = await startOnTerminal("udp:chat:client", [
      "--port",
      `${peer.port}`,
    ]);
    await assertPrints(client, "You (client): ");
    await client.type("hello");
    const { port } = await peer.receive();
    await assertPrints(client, "Waiting for the server ...");
    await client.type("too early");
    await assertPrints(client, "Not sent, it is the server's turn.");
    await peer.send("good day", port);
    await assertPrints(client, /Server: good day\r?\nYou \(client\): /);
    await client.type("now");
    await peer.assertReceives("now");
    await client.type("\x04"); // Ctrl-D
    await peer.assertReceives("exit");
    await peer.send(GOODBYE, port);
    await assertPrints(client, /Goodbye! .*\r?\nClient closed\./);

    await using server = await startOnTerminal("udp:chat:server", ["--port=0"]);
    const [, at] = await assertPrints(server, /on \S+:(\d+) \.\.\./);
    await server.type("too early");
    await assertPrints(server, "Not sent, it is the client's turn.");
    await peer.send("hello", Number(at));
    await assertPrints(server, /Client: hello\r?\nYou \(server\): /);
    await server.type("\x04"); // Ctrl-D
    await peer.assertReceives("exit");
    await assertPrints(server, "Server closed.");
  },
}));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `udp/chat_client: ${signal} ends it, and the server is told`,
    ignore: noSignals,
    async fn() {
      await using started = await startServer("udp:chat:server");
      const { server, port } = started;
      await using early = await startClient("udp:chat:client", port);
      await assertPrints(early, "You (client): ");
      early.kill(signal); // the server has not heard of it, and shall not
      await assertExits(early, 0);

      await using client = await startClient("udp:chat:client", port);
      await answerPrompt(client, "You (client): ", "hi");
      await assertPrints(server, "You (server): ");
      client.kill(signal);
      await assertExits(client, 0);
      assert(client.stdout.endsWith("\nClient closed.\n"));
      await assertExits(server, 0);
      assert(server.stdout.endsWith("Client: exit\nServer closed.\n"));
    },
  });
}

Deno.test({
  name: "udp/chat_server: a signal ends it, and the client is told",
  ignore: noSignals,
  async fn() {
    await using lonely = await startServer("udp:chat:server");
    lonely.server.kill("SIGTERM");
    await assertExits(lonely.server, 0);
    assert(lonely.server.stdout.endsWith("...\n\nServer closed.\n"));

    await using started = await startServer("udp:chat:server");
    const { server, port } = started;
    await using client = await startClient("udp:chat:client", port);
    await answerPrompt(client, "You (client): ", "hi");
    await assertPrints(server, "You (server): ");
    server.kill("SIGINT");
    await assertExits(server, 0);
    assert(server.stdout.endsWith("\nServer closed.\n"));
    await assertExits(client, 0);
    assert(client.stdout.endsWith("Server: exit\nClient closed.\n"));
  },
});

Deno.test(needs(["python3"], {
  name: "udp: each program talks with its counterpart in Python",
  async fn() {
    const ours = async () => {
      await using started = await startServer("udp:server");
      await using client = startPython("udp_client", started.port);
      await assertExits(client, 0);
      assertEquals(client.stdout, "Server says: Hello from server!\n");
      await assertExits(started.server, 0);
      assert(started.server.stdout.endsWith(`Client says: ${HELLO}\n`));
    };
    const theirs = async () => {
      await using server = startPython("udp_server", 0);
      const [, port] = await assertPrints(server, /port (\d+)/);
      await using client = await startClient("udp:client", Number(port));
      await assertExits(client, 0);
      assertEquals(client.stdout, "Server says: Hello from server!\n");
      await assertExits(server, 0);
      assert(server.stdout.endsWith(`Client says: ${HELLO}\n`));
    };
    const chat = async (server: Program, client: Program) => {
      await answerPrompt(client, "You (client): ", "grüß dich 👋");
      await assertPrints(server, "Client: grüß dich 👋\n");
      await answerPrompt(server, "You (server): ", "hello");
      await assertPrints(client, "Server: hello\n");
      await answerPrompt(client, "You (client): ", "Exit");
      await assertExits(client, 0);
      await assertExits(server, 0);
      assert(client.stdout.endsWith(`Server: ${GOODBYE}\nClient closed.\n`));
      assert(server.stdout.endsWith("Client: Exit\nServer closed.\n"));
    };
    const ourChat = async () => {
      await using started = await startServer("udp:chat:server");
      await using client = startPython("udp_chat_client", started.port);
      await chat(started.server, client);
    };
    const theirChat = async () => {
      await using server = startPython("udp_chat_server", 0);
      const [, port] = await assertPrints(server, /:(\d+) \.\.\.\n/);
      await using client = await startClient("udp:chat:client", Number(port));
      await chat(server, client);
    };
    await Promise.all([ours(), theirs(), ourChat(), theirChat()]);
  },
}));

Deno.test("udp: a name that may not be looked up is named", async () => {
  const complaint = / It needs --allow-net=localhost\.\n$/;
  const roles = ["server", "client", "chat:server", "chat:client"];
  await Promise.all(
    roles.map((role) =>
      assertFails(`udp:${role}`, ["--host", "localhost"], 1, complaint)
    ),
  );
});

waiting.push(needsHosts({
  name: "udp: between hosts, 100 ms away, by IPv4, IPv6 and NAT",
  async fn() {
    await using hosts = await Hosts.create();
    const { a, b, c } = hosts;
    await hosts.set({ delay: 50 });
    const pair = async (listen: string, host: string, from: Host) => {
      await using server = await a.start("udp:server", [
        ...["--host", listen, "--port", "0"],
      ]);
      const [, port] = await assertPrints(server, /port (\d+)/);
      const args = ["--host", host, "--port", `${port}`];
      await using client = await from.start("udp:client", args);
      await assertExits(client, 0);
      assertEquals(client.stdout, "Server says: Hello from server!\n");
      await assertExits(server, 0);
    };
    const chat = async (
      ...[listen, host, port, from, name]: string[]
    ) => {
      const args = ["--port", `${port}`, "--host"];
      await using server = await a.start("udp:chat:server", [
        ...args,
        `${listen}`,
      ]);
      await assertPrints(server, "listening");
      const other = from === "c" ? c : b;
      await using client = await other.start("udp:chat:client", [
        ...args,
        `${host}`,
      ]);
      await answerPrompt(client, "You (client): ", "hello");
      await assertPrints(server, `Client connected from ${name}:`);
      await answerPrompt(server, "You (server): ", "é".repeat(20_000));
      await assertPrints(client, /Server: é{20000}\n/);
      await answerPrompt(client, "You (client): ", "exit");
      await assertExits(client, 0);
      await assertExits(server, 0);
    };
    await Promise.all([
      pair("0.0.0.0", a.ipv4, b),
      pair("::", a.ipv4, b),
      pair(a.ipv6, "FD77:0:0::0001", b),
      chat("::", a.ipv6, "1111", "b", `[${b.ipv6}]`),
      chat("::", a.ipv4, "2222", "b", `[::ffff:${b.ipv4}]`),
    ]);
    await hosts.set({ delay: 0, nat: true });
    await pair("0.0.0.0", a.ipv4, c);

    // A link-local address holds for one link, so its name has an interface.
    const show = ["-6", "-o", "address", "show", "scope", "link"];
    await using addresses = a.run(find("ip") ?? "", show);
    await assertExits(addresses, 0);
    const [linkLocal] = /fe80:\S*(?=\/)/.exec(addresses.stdout) ?? [];
    await pair("::", `${linkLocal}%eth0`, a);
  },
}));

waiting.push(needsHosts({
  name: "udp: between hosts, lost datagrams, a cut cable and forged senders",
  async fn() {
    await using hosts = await Hosts.create();
    const { a, b, c } = hosts;
    const host = ["--host", a.ipv4];
    await using server = await a.start("udp:chat:server", host);
    await assertPrints(server, "listening");

    // A client that cannot even say "exit" ends all the same.
    await hosts.set({ down: "c" });
    await using alone = await c.start("udp:chat:client", host);
    await alone.endInput();
    await using client = await b.start("udp:chat:client", host);

    // The cable is out, and the system says so: the turn is not lost.
    await hosts.set({ down: "b" });
    const failed = /Cannot send 5 bytes: .*unreachable.*\.\nYou \(client\): /;
    await answerPrompt(client, "You (client): ", "hello");
    await assertPrints(client, failed);
    await hosts.set({ up: "b", lose: ["first", 1] });

    // A datagram is lost, and nobody says so.
    await answerPrompt(client, "You (client): ", "first");
    await assertPrints(client, "No answer for 10 s.");
    await answerPrompt(client, "You (client): ", "second");
    const connected = /from 10\.77\.0\.2:(\d+)\nClient: second\n/;
    const [, port] = await assertPrints(server, connected);

    // Neither the right port nor the right address alone is believed.
    const to = [b.ipv4, Number(port)] as const;
    await hosts.set({ forge: ["10.77.0.3", 23457, ...to, "exit"] });
    await hosts.set({ forge: [a.ipv4, 23458, ...to, "exit"] });
    const from = [a.ipv4, 23457] as const;
    await hosts.set({ forge: ["10.77.0.3", Number(port), ...from, "exit"] });
    await answerPrompt(server, "You (server): ", "believed");
    await assertPrints(
      client,
      "Waiting for the server ...\nServer: believed\n",
    );

    const serve = "import socket; s = socket.socket(2, 2); s.bind(('', 99)); " +
      "print('ready', flush=True)\nd, a = s.recvfrom(99); print(a[1], flush=True); input()\n" +
      "s.sendto(b'believed', a)";
    await using slow = a.run(find("python3") ?? "", ["-c", serve]);
    await assertPrints(slow, "ready\n");
    await using asker = await b.start("udp:client", [...host, "--port=99"]);
    const [asking] = await assertPrints(slow, /^\d+$/m);
    const back = [b.ipv4, Number(asking)] as const;
    await hosts.set({ forge: ["10.77.0.3", 99, ...back, "forged"] });
    await slow.type("");
    await assertExits(asker, 0);
    assertEquals(asker.stdout, "Server says: believed\n");

    await assertExits(alone, 1);
    assertComplaint(alone, /: no answer to our exit\. /);

    // Our "exit" is lost, twice.
    await hosts.set({ lose: ["exit", 2] });
    await answerPrompt(client, "You (client): ", "exit");
    await assertExits(client, 0);
    await assertExits(server, 0);
    assert(client.stdout.endsWith(`Server: ${GOODBYE}\nClient closed.\n`));
  },
}));

Deno.test("udp/chat_client: a server that it may not send to is named", async () => {
  using peer = new UdpPeer();
  const flags = ["run", "--unstable-net", "--allow-net=127.0.0.1:0"];
  const args = [...flags, "udp/chat_client.ts", "--port", `${peer.port}`];
  await using client = new Program("udp/chat_client.ts", args);
  await answerPrompt(client, "You (client): ", "hello");
  await assertExits(client, 1);
  assertComplaint(client, /net access to "127\.0\.0\.1:\d+".*--allow-net/);
});

waiting.push(needsHosts({
  name: "udp: between hosts, lost for ever; a missing permission is named",
  async fn() {
    await using hosts = await Hosts.create();
    const { a, b, c } = hosts;
    const lost = async (text: string) => {
      const port = `${text.length}`;
      const args = ["--port", port, "--host"];
      await using server = await a.start("udp:server", [...args, "0.0.0.0"]);
      await assertPrints(server, "listening");
      await using client = await b.start("udp:client", [...args, a.ipv4]);
      await assertExits(client, 1);
      assertComplaint(client, /: no reply within 3 s\. Is the server running/);
    };
    await hosts.set({ lose: ["Hello from", 1] });
    await lost("question");
    await hosts.set({ lose: ["Hello from server!", 1] });
    await lost("answer");

    // It may listen on every address, but not send to any other.
    for (const script of ["server", "chat_server"]) {
      const flags = ["run", "--unstable-net", "--allow-net=0.0.0.0"];
      const file = `${ROOT}udp/${script}.ts`;
      const args = [...flags, file, "--host", "0.0.0.0", "--port", "7"];
      await using server = a.run(Deno.execPath(), args);
      await assertPrints(server, "listening");
      const task = `udp:${script === "server" ? "client" : "chat:client"}`;
      await using client = await c.start(task, ["--host", a.ipv4, "--port=7"]);
      if (script === "chat_server") {
        await answerPrompt(client, "You (client): ", "hello");
        await answerPrompt(server, "You (server): ", "hello");
      }
      await assertExits(server, 1);
      assertComplaint(server, /net access to "10\.77\.0\.3:\d+".*--allow-net/);
    }
  },
}));

Deno.test({
  name: "udp: what mostly waits",
  ...UNCOUNTED,
  fn: (t) => sideBySide(t, waiting.length, waiting),
});
