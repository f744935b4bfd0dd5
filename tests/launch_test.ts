import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import mermaid from "npm:mermaid@12.3.0";
import { EXAMPLES } from "../launch/examples.ts";
import { Diagram } from "../launch/mermaid.ts";
import { hexDump, readable, visible, width, wrap } from "../launch/text.ts";
import type { Link, Presenter } from "../launch/timeline.ts";
import { View } from "../launch/view.ts";
import { assertExits, Program, ROOT } from "./assertions.ts";

/** Signals are skipped by name on Windows, which has none. */
const noSignals = Deno.build.os === "windows";

/** Starts what `deno task NAME` runs, with more arguments. */
function launcher(name: string, ...args: string[]): Program {
  const flags = ["--allow-run", "--allow-read=.", "--allow-write=.run"];
  const script = "launch/main.ts";
  return new Program(name, [
    ...["run", ...flags, "--allow-net=127.0.0.1", script, name],
    ...args,
  ]);
}

/** All that a launch prints; asserts that it succeeds. */
async function output(name: string, ...args: string[]): Promise<string> {
  await using launch = launcher(name, ...args);
  await assertExits(launch, 0);
  return launch.stdout;
}

/** Asserts that these texts come in this order. */
function assertOrder(text: string, ...expected: string[]): void {
  let from = 0;
  for (const part of expected) {
    const at = text.indexOf(part, from);
    assert(at >= 0, `no ${part} after ${text.slice(0, from)}in ${text}`);
    from = at + part.length;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("wire view: what is sent shows before what its receiver prints", async () => {
  const text = await output("tcp");
  assertOrder(
    text,
    "client",
    "server",
    "Server listening on port",
    " connect ",
    "Connected by",
    " Hello from client!  18 bytes ",
    "Client says: Hello from client!",
    " Hello from server!  18 bytes ",
    "Server says: Hello from server!",
    "client → server  1 message, 18 bytes",
    "server → client  1 message, 18 bytes",
  );
  assertStringIncludes(text, " half-close (FIN) ");
  assertStringIncludes(text, " close (FIN) ");
  assert(!text.includes("\x1b"), "colours, although this is no terminal");
});

Deno.test("wire view: a script is typed into the programs that ask", async () => {
  const text = await output("tcp:chat", "--script", "eins|zwei|drei|EXIT");
  assertOrder(
    text,
    "You (client): eins",
    "Client: eins",
    "You (server): zwei",
    "Server: zwei",
    "You (client): drei",
    "Client: drei",
    "You (server): EXIT",
    "Server: EXIT",
    "Client closed.",
  );
});

Deno.test("wire view: lines from a pipe are typed; then the input ends", async () => {
  await using launch = launcher("udp:chat");
  await launch.type("hello");
  await launch.endInput();
  await assertExits(launch, 0);
  assertOrder(
    launch.stdout,
    "You (client): hello",
    "╌ hello  5 bytes ╌",
    "Client: hello",
    "You (server): ^D",
    "╌ exit  4 bytes ╌",
    "Server: exit",
  );
});

Deno.test("wire view: shows a broker's hops, and shortens what is long", async () => {
  const long = "x".repeat(5000);
  const text = await output("broker", "--script", `toupper:${long}|exit`);
  assertOrder(
    text,
    " toupper:xxxx",
    " 5,008 bytes ",
    " 5,000 bytes ",
    " XXXX",
    "Converted text: XXXX",
    "… 5,016 bytes",
    "Closing socket...",
    "client → broker   1 datagram, 5,008 bytes",
    "broker → toupper  1 datagram, 5,000 bytes",
    "toupper → broker  1 datagram, 5,000 bytes",
    "broker → client   1 datagram, 5,000 bytes",
  );
  for (const row of text.split("\n")) assert(width(row) <= 100, row);
});

Deno.test("wire view: --hex adds the bytes", async () => {
  const text = await output("tcp", "--hex");
  assertStringIncludes(
    text,
    "  0000  48 65 6c 6c 6f 20 66 72  6f 6d 20 63 6c 69 65 6e  Hello from clien\n" +
      "  0010  74 21                                             t!\n",
  );
});

for (const { name } of EXAMPLES) {
  const missing = name === "nats" && !hasNats();
  const ignore = missing && Deno.env.get("CI") !== "true";
  const reason = ignore ? " (skipped: nats-server is not installed)" : "";
  const title = `wire view: ${name} as a Mermaid diagram${reason}`;
  Deno.test(title, { ignore }, async () => {
    const text = await output(name, "--mermaid");
    const { diagramType } = await mermaid.parse(text);
    assertEquals(diagramType, "sequence");
    // The programs' own ports are below 32768, where the system's begin.
    assert(!/(:|port )(3[3-9]|[456]\d)\d{3}\b/.test(text), text);
  });
}

function hasNats(): boolean {
  try {
    return new Deno.Command("nats-server", { args: ["--version"] })
      .outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("wire view: a Mermaid diagram is the same each time", async () => {
  const [one, two] = await Promise.all([
    output("tcp:chat", "--mermaid"),
    output("tcp:chat", "--mermaid"),
  ]);
  assertEquals(one, two);
});

Deno.test("wire view: used wrongly, it says so in one line", async () => {
  for (
    const [complaint, ...args] of [
      ["Cannot use --frob.", "tcp", "--frob"],
      ["Cannot use nothing.", "nothing"],
      ["Cannot use more.", "tcp", "more"],
      ["Cannot use --hex together", "tcp", "--hex", "--mermaid"],
    ] as const
  ) {
    const [name = "", ...rest] = args;
    await using launch = launcher(name, ...rest);
    await assertExits(launch, 2);
    assertStringIncludes(launch.stderr, complaint);
    assertMatch(launch.stderr, /^[^\n]+\n$/);
    assertEquals(launch.stdout, "");
  }
  assertMatch(await output("tcp", "--help"), /^Usage: deno task NAME/);
});

Deno.test("wire view: a program that fails is a failure", async () => {
  await using launch = new Program(
    "nats",
    [
      ...["run", "--allow-run", "--allow-read=.", "--allow-net=127.0.0.1"],
      ...["launch/main.ts", "nats"],
    ],
    {},
    ROOT,
    Deno.execPath(),
    { PATH: "/nowhere" },
  );
  await assertExits(launch, 1);
  assertMatch(launch.stderr, /^nats-server is not installed\. .*\n$/);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`wire view: ${signal} in the middle leaves nothing behind`, {
    ignore: noSignals,
  }, async () => {
    await using launch = launcher("incrementer");
    await launch.prints("exit - exit client terminal");
    await launch.type("c");
    await launch.prints("Number: 1");
    const children = await descendants(launch.pid);
    assert(children.length >= 3, "no programs");
    launch.kill(signal);
    await assertExits(launch, 130);
    assertStringIncludes(launch.stdout, "SERVER OFFLINE");
    assertEquals(children.filter(isAlive), []);
  });
}

Deno.test("wire view: kill -9 leaves nothing behind", {
  ignore: noSignals,
}, async () => {
  await using launch = launcher("incrementer");
  await launch.prints("exit - exit client terminal");
  const children = await descendants(launch.pid);
  const folders = Array.from(Deno.readDirSync(`${ROOT}.run`), (f) => f.name);
  launch.kill("SIGKILL");
  await launch.ended;
  for (let tries = 0; tries < 100; tries++) {
    if (!children.some(isAlive) && !await exists(`${ROOT}.run`)) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals(children.filter(isAlive), []);
  assert(folders.length > 0);
});

/** The processes that a process has started, and those that they have. */
async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-A", "-o", "pid=,ppid="],
  }).output();
  const pairs = new TextDecoder().decode(stdout).trim().split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const parent of found) {
    for (const [child, of] of pairs) {
      if (of === parent && child) found.push(child);
    }
  }
  return found.slice(1);
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT"); // has no effect on one that runs
    return true;
  } catch {
    return false;
  }
}

