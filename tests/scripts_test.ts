/**
 * What every script must do, whatever it is for: say how it is used, name what
 * it lacks, run alone, mistrust what strangers send, know names and IPv6, and end
 * when it is told to. A new script joins with a row in `SCRIPTS`; a server also
 * with one in `PAIRS`.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { basename, dirname, join, toFileUrl } from "@std/path";
import {
  assertComplaint,
  assertExits,
  assertPrints,
  noSignals,
  PATIENCE_MS,
  Program,
  ROOT,
  sideBySide,
  start,
  startAlone,
  TcpListener,
  TcpPeer,
  UdpPeer,
  UNCOUNTED,
  unusedPort,
} from "./assertions.ts";
import { isScript, taskCommand } from "../launch/programs/program.ts";
import { type Outcome, outcomesOf, type Use } from "./misuse.ts";
import { find } from "./needs.ts";

/** What a stranger may send: a window's title, an erased screen, forged lines. */
const HOSTILE =
  "owned\x1b]0;owned\x07\x1b[2J\u202e\u009b31m\u2028Forged\nForged line";
/** What must never reach a terminal. */
const RAW = /[^\P{Cc}\r\n\t]|[\p{Zl}\p{Zp}\p{Bidi_C}]/u;

interface Script {
  /** More arguments that make it do its work at once. */
  args?: string[];
  /** Lines typed at once, for the same reason. */
  types?: string[];
  /** Wrong uses of its own. */
  bad?: string[][];
  /** The positional form of `--host` and `--port`. */
  positional?: true;
  /** How it talks; a NATS worker does with NATS alone. */
  by: "tcp" | "udp" | "nats";
  /** A server's line that says where it listens; it captures the port. */
  listens?: RegExp;
  /** It ends when it has answered. */
  once?: true;
  /** Its last words when it is stopped. */
  closing?: RegExp;
  /** What a stranger sends, where that is not bare text. */
  stranger?: string;
  /** What it prints when the stranger has been heard. */
  hears?: RegExp;
  /** It shows several lines of a stranger as lines: a head, a page. */
  showsLines?: true;
  /** A client's words when nobody is there; its status is 1 then. */
  nobody?: RegExp;
  /** What it prints before it takes lines; it has a prompt. */
  prompt?: string;
  /** Modules that must be copied with it. */
  beside?: string[];
}

/** What is no list of NATS servers; one that is given twice is no list. */
const NATS_MISUSE = [
  ...[
    "",
    "x",
    "nats://",
    "nats://:1",
    "nats://a/b",
    "nats://a:70000",
    ",nats://a",
  ]
    .map((place) => ["--nats", place]),
  ["--nats"],
  ["--nats", "nats://127.0.0.1:1", "--nats=nats://127.0.0.1:2"],
];

