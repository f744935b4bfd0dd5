/** Programs of the user's own in the place of the examples', and `wire`. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { fillIn, parseCommand, portsIn } from "../launch/programs/command.ts";
import {
  assertExits,
  noSignals,
  type Program,
  startServer,
  TcpPeer,
  unusedPort,
} from "./assertions.ts";
import { launcher, wire, WIRE_FLAGS } from "./launches.ts";
import { outcomesOf } from "./misuse.ts";
import { find, needs } from "./needs.ts";
import { takeTurn } from "./turn.ts";

/** Asserts that these texts come in this order. */
function assertOrder(text: string, ...expected: string[]): void {
  let from = 0;
  for (const part of expected) {
    const at = text.indexOf(part, from);
    assert(at >= 0, `no ${part} after ${text.slice(0, from)}in ${text}`);
    from = at + part.length;
  }
}

/** A file with a program, that goes afterwards. */
async function script(
  name: string,
  text: string,
): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "own programs-" });
  const path = join(folder, name);
  await Deno.writeTextFile(path, text);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** A TCP server that answers one client; `print` is what it prints first. */
const SERVER = `
import socket, sys
port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
s = socket.create_server(("127.0.0.1", port))
if len(sys.argv) < 3: print("Here I am, on port", s.getsockname()[1])
c, a = s.accept()
print("got", c.recv(100).decode())
c.sendall(b"Moin!")
c.close()
`;

const python = find("python3") ?? "";

/** A client that finds out whether its server's address has gone with the server. */
const TWICE = `
import socket, sys, time
address = ("127.0.0.1", int(sys.argv[1]))
with socket.create_connection(address) as s:
  s.sendall(b"Hello")
  while s.recv(100): pass
for tries in range(200):
  try: socket.create_connection(address).close()
  except ConnectionRefusedError: sys.exit(0)
  time.sleep(0.1)
sys.exit(5)
`;

Deno.test(needs(["python3"], {
  name: "own programs: a server is found by the port that it prints",
  async fn() {
    await using server = await script("my server.py", SERVER);
    await using launch = launcher(
      "tcp",
      "--server",
      `"${python}" "${server.path}"`,
    );
    await assertExits(launch, 0);
    assertOrder(
      launch.stdout,
      "Here I am, on port",
      "relay: TCP port",
      "Hello from client!  18 bytes",
      "got Hello from client!",
      "Moin!  5 bytes",
      "Server says: Moin!",
    );
  },
}));

Deno.test(needs(["python3"], {
  name: "own programs: a server is told its port, and may print nothing",
  async fn() {
    await using server = await script("server.py", SERVER);
    await using launch = launcher(
      "tcp",
      "--server",
      `"${python}" "${server.path}" {port} quiet`,
    );
    await assertExits(launch, 0);
    assertStringIncludes(launch.stdout, "Server says: Moin!");
    assert(!launch.stdout.includes("Here I am"));
  },
}));

Deno.test(needs(["python3"], {
  name: "own programs: --port ROLE=PORT says where a silent server listens",
  async fn() {
    await using server = await script("server.py", SERVER);
    const port = unusedPort();
    await using launch = launcher(
      "tcp",
      ...["--server", `"${python}" "${server.path}" ${port} quiet`],
      ...["--port", `server=${port}`],
    );
    await assertExits(launch, 0);
    assertStringIncludes(launch.stdout, `→ ${port}`);
    assertStringIncludes(launch.stdout, "Server says: Moin!");
  },
}));

Deno.test(needs(["python3"], {
  name:
    "own programs: a silent server is met on the usual port, past the relay",
  async fn() {
    using _turn = await takeTurn(); // the usual port is for one at a time
    await using server = await script("server.py", SERVER);
    const client =
      `"${python}" -c "import socket; s = socket.create_connection(('127.0.0.1', 12345)); s.sendall(b'hi'); print(s.recv(9))"`;
    await using launch = launcher(
      "tcp",
      ...["--server", `"${python}" "${server.path}" 12345 quiet`],
      ...["--client", client],
    );
    const status = await launch.exits();
    if (/in use/.test(launch.stdout)) return; // another program has the port
    assertEquals(status, 0, launch.stdout + launch.stderr);
    assertStringIncludes(
      launch.stdout.replace(/\s+/g, " "),
      "server itself has port 12345, so client may pass the relay by",
    );
  },
}));

Deno.test(needs(["sh"], {
  name: "own programs: a shell command as the client, and its exit status",
  async fn() {
    const command = `CODE=3 sh -c 'echo "{host}" "{port}" "{url}"; exit $CODE'`;
    await using launch = launcher("http", "--client", command);
    await assertExits(launch, 1);
    assertMatch(
      launch.stdout,
      /127\.0\.0\.1 (\d+) http:\/\/127\.0\.0\.1:\1\/\n|127\.0\.0\.1 (\d+) http:\/\/127\.0\.0\.1:\2\/ /,
    );
    assertStringIncludes(launch.stdout, "ended with status 3");
    assertEquals(launch.stderr, "client ended with status 3\n");
  },
}));