/** Presents a run with odd texts; returns the rows at a width. */
function present(columns: number): string[] {
  const rows: string[] = [];
  const screen = {
    columns: () => columns,
    rows: () => 24,
    print: (more: string[]) => rows.push(...more),
  };
  play(new View(screen, { colours: false, hex: true }));
  return rows;
}

/** Texts as they come: wide, combining, long, hostile. */
const TEXTS = [
  "",
  "你好，世界 👩‍🚀 é",
  "\x1b[2J\u202ecode; #1: <b>\\",
  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  "z̸̢".repeat(500),
  "end",
  "wrap: x %% y",
];

function play(presenter: Presenter): void {
  const broker = EXAMPLES.find(({ name }) => name === "broker");
  assert(broker);
  const names = broker.roles.map(({ name }) => name);
  const links = names.slice(1).map((server): Link => ({
    client: server === "broker" ? "client" : "broker",
    server,
    transport: "udp",
    port: 8080,
    relay: 40_000,
  }));
  presenter.begin(
    broker,
    Object.fromEntries(names.map((name) => [name, `broker/udp_${name}.ts`])),
  );
  for (const link of links) presenter.link(link, 1);
  for (const text of TEXTS) {
    const bytes = new TextEncoder().encode(text);
    for (const role of names) {
      for (const stream of ["stdout", "stderr"] as const) {
        presenter.line({ role, text, stream, typed: undefined }, 1234);
      }
    }
    for (const link of links) {
      for (const from of ["client", "server"] as const) {
        const kinds = ["connect", "refused", "message", "reset"] as const;
        for (const kind of [...kinds, "datagram"] as const) {
          presenter.wire(link, { kind, from, number: 2, bytes }, 12_345);
        }
      }
    }
  }
  for (const role of names) presenter.ended(role, 1, 99_999);
  presenter.end({ ms: 1, directions: [] });
}