/** By task. */
const SCRIPTS: Record<string, Script> = {
  "tcp:server": {
    by: "tcp",
    once: true,
    listens: /^Server listening on port (\d+)\.\.\.\n/,
  },
  "tcp:client": { by: "tcp", nobody: /Is the server running\?/ },
  "tcp:chat:server": {
    by: "tcp",
    listens: /^TCP Chat Server listening on \S+:(\d+) \.\.\.\n/,
    closing: /\nServer closed\.\n$/,
    prompt: "You (server): ",
  },
  "tcp:chat:client": {
    by: "tcp",
    types: ["hello"],
    nobody: /Is the server running\?/,
    prompt: "You (client): ",
    closing: /\nClient closed\.\n$/,
  },
  "udp:server": {
    by: "udp",
    once: true,
    listens: /^Server listening on port (\d+)\.\.\.\n/,
  },
  "udp:client": { by: "udp", nobody: /no reply within 3 s/ },
  "udp:chat:server": {
    by: "udp",
    listens: /^UDP Chat Server listening on \S+:(\d+) \.\.\.\n/,
    closing: /\nServer closed\.\n$/,
    prompt: "You (server): ",
  },
  "udp:chat:client": {
    by: "udp",
    types: ["hello"],
    prompt: "You (client): ",
    closing: /\nClient closed\.\n$/,
  },
  "http:server": {
    by: "tcp",
    listens: /^HTTP Server running on http:\S+:(\d+)\n/,
    stranger: `GET / HTTP/1.1\r\nHost: x\r\nX: ${HOSTILE}\r\n\r\n`,
    showsLines: true,
  },
  "http:threaded:server": {
    by: "tcp",
    listens: /^Threaded HTTP Server running on http:\S+:(\d+)\n/,
    closing: /\nServer is shutting down\.\.\.\n$/,
    stranger: `GET / HTTP/1.1\r\nHost: x\r\nX: ${HOSTILE}\r\n\r\n`,
    showsLines: true,
  },
  "http:serve:server": {
    by: "tcp",
    listens: /http:\/\/\S+:(\d+)/,
    stranger: `GET /${HOSTILE} HTTP/1.1\r\nHost: ${HOSTILE}\r\n\r\n`,
    hears: /./,
  },
  "web:server": {
    by: "tcp",
    listens: /^Listening on port (\d+) \.\.\.\n.*\n/,
    bad: [["--root", ""]],
    stranger: "GET /owned%1B%5B2J%E2%80%AE HTTP/1.1\r\nHost: x\x1b[2J\r\n\r\n" +
      "GET /owned%1B%5B2J%E2%80%AE HTTP/1.1\r\nHost: x\r\n\r\n",
    hears: /Listening/,
  },
  "web:client": {
    by: "tcp",
    args: ["/"],
    types: ["n"],
    stranger: `HTTP/1.1 200 ${HOSTILE.replace("\n", "")}\r\n` +
      `X: ${HOSTILE.replace("\n", "")}\r\nContent-Type: text/plain\r\n\r\n` +
      HOSTILE,
    showsLines: true,
    nobody: /Is the server running\?/,
    prompt: "Enter the link (e.g., /index.html): ",
  },
  "broker:toupper": {
    by: "udp",
    listens: /^Waiting for connections on \S+:(\d+) \.\.\.\n/,
    hears: /Connection established with /,
  },
  "broker:tolower": {
    by: "udp",
    listens: /^Waiting for connections on \S+:(\d+) \.\.\.\n/,
    hears: /Connection established with /,
  },
  "broker:broker": {
    by: "udp",
    listens: /^Waiting for connections on \S+:(\d+) \.\.\.\n/,
    bad: [
      ...[["--toupper", "0.0.0.0:8080"], ["--tolower", "[::]:8080"]],
      ...[["--toupper", "127.0.0.1"], ["--tolower", "127.0.0.1:70000"]],
      ...[["--toupper", "127.0.0.1:0"], ["--tolower", ":8080"]],
      ...[["--toupper", "[]:8080"], ["--tolower", "fd00::2:8080"]],
    ],
  },
  "broker:client": {
    by: "udp",
    positional: true,
    types: ["toupper:hello"],
    prompt: "Enter request: ",
    closing: /\nClosing socket\.\.\.\n$/,
  },
  "nats:broker": {
    by: "udp",
    listens: /^Waiting for connections on \S+:(\d+) \.\.\.\n/,
    bad: NATS_MISUSE,
  },
  "nats:worker": {
    by: "nats",
    bad: [...NATS_MISUSE, ["--operation", "x"], ["--operation"]],
  },
  "incrementer:server": {
    by: "tcp",
    listens: /^SERVER ONLINE on \S+:(\d+)\n/,
    bad: [["--log", ""]],
    closing: /\nSERVER OFFLINE\nclient ID .*\n$/,
  },
  "incrementer:client": {
    by: "tcp",
    args: ["--connect", "--tick", "50", "--pause", "200-300"],
    bad: [
      ...[["--id", "10001"], ["--id", "x"], ["--tick", "-1"], ["--tick", ""]],
      ...[["--pause", "5"], ["--pause", "5-4"]],
    ],
    hears: /OFFLINE: what the server sent is no number/,
    nobody: /Is the server running\?/,
    prompt: "What do you want to do? ",
  },
  "library:server": {
    by: "tcp",
    listens: /^Server is listening to port (\d+)\n/,
    bad: [["--class", "x"]],
    hears: /Received request from /,
    beside: ["server.ts"],
  },
  "library:client": {
    by: "tcp",
    nobody: /Is the server running\?/,
    beside: ["client.ts"],
  },
};