Deno.test(needs(["python3"], {
  name: "own programs: who comes when the server has gone is refused",
  async fn() {
    await using client = await script("client.py", TWICE);
    await using launch = launcher(
      "tcp",
      ...["--client", `"${python}" "${client.path}" {port}`],
    );
    await assertExits(launch, 0);
  },
}));

Deno.test(needs(["python3"], {
  name: "own programs: a server that fails in the end is named",
  async fn() {
    await using server = await script("server.py", `${SERVER}\nsys.exit(3)\n`);
    await using launch = launcher(
      "tcp",
      ...["--server", `"${python}" "${server.path}" {port}`],
    );
    await assertExits(launch, 1);
    assertEquals(launch.stderr, "server ended with status 3\n");
  },
}));

Deno.test(needs(["sh"], {
  name: "own programs: a client that does nothing costs its server nothing",
  ignore: noSignals,
  async fn() {
    await using launch = launcher("tcp", "--client", "sh -c true");
    await assertExits(launch, 0);
    assertMatch(launch.stdout, / ■$/m);
    assertEquals(launch.stderr, "");
  },
}));

Deno.test(needs(["sh", "ps"], {
  name: "own programs: what a command starts ends with it",
  ignore: noSignals,
  async fn() {
    const mark = `7${Date.now() % 100_000_000}`;
    // One of them does not listen to SIGTERM, and prints nowhere.
    const deaf = `(trap "" TERM; exec sleep ${mark} >/dev/null 2>&1)`;
    const command = `sh -c '${deaf} & sleep ${mark} & sleep ${mark}; true'`;
    await using launch = launcher(
      "tcp",
      ...["--client", `sh -c 'echo done'`, "--server", command],
      ...["--port", `server=${unusedPort()}`],
    );
    launch.prints("server").then(() => launch.kill("SIGINT"));
    await launch.exits();
    const ps = new Deno.Command("ps", { args: ["-A", "-o", "args="] });
    const { stdout } = await ps.output();
    const left = new TextDecoder().decode(stdout).split("\n")
      .filter((line) => line.includes(`sleep ${mark}`));
    assertEquals(left, []);
  },
}));

Deno.test("own programs: one that cannot be started gets one line", async () => {
  await using launch = launcher("tcp", "--client", "no-such-program {port}");
  await assertExits(launch, 2);
  assertMatch(
    launch.stderr,
    /^Cannot start "no-such-program \{port\}": there is no program no-such-program here\.\n$/,
  );
});

Deno.test(needs(["sh"], {
  name: "own programs: a server that ends too early is named",
  async fn() {
    await using launch = launcher("tcp", "--server", "sh -c 'exit 7'");
    await assertExits(launch, 1);
    assertEquals(
      launch.stderr,
      "server ended with status 7 before it listened\n",
    );
  },
}));

Deno.test("own programs: commands are taken apart as a shell does it", () => {
  const words = (text: string) => parseCommand(text, false).words;
  assertEquals(words(`a  b\tc`), ["a", "b", "c"]);
  assertEquals(words(`a 'b c' "d e"`), ["a", "b c", "d e"]);
  assertEquals(words(`a b\\ c \\"`), ["a", "b c", '"']);
  assertEquals(words(`a "b\\"c" 'd\\e' "f\\g"`), [
    "a",
    'b"c',
    "d\\e",
    "f\\g",
  ]);
  assertEquals(words(`a '' "" x'y'"z"`), ["a", "", "", "xyz"]);
  assertEquals(words(`a '|' \\> "&&"`), ["a", "|", ">", "&&"]);
  assertEquals(parseCommand("X=1 Y= a Z=2", false).env, { X: "1", Y: "" });
  assertEquals(words("X=1 Y= a Z=2"), ["a", "Z=2"]);
  assertEquals(
    parseCommand(`C:\\bin\\x.exe "D:\\a b" \\"`, true).words,
    ["C:\\bin\\x.exe", "D:\\a b", '"'],
  );
  assertThrows(() => words("a 'b"), Error, "is open");
  assertThrows(() => words("  "), Error, "empty");
  for (const text of ["a | b", "a && b", "a > b", "a &", "a ; b"]) {
    assertThrows(() => words(text), Error, "needs a shell");
  }
  assertEquals(
    fillIn(parseCommand("a {port}:{port} {x} {url}"), {
      port: "7",
      url: "u",
    }).words,
    ["a", "7:7", "{x}", "u"],
  );
});

Deno.test("own programs: ports in what servers print", () => {
  assertEquals(portsIn("Listening on port 8000 ...")[0], 8000);
  assertEquals(portsIn("Port: 5000")[0], 5000);
  assertEquals(portsIn("http://localhost:3000/x")[0], 3000);
  assertEquals(portsIn("bound to ('127.0.0.1', 6543)")[0], 6543);
  assertEquals(portsIn("[::1]:9000")[0], 9000);
  assertEquals(portsIn("12:30:05 ready on 4321")[0], 4321);
  assertEquals(portsIn("ready"), []);
  assertEquals(portsIn("port 99999"), []);
});

/** The port on which a `wire` waits. */
async function portOf(program: Program): Promise<number> {
  const [, port] = await program.prints(/port (\d+) → /);
  return Number(port);
}

