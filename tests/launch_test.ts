import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { launch } from "../launch/launch.ts";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { scripted } from "../launch/programs/keyboard.ts";
import { Reaper } from "../launch/programs/reaper_client.ts";
import { screen } from "../launch/show/screen.ts";
import {
  characters,
  hexDump,
  readable,
  visible,
  width,
  wrap,
} from "../launch/show/text.ts";
import { View } from "../launch/show/view.ts";
import {
  assertExits,
  noSignals,
  PATIENCE_MS,
  Program,
  ROOT,
  within,
} from "./assertions.ts";
import { FLAGS, launcher, output, play } from "./launches.ts";
import { outcomesOf } from "./misuse.ts";
import { needs } from "./needs.ts";

/** Asserts that these texts come in this order. */
function assertOrder(text: string, ...expected: string[]): void {
  let from = 0;
  for (const part of expected) {
    const at = text.indexOf(part, from);
    assert(at >= 0, `no ${part} after ${text.slice(0, from)}in ${text}`);
    from = at + part.length;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

Deno.test("wire view: what is sent shows before what its receiver prints", async () => {
  const text = await output("tcp");
  assertOrder(
    text,
    "client",
    "server",
    "Server listening on port",
    " connect ",
    " Hello from client!  18 bytes ",
    "Client says: Hello from client!",
    " Hello from server!  18 bytes ",
    "Server says: Hello from server!",
    "client → server  1 message, 18 bytes",
    "server → client  1 message, 18 bytes",
  );
  assertOrder(text, " connect ", "Connected by"); // before or after the message
  assertOrder(text, " sends no more (FIN) ", " sends no more (FIN) ");
  assertOrder(text, "relay: TCP port ", " connect ");
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
  assertMatch(
    text,
    /│ +0000 {2}48 65 6c 6c 6f 20 66 72 {2}6f 6d 20 63 6c 69 65 6e {2}Hello from clien +│\n/,
  );
  assertOrder(text, "18 bytes", "0000  48", "0010  74 21", "Client says");
});

Deno.test("wire view: used wrongly, it says so in one line", async () => {
  const cases: [complaint: string, ...args: string[]][] = [
    ["Cannot use --frob.", "tcp", "--frob"],
    ["Cannot use --port x", "tcp", "--port", "x"],
    ["nobody called client listens", "tcp", "--port", "client=1"],
    ["Cannot use --net without a value", "tcp", "--net"],
    ["unknown condition", "tcp", "--net", "los=1"],
    ["Cannot use --seed x", "udp", "--net", "loss=#1", "--seed", "x"],
    ["is open in", "tcp", "--server", "python3 'x"],
    ["needs a shell", "tcp", "--server", "a | b"],
    ["Cannot use nothing.", "nothing"],
    ["Cannot use more.", "tcp", "more"],
    ["Cannot use --hex together", "tcp", "--hex", "--mermaid"],
  ];
  const lines = cases.map(([, ...args]) => args);
  const main = `${new URL("../launch/main.ts", import.meta.url)}`;
  const [help, ...outcomes] = await outcomesOf(
    [["tcp", "--help"], ...lines].map((args) => ({ script: main, args })),
    FLAGS.slice(1),
  );
  for (const [index, { status, stdout, stderr }] of outcomes.entries()) {
    assertEquals([status, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, cases[index]?.[0] ?? "?");
    assertMatch(stderr, /^[^\n]+\n$/);
  }
  assertEquals([help?.status, help?.stderr], [0, ""]);
  assertMatch(help?.stdout ?? "", /^Usage: deno task tcp /);
});

Deno.test("wire view: finds nats-server, or says that it is not installed", async () => {
  await using launch = new Program(
    "nats",
    [
      ...FLAGS,
      ...["launch/main.ts", "nats", "--port", "0", "--script", ""],
    ],
    {},
    ROOT,
    Deno.execPath(),
    { PATH: "/nowhere" },
  );
  // Debian's is found nevertheless.
  const isFound = await launch.exits(3 * PATIENCE_MS) === 0;
  if (isFound) {
    assertStringIncludes(launch.stdout, "Listening for client");
    assert(!launch.stdout.includes("Server is ready"), "all that it prints");
    assertMatch(launch.stdout, / ■ stopped/); // whatever its exit status is
  } else assertMatch(launch.stderr, /^nats-server is not installed\. .*\n$/);
});

/** What tells which processes there are; Debian may lack `ps`. */
const linux = Deno.build.os === "linux";
const LISTING = linux ? ["sh", "cat"] : ["ps"];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(needs(LISTING, {
    name: `wire view: ${signal} in the middle leaves nothing behind`,
    ignore: noSignals,
    async fn() {
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
    },
  }));
}

Deno.test(needs(LISTING, {
  name: "wire view: kill -9 leaves nothing behind",
  ignore: noSignals,
  async fn() {
    await using launch = launcher("incrementer");
    await launch.prints("exit - exit client terminal");
    const children = await descendants(launch.pid);
    const folders = Array.from(
      Deno.readDirSync(`${ROOT}.run`),
      ({ name }) => `${ROOT}.run/${name}`,
    );
    launch.kill("SIGKILL");
    await launch.ended;
    for (let tries = 0; tries < 100; tries++) {
      if (!children.some(isAlive) && !folders.some(exists)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assertEquals(children.filter(isAlive), []);
    assertEquals(folders.filter(exists), []);
  },
}));

Deno.test(needs(["sh"], {
  name: "wire view: ends when the program that started it is killed",
  ignore: noSignals,
  async fn() {
    const words = [Deno.execPath(), ...FLAGS, "launch/main.ts", "incrementer"];
    const script = '"$@"; true'; // a shell that stays
    await using shell = new Program(
      "shell",
      ["-c", script, "sh", ...words, "--port", "0"],
      {},
      ROOT,
      "sh",
    );
    await shell.prints("exit - exit client terminal");
    shell.kill("SIGKILL");
    // Its output ends when the launcher does, which has the same one.
    await within(2 * PATIENCE_MS, shell.ended, "the launcher's end");
    assertStringIncludes(shell.stdout, "SERVER OFFLINE");
  },
}));

Deno.test(needs(["sh", "head"], {
  name: "wire view: ends when nobody reads it any more",
  ignore: noSignals,
  async fn() {
    const words = [Deno.execPath(), ...FLAGS, "launch/main.ts", "tcp:chat"];
    await using shell = new Program(
      "shell",
      ["-c", '"$@" | head -n 1', "sh", ...words, "--port", "0"],
      {},
      ROOT,
      "sh",
    );
    await assertExits(shell, 0); // although nobody has typed, or ended the input
    assertMatch(shell.stdout, /^tcp:chat .*\n$/);
  },
}));

Deno.test("launch: says that a run takes too long", async () => {
  const [tcp] = EXAMPLES;
  assert(tcp);
  await using reaper = new Reaper();
  const presenter = new View(screen(() => {}), { colours: false });
  for (
    const way of ["begin", "link", "line", "wire", "ended", "end"] as const
  ) {
    presenter[way] = () => {};
  }
  await assertRejects(
    () =>
      launch(tcp, {
        presenter,
        keyboard: scripted([]),
        reaper,
        signal: new AbortController().signal,
        ports: { server: 0 },
        limit: 1,
      }),
    Error,
    "It takes longer than 0.001 s",
  );
});

Deno.test("demo: fails if an example does, and names it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "demo-" });
  try {
    const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
    for (const task of Object.keys(config.tasks)) {
      if (!/^udp:(server|client)$/.test(task)) delete config.tasks[task];
    }
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
    for (const name of ["launch", "udp", ".std"]) {
      if (exists(`${ROOT}${name}`)) {
        await copy(`${ROOT}${name}`, `${folder}/${name}`);
      }
    }
    const args = [...FLAGS, "launch/demo.ts"];
    await using demo = new Program("demo", args, {}, folder);
    await assertExits(demo, 1);
    assertMatch(
      demo.stdout,
      /\n1 of 12 examples ran; failed: tcp, tcp:chat, udp:chat, http, .*, library\n$/,
    );
    assertStringIncludes(demo.stdout, "Server says: Hello from server!");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** The processes that a process has started, and those that they have. */
async function descendants(pid: number): Promise<number[]> {
  // Deno itself may look into /proc only with -A. Each line there begins with
  // the process, its name in brackets, its state, its parent.
  const [program, ...args] = linux
    ? ["sh", "-c", "cat /proc/[0-9]*/stat"]
    : ["ps", "-A", "-o", "pid=,ppid="];
  const { stdout } = await new Deno.Command(program, {
    args,
    stderr: "null", // about processes that end meanwhile
  }).output();
  const pairs = new TextDecoder().decode(stdout).trim().split("\n")
    .map((line) => line.replace(/ \(.*\) \S/, ""))
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

Deno.test("wire view: fits the terminal, whatever is said", () => {
  for (const columns of [40, 61, 80, 100, 200]) {
    for (const row of present(columns)) {
      assert(width(row) <= columns, `${width(row)} > ${columns}: ${row}`);
      assertMatch(row, /^\P{Cc}*$/u);
    }
  }
});

Deno.test("wire view: the programs' lines stay in their columns", () => {
  const arrows = present(100).slice(4).filter((row) => /[►◄]/.test(row));
  assert(arrows.length > 50);
  for (const row of arrows) {
    // An arrow's label may hide the lines between, but not the outermost.
    const columns = characters(row).flatMap((c) =>
      width(c) === 2 ? [c, ""] : [c]
    );
    assertEquals([columns[14], columns[97]], ["│", "│"], row);
  }
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