interface Pair {
  server: string;
  client: string;
  /** More arguments of the client, and lines that are typed into it. */
  args?: string[];
  types?: string[];
  /** What the client prints when it has been answered. */
  says: string | RegExp;
  /** What the server prints of the client. */
  hears?: string | RegExp;
}

/** A server and a client that can talk with it, for every server. */
const PAIRS: Pair[] = [
  {
    server: "tcp:server",
    client: "tcp:client",
    says: "Server says: Hello from server!\n",
    hears: "Client says: Hello from client!\n",
  },
  {
    server: "tcp:chat:server",
    client: "tcp:chat:client",
    types: ["hello"],
    says: "Connected to TCP Chat Server at ",
    hears: "Client: hello\n",
  },
  {
    server: "udp:server",
    client: "udp:client",
    says: "Server says: Hello from server!\n",
    hears: "Client says: Hello from client!\n",
  },
  {
    server: "udp:chat:server",
    client: "udp:chat:client",
    types: ["hello"],
    says: "Connected (UDP) to ",
    hears: "Client: hello\n",
  },
  ...["http:server", "http:threaded:server", "http:serve:server", "web:server"]
    .map((server) => ({
      ...{ server, client: "web:client", args: ["/"], types: ["n"] },
      says: /^(.*: )*HTTP\/1\.1 200 OK/,
    })),
  ...["broker:toupper", "broker:tolower"].map((server) => ({
    ...{ server, client: "udp:client" },
    says: /Server says: (HELLO FROM CLIENT!|hello from client!)\n/,
    hears: "Connection established with ",
  })),
  {
    server: "broker:broker",
    client: "broker:client",
    types: ["toupper:hello"],
    says: "Converted text: HELLO\n",
  },
  {
    server: "nats:broker", // without NATS, which says so
    client: "broker:client",
    types: ["toupper:hello"],
    says: /error: /,
  },
  {
    server: "incrementer:server",
    client: "incrementer:client",
    args: ["--connect"],
    says: "Number: 1\n",
    hears: "Value calculated by client ",
  },
  {
    server: "library:server",
    client: "library:client",
    says: "Response: Hello Client!\n",
    hears: "Received request from ",
  },
];

/** A test with a step for each row, some at a time: most of them wait. */
function table<Row>(
  name: string,
  rows: [string, Row][],
  run: (task: string, row: Row) => Promise<void>,
  ignore = false,
): void {
  Deno.test({
    ...{ name: `scripts: ${name}`, ignore, ...UNCOUNTED },
    async fn(t) {
      const steps = rows.map(([name, value]) => ({
        name,
        fn: () => run(name, value),
      }));
      await sideBySide(t, 6, steps);
    },
  });
}

const all = Object.entries(SCRIPTS);
const servers = all.filter(([, { listens }]) => listens);
const clients = all.filter(([, { listens }]) => !listens);

/** The arguments that say where to listen, or whom to talk with. */
function at(
  { by, positional }: Script,
  host: string,
  port: number | string,
): string[] {
  if (by === "nats") return ["--nats", `nats://${host}:${port}`];
  return positional ? [host, `${port}`] : ["--host", host, "--port", `${port}`];
}

/** Runs what a task runs, with another permission for the network. */
async function launch(
  task: string,
  args: string[],
  { net = "--allow-net", hosts }: { net?: string; hosts?: string } = {},
): Promise<Program> {
  const [run = "run", ...words] = await taskCommand(task);
  const command = words.flatMap((word) =>
    word.startsWith("--allow-net")
      ? net === "" ? [] : [net]
      : isScript(word)
      ? join(ROOT, word)
      : word
  );
  // The incrementer writes its log where it starts.
  const own = command.some((word) => word.endsWith("server.log"));
  const cwd = own ? await Deno.makeTempDir({ prefix: "scripts-" }) : ROOT;
  const deno = [run, ...command, ...args];
  const script = `mount --bind "${hosts}" /etc/hosts && exec "$@"`;
  const inside = ["-m", "sh", "-c", script, "sh", Deno.execPath(), ...deno];
  const program = hosts === undefined
    ? new Program(task, deno, {}, cwd)
    : new Program(task, inside, {}, cwd, find("unshare"));
  if (own) program.ended.then(() => Deno.remove(cwd, { recursive: true }));
  return program;
}