Deno.test("wire: stands before any server until Ctrl-C", {
  ignore: noSignals,
}, async () => {
  await using started = await startServer("http:server");
  await using relay = wire("tcp", "0", `127.0.0.1:${started.port}`);
  const port = await portOf(relay);
  for (let i = 1; i <= 2; i++) {
    using peer = await TcpPeer.connect(port);
    await peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assertStringIncludes(await peer.rest(), "Hello!");
  }
  await relay.prints("connect · connection 2");
  await relay.prints(/FIN[^]*FIN[^]*FIN[^]*FIN/);
  relay.kill("SIGINT");
  await assertExits(relay, 0);
  assertOrder(
    relay.stdout,
    `wire tcp · 127.0.0.1:${port} → 127.0.0.1:${started.port}, until Ctrl-C`,
    "GET / HTTP/1.1\\r\\n",
    "HTTP/1.1 200 OK\\r\\n",
    "connect · connection 2",
    "client → server  2 messages",
  );
});

Deno.test("wire: says where to go when nobody comes", {
  ignore: noSignals,
}, async () => {
  await using relay = wire("udp", "0", "9");
  const port = await portOf(relay);
  await relay.prints(`Let your client talk to 127.0.0.1:${port}`);
  assertStringIncludes(
    relay.stdout.replace(/\s+/g, " "),
    "instead of 127.0.0.1:9",
  );
  relay.kill("SIGINT");
  await assertExits(relay, 0);
});

Deno.test("wire: a server that is not there is named", {
  ignore: noSignals,
}, async () => {
  await using relay = wire("tcp", "0", `${unusedPort()}`);
  using peer = await TcpPeer.connect(await portOf(relay));
  await peer.assertCloses();
  await relay.prints("RST");
  relay.kill("SIGINT");
  await assertExits(relay, 0);
});

Deno.test(needs(["curl"], {
  name: "wire: a command, saved, shown and played again",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "wire-" });
    try {
      await using started = await startServer("http:server");
      const file = join(folder, "run.jsonl");
      await using relay = wire(
        ...["tcp", "0", `${started.port}`, "--save", file],
        ...["--", find("curl") ?? "", "-s", "{url}hello"],
      );
      await assertExits(relay, 0);
      assertOrder(relay.stdout, "GET /hello HTTP/1.1\\r\\n", "200 OK");
      await using shown = wire("show", file);
      await assertExits(shown, 0);
      assertOrder(
        shown.stdout,
        "run.jsonl",
        "GET /hello HTTP/1.1\\r\\n",
        "200 OK",
        "client → server  1 message",
      );
      await using played = wire("play", file, `127.0.0.1:${started.port}`);
      await assertExits(played, 0);
      assertOrder(played.stdout, "GET /hello HTTP/1.1\\r\\n", "200 OK");
      await started.server.prints(/\/hello[^]*\/hello/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
}));

Deno.test("wire: the exit status of its command", async () => {
  const deno = Deno.execPath();
  await using relay = wire("tcp", "0", "9", "--", deno, "eval", "Deno.exit(5)");
  await assertExits(relay, 1);
  assertStringIncludes(relay.stdout, "ended with status 5");
});

Deno.test("wire: used wrongly, it says so in one line", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cases: [status: number, complaint: string, ...args: string[]][] = [
    [2, "What is to be relayed?"],
    [2, "Cannot use frob.", "frob"],
    [2, "It needs a port", "tcp", "9000"],
    [2, "Cannot use LISTEN x", "tcp", "x", "9"],
    [2, "an address is HOST:PORT", "tcp", "0", "x"],
    [2, "nobody can be reached at 0.0.0.0", "tcp", "0", "0.0.0.0:80"],
    [2, "Cannot use more.", "tcp", "0", "9", "more"],
    [2, "Cannot use --frob.", "tcp", "0", "9", "--frob"],
    [2, "Cannot use --hex together", "tcp", "0", "9", "--hex", "--mermaid"],
    [2, "Which file?", "show"],
    [2, "Where to?", "play", "deno.json"],
    [1, "Cannot listen on 127.0.0.1", "tcp", `${taken.addr.port}`, "9"],
    [1, "", "show", "/no/such/file"],
    [1, "", "show", "README.md"],
  ];
  const script = `${new URL("../launch/wire.ts", import.meta.url)}`;
  const lines = [["--help"], ...cases.map(([, , ...args]) => args)];
  const [help, ...outcomes] = await outcomesOf(
    lines.map((args) => ({ script, args })),
    WIRE_FLAGS,
  );
  for (const [index, [status, complaint, ...args]] of cases.entries()) {
    const seen = outcomes[index];
    assertEquals(seen?.status, status, `${args}`);
    assertStringIncludes(seen?.stderr ?? "", complaint);
    assertMatch(seen?.stderr ?? "", /^[^\n]+\n$/, `${args}`);
  }
  assertEquals(help?.status, 0);
  assertStringIncludes(
    help?.stdout ?? "",
    "deno task wire tcp 9000 127.0.0.1:8080",
  );
});