Deno.test("wire view: fits the terminal, whatever is said", () => {
  for (const columns of [60, 80, 81, 100, 140, 200]) {
    for (const row of present(columns)) {
      assert(width(row) <= columns, `${width(row)} > ${columns}: ${row}`);
      assertMatch(row, /^\P{Cc}*$/u);
    }
  }
});

Deno.test("wire view: the programs' lines stay in their columns", () => {
  const arrows = present(80).filter((row) => /[►◄]/.test(row));
  assert(arrows.length > 50);
  for (const row of arrows) {
    // An arrow's label may hide the lines between, but not the outermost.
    const columns = [...row].flatMap((c) => width(c) === 2 ? [c, ""] : [c]);
    assertEquals([columns[10], columns[77]], ["│", "│"], row);
  }
});

Deno.test("wire view: Mermaid takes whatever is said", async () => {
  const lines: string[] = [];
  play(new Diagram((line) => lines.push(line)));
  const text = lines.join("\n");
  const { diagramType } = await mermaid.parse(text);
  assertEquals(diagramType, "sequence");
  assertStringIncludes(text, "code#59; #35;1: #60;b#62;#92;");
});

Deno.test("wire view: bytes become readable text", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(
    readable(bytes("a\r\n\t\0\x1b\x7f")),
    "a\\r\\n\\t\\x00\\x1b\\x7f",
  );
  assertEquals(readable(bytes("C:\\new")), "C:\\\\new");
  assertEquals(readable(bytes(" 7 ")), "␣7␣");
  assertEquals(readable(new Uint8Array([0xc3, 0xa9, 0xc3, 0x28])), "é\\xc3(");
  assertEquals(readable(new Uint8Array([0xff, 0xfe])), "\\xff\\xfe");
  assertEquals(readable(bytes("\ufeffé👩‍🚀")), "\\u{feff}é👩‍🚀");
  assertEquals(visible("a\u202eb\x9b"), "a\\u{202e}b\\x9b");
  assertEquals(wrap("one two three", 7), ["one two", "three"]);
  assertEquals(wrap("你好你好", 5), ["你好", "你好"]);
  assertEquals(hexDump(new Uint8Array()), []);
});