/** Starts a server; the second value is the port that it printed. */
async function serve(
  task: string,
  { listens = /$^/, ...script }: Script,
  host = "127.0.0.1",
  options: { args?: string[]; hosts?: string } = {},
): Promise<[Program, number]> {
  const args = [...at(script, host, 0), ...(options.args ?? [])];
  const program = await launch(task, args, options);
  try {
    const [, port] = await assertPrints(program, listens);
    return [program, Number(port)];
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

Deno.test("scripts: none is missing in the table", async () => {
  const found: string[] = [];
  const look = async (folder: string) => {
    for await (
      const { name, isDirectory } of Deno.readDir(join(ROOT, folder))
    ) {
      const path = `${folder}/${name}`;
      if (isDirectory && name !== "exercises") await look(path);
      if (!name.endsWith(".ts")) continue;
      // A module, to be imported, has no command in its header.
      const text = await Deno.readTextFile(join(ROOT, path));
      if (/^ \* {5}deno run /m.test(text)) found.push(path);
    }
  };
  const folders = ["tcp", "udp", "http", "broker", "webclientserver"];
  for (const folder of [...folders, "incrementer"]) await look(folder);
  const commands = await Promise.all(Object.keys(SCRIPTS).map(taskCommand));
  assertEquals(
    commands.map((words) => words.find(isScript)).sort(),
    found.sort(),
  );
  assertEquals(
    PAIRS.map(({ server }) => server).sort(),
    servers.map(([task]) => task).sort(),
  );
});

/** The command lines that a script answers with its usage; `--help` first. */
function usesOf(script: Script): string[][] {
  const { positional, by, listens, bad = [] } = script;
  const host = "127.0.0.1";
  const ports = ["abc", "70000", "", ...(listens ? [] : ["0"])];
  const places = by === "nats" ? [] : ports.map((port) => [host, port]);
  if (by !== "nats" && !listens) places.push(["0.0.0.0", "1"], ["::", "1"]);
  return [
    ["--help"],
    ["--bogus"],
    positional ? [host, "8082", "extra"] : ["extra", "nonsense"],
    ...places.map(([host = "", port = ""]) => at(script, host, port)),
    ...bad,
  ];
}

/** What all scripts answer to theirs, by task. */
async function usages(): Promise<Map<string, Outcome[]>> {
  const uses: (Use & { task: string })[] = [];
  const outcomes = new Map<string, Outcome[]>();
  const own: Promise<void>[] = [];
  for (const [task, script] of all) {
    const [path = ""] = (await taskCommand(task)).filter(isScript);
    const lines = usesOf(script);
    outcomes.set(task, []);
    const text = await Deno.readTextFile(join(ROOT, path));
    if (text.includes("import.meta.main")) { // does nothing when it is imported
      own.push(...lines.map(async (args, index) => {
        await using program = await start(task, args);
        const status = await program.exits(PATIENCE_MS);
        const { stdout, stderr } = program;
        (outcomes.get(task) ?? [])[index] = { stdout, stderr, status };
      }));
      continue;
    }
    const url = `${toFileUrl(join(ROOT, path))}`;
    uses.push(...lines.map((args) => ({ task, script: url, args })));
  }
  const permissions = ["--unstable-net", "--allow-read"];
  const found = await outcomesOf(uses, permissions);
  for (const [index, { task }] of uses.entries()) {
    outcomes.get(task)?.push(found[index] ?? { stdout: "", stderr: "" });
  }
  await Promise.all(own);
  return outcomes;
}
let answers: Promise<Map<string, Outcome[]>> | undefined;

table("--help and bad use get a usage line", all, async (task, script) => {
  answers ??= usages();
  const [path = ""] = (await taskCommand(task)).filter(isScript);
  const lines = usesOf(script);
  const [help, ...others] = (await answers).get(task) ?? [];
  assertEquals(others.length + 1, lines.length);
  assertEquals([help?.status, help?.stderr], [0, ""]);
  const usage = help?.stdout ?? "";
  assertMatch(usage, /^Usage: [^\n]+\n$/);
  assertStringIncludes(usage, `Usage: ${basename(path)} [`);
  for (const [index, { status, stdout, stderr }] of others.entries()) {
    const line = `${lines[index + 1]?.join(" ")}: ${stderr}`;
    assertEquals([status, stdout], [2, ""], line);
    assertMatch(stderr, /^Cannot use [^\n]+\n$/, line);
    assert(stderr.endsWith(`. ${usage}`), line);
  }
});

table("a port in use is named, with advice", servers, async (task, script) => {
  using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using udp = new UdpPeer();
  const port = script.by === "tcp" ? tcp.addr.port : udp.port;
  await using program = await launch(task, at(script, "127.0.0.1", port));
  await assertExits(program, 1);
  assertComplaint(program, /^Cannot .*in use.*, or pass another --port\.\n$/i);
  assertStringIncludes(program.stderr, `${port}`);
});

table("a missing permission is named", all, async (task, script) => {
  const { args = [], types = [] } = script;
  const all = [...at(script, "127.0.0.1", unusedPort()), ...args];
  await using program = await launch(task, all, { net: "" });
  for (const line of types) await program.type(line);
  await assertExits(program, 1);
  assertComplaint(program, /--allow-net/);
});

table(
  "a client says that nobody is there",
  clients.filter(([, { nobody }]) => nobody),
  async (task, script) => {
    const { args = [], types = [], nobody = /$^/ } = script;
    const port = unusedPort();
    const where = [...at(script, "127.0.0.1", port), ...args];
    await using program = await launch(task, where);
    for (const line of types) await program.type(line);
    if (task === "incrementer:client") {
      await assertPrints(program, nobody); // and can be told to try again
      assert(program.status === undefined);
      return;
    }
    await assertExits(program, 1);
    assertComplaint(program, nobody);
    assertStringIncludes(program.stderr, `127.0.0.1 port ${port}: `);
  },
);

table(
  "a client gives up a machine that does not answer, after 10 s",
  clients.filter(([, { by }]) => by === "tcp"),
  async (task, script) => {
    // Its queue is full, so the system takes no notice of another SYN.
    const options = { hostname: "127.0.0.1", port: 0, tcpBacklog: 1 };
    using listener = Deno.listen(options);
    const { port } = listener.addr;
    using _first = await TcpPeer.connect(port);
    using _second = await TcpPeer.connect(port);
    const { args = [], types = [] } = script;
    const where = [...at(script, "127.0.0.1", port), ...args];
    const began = performance.now();
    await using program = await launch(task, where);
    for (const line of types) await program.type(line);
    const complaint =
      /(talk with|connect to) 127\.0\.0\.1.*time|OFFLINE: .*time/;
    await program.until(
      () => complaint.test(program.stdout + program.stderr),
      "give up",
      PATIENCE_MS,
    );
    assert(performance.now() - began > 9_900);
    if (program.stderr === "") return; // the incrementer's can be told to try again
    await assertExits(program, 1);
    assertComplaint(program, complaint);
  },
  Deno.build.os !== "linux",
);

table(
  "alone in an empty folder; a stranger cannot command the terminal",
  all,
  async (task, script) => {
    const { by, listens, args = [], types = [], beside = [] } = script;
    const { hears = /owned/, stranger = HOSTILE } = script;
    const [path = ""] = (await taskCommand(task)).filter(isScript);
    const friends = beside.map((name) => `${dirname(path)}/${name}`);
    using listener = new TcpListener();
    using udp = new UdpPeer();
    const port = listens ? 0 : by === "udp" ? udp.port : listener.port;
    await using program = await startAlone(
      path,
      [...args, ...at(script, "127.0.0.1", port)],
      friends,
    );
    for (const line of types) await program.type(line);
    if (listens) {
      const [, port] = await assertPrints(program, listens);
      if (by === "tcp") {
        using peer = await TcpPeer.connect(Number(port));
        await peer.send(stranger);
        await assertPrints(program, hears);
      } else await udp.send(stranger, Number(port));
    } else if (by === "udp") {
      const { port } = await udp.receive();
      await udp.send(stranger, port);
    } else {
      using peer = await listener.accept();
      if (by === "nats") await greetAsNats(peer);
      else await peer.connection.read(new Uint8Array(1024));
      await peer.send(stranger);
    }
    if (by !== "nats") await assertPrints(program, hears);
    const printed = program.stdout + program.stderr;
    assertNotMatch(printed, RAW);
    if (!script.showsLines) assertNotMatch(printed, /^Forged/m);
  },
);

/** What a NATS server says first; an error with the stranger's text follows. */
async function greetAsNats(peer: TcpPeer): Promise<void> {
  const info = { server_id: "x", version: "2.10.0", max_payload: 1024 };
  await peer.send(`INFO ${JSON.stringify(info)}\r\n`);
  await peer.connection.read(new Uint8Array(1024));
  await peer.send(`-ERR '${HOSTILE.replace("\n", "")}'\r\n`);
}

table(
  "from any address; Ctrl-C and SIGTERM end a server, and free its port",
  servers,
  async (task, script) => {
    const { by, stranger = HOSTILE, hears = /owned/, closing, once } = script;
    using udp = new UdpPeer();
    for (
      const [host, signal] of [
        ["0.0.0.0", "SIGINT"],
        ["::", "SIGTERM"],
      ] as const
    ) {
      const [server, port] = await serve(task, script, host);
      await using program = server;
      using peer = by === "tcp" ? await TcpPeer.connect(port) : null;
      if (!once) {
        await (peer?.send(stranger) ?? udp.send(stranger, port));
        await assertPrints(program, hears);
      }
      program.kill(signal);
      await assertExits(program, 0);
      assertNotMatch(program.stdout, /http:..(0\.0\.0\.0|\[?::\]?:)/);
      if (closing) assertMatch(program.stdout, closing);
      const hostname = "127.0.0.1";
      if (by === "tcp") Deno.listen({ hostname, port }).close();
      else Deno.listenDatagram({ transport: "udp", hostname, port }).close();
    }
  },
  noSignals,
);

const LINE = "toupper:a\u2028b\u2029c\rd";
const isChat = (task: string) => task.includes("chat");

table(
  "only a line feed ends a typed line; the end of input is exit",
  all.filter(([task, { prompt }]) => prompt && !isChat(task)),
  async (task, script) => {
    using listener = new TcpListener();
    using udp = new UdpPeer();
    const { by, closing = /\n$/ } = script;
    const port = by === "udp" ? udp.port : listener.port;
    const where = at(script, "127.0.0.1", port);
    await using program = await launch(task, where);
    if (task === "incrementer:client") {
      await program.type("c\u2028exit");
      await assertPrints(program, /\? .*\bc\b.*\bs\b.*\bexit\b/);
    } else if (by === "udp") {
      await program.type(LINE);
      const { text, port } = await udp.receive();
      assertEquals(text, LINE);
      await udp.send("done", port);
      await assertPrints(program, /: done\n[^]*: $/);
    } else {
      await program.type(LINE);
      await program.type("y");
      using peer = await listener.accept();
      const path = encodeURIComponent(LINE).replace("%3A", ":");
      await peer.assertReplies(`GET /${path} HTTP/1.1\r\n`);
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      await assertPrints(program, /200 OK[^]*\): $/);
    }
    await program.endInput();
    await assertExits(program, 0);
    assertMatch(program.stdout, closing);
  },
);

table(
  "chats: only a line feed ends a typed line; the end of input is exit",
  all.filter(([task]) => isChat(task)),
  async (task, script) => {
    using listener = new TcpListener();
    using udp = new UdpPeer();
    const { by, listens, prompt = "", closing = /$^/ } = script;
    const port = by === "udp" ? udp.port : listener.port;
    const [server, bound = 0] = listens ? await serve(task, script) : [];
    await using program = server ??
      await launch(task, at(script, "127.0.0.1", port));
    using peer = by === "udp"
      ? null
      : listens
      ? await TcpPeer.connect(bound)
      : await listener.accept();
    let partner = bound;
    const send = (text: string) => peer?.send(text) ?? udp.send(text, partner);
    const assertHears = async (text: string) => {
      if (peer) return await peer.assertReplies(text);
      partner = await udp.assertReceives(text);
    };
    if (listens) await send("hello"); // the client has the first word
    await assertPrints(program, prompt);
    await program.type(LINE);
    await assertHears(LINE);
    await send("again");
    await assertPrints(
      program,
      new RegExp(`: again\n[^]*${RegExp.escape(prompt)}$`),
    );
    await program.endInput();
    await assertHears("exit");
    await send("Goodbye!").catch(() => {}); // a server has gone by now
    await assertExits(program, 0);
    assertMatch(program.stdout, closing);
  },
);

/** Asserts that a server and a client meet that are told the same host. */
async function assertMeet(
  pair: Pair,
  host: string,
  hosts?: string,
): Promise<void> {
  const more = hosts === undefined ? {} : { hosts };
  const scripts = [SCRIPTS[pair.server], SCRIPTS[pair.client]];
  const [script, partner] = scripts;
  assert(script && partner);
  await using stack = new AsyncDisposableStack();
  let args: string[] = [];
  if (pair.server === "broker:broker") {
    const upper = SCRIPTS["broker:toupper"];
    assert(upper);
    const [program, port] = await serve("broker:toupper", upper, host, more);
    stack.use(program);
    args = ["--toupper", `${host.replace(/.*:.*/, "[$&]")}:${port}`];
  }
  if (pair.server === "nats:broker") {
    args = ["--nats", `nats://127.0.0.1:${unusedPort()}`];
  }
  const options = { ...more, args };
  const [server, port] = await serve(pair.server, script, host, options);
  stack.use(server);
  const where = [...(pair.args ?? []), ...at(partner, host, port)];
  const client = await launch(pair.client, where, more);
  stack.use(client);
  for (const line of pair.types ?? []) await client.type(line);
  await assertPrints(client, pair.says);
  if (pair.hears) await assertPrints(server, pair.hears);
  const printed = server.stdout + client.stdout;
  assertNotMatch(printed, /(^|[^[\w:])::(1|ffff:[\d.]+)?:\d/m, "no brackets");
  if (host === "::1" && /\d\.\d\.|\[/.test(server.stdout)) {
    assertStringIncludes(server.stdout, "[::1]:");
  }
}

/** Whether a process here can have an `/etc/hosts` of its own. */
function canMount(): boolean {
  const unshare = find("unshare");
  if (Deno.build.os !== "linux" || !unshare) return false;
  const args = ["-m", "mount", "--bind", "/etc/hosts", "/etc/hosts"];
  return new Deno.Command(unshare, { args, stdout: "null", stderr: "null" })
    .outputSync().success;
}

const pairs = PAIRS.map((pair): [string, Pair] => [pair.server, pair]);
table(
  "a server and a client meet on ::1",
  pairs,
  async (_, pair) => await assertMeet(pair, "::1"),
);
const mounts = canMount();
table(
  mounts
    ? "a server and a client meet on localhost, where it is ::1 first"
    : "a server and a client meet on localhost (::1 first needs unshare and root)",
  pairs,
  async (_, pair) => {
    const hosts = await Deno.makeTempFile({ prefix: "hosts-" });
    await Deno.writeTextFile(hosts, "::1 localhost\n127.0.0.1 localhost\n");
    await assertMeet(pair, "localhost", mounts ? hosts : undefined)
      .finally(() => Deno.remove(hosts));
  },
);
