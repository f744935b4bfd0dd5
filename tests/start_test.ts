/** `deno task start`, in a pipe and in a terminal; `help` and `nats:server`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { taskCommand } from "../launch/programs/program.ts";
import {
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  noSignals,
  PATIENCE_MS,
  Program,
  ROOT,
  start,
  within,
} from "./assertions.ts";
import { find, needs } from "./needs.ts";

const PROMPT = "A number or a name (exit leaves): ";

Deno.test("start: the menu has every example and fits 80x24", async () => {
  await using menu = await start("start");
  await menu.endInput();
  await assertExits(menu, 0);
  const lines = menu.stdout.trimEnd().split("\n");
  assert(lines.length <= 22, `${lines.length} lines`);
  for (const line of lines) assert(line.length < 80, line);
  for (const { name } of EXAMPLES) {
    assertMatch(menu.stdout, new RegExp(`^ +\\d+  ${name} +[A-Z].*$`, "m"));
  }
});

Deno.test("start: a number or a name launches, then the menu comes back", async () => {
  await using menu = await start("start");
  for (const choice of ["3", "udp"]) {
    const { length } = menu.stdout;
    await assertPrints(menu, PROMPT, length - PROMPT.length);
    await menu.type(choice);
    const launched = { from: length, ms: 3 * PATIENCE_MS };
    await menu.prints("Server says: Hello from server!", launched);
    await menu.prints(/ 1 {2}tcp [^]*\(exit leaves\): $/, launched);
  }
  // Options go to what is launched.
  const { length } = menu.stdout;
  await menu.type("tcp:server --help");
  await assertPrints(menu, "Usage: server.ts", length);
  await menu.type("exit");
  await assertExits(menu, 0);
});

Deno.test("start: nonsense costs one line", async () => {
  await using menu = await start("start");
  for (
    const nonsense of ["0", "99", "-1", "1.5", "nothing", "\x1b[2J", "start"]
  ) {
    await assertPrints(menu, /\(exit leaves\): $/);
    const { length } = menu.stdout;
    await menu.type(nonsense);
    const [text] = await assertPrints(menu, /^[^]*\(exit leaves\): $/, length);
    assertMatch(text, /^.*\nThere is no ".*" here\. Type a number .*\n\n.*$/);
  }
  await menu.endInput();
  await assertExits(menu, 0);
});

Deno.test({
  name: "start: Ctrl-C and SIGTERM leave",
  ignore: noSignals,
  async fn() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      await using menu = await start("start");
      await assertPrints(menu, PROMPT);
      menu.kill(signal);
      await assertExits(menu, 130);
      assertEquals(menu.stderr, "");
    }
  },
});

// `script` gives a program a terminal; that of macOS has other options.
Deno.test(needs(["script"], {
  name: "start: in a terminal, Ctrl-C ends what runs, and Ctrl-D leaves",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const command = [Deno.execPath(), ...await taskCommand("start")].join(" ");
    const args = ["--quiet", "--return", "--command", command, "/dev/null"];
    await using menu = new Terminal(find("script") ?? "", args);
    await menu.shows(PROMPT);
    await menu.press("tcp:chat\r");
    await menu.shows("You (client): ");
    await menu.press("\x03");
    await menu.shows(`Enter shows the menu. ${PROMPT}`);
    await menu.press("\r");
    await menu.shows(/ 1 {2}tcp [^]*\(exit leaves\): $/);
    await menu.press("\x04");
    const { code } = await within(PATIENCE_MS, menu.ended, "its end");
    assertEquals(code, 0, menu.screen);
  },
}));

Deno.test("help: says what there is; both say what they cannot use", async () => {
  await using help = await start("help");
  await assertExits(help, 0);
  assertMatch(help.stdout, /^ +1 {2}tcp /m);
  assertMatch(help.stdout, /deno task NAME:ROLE/);
  await assertFails("start", ["--bogus"], 2, /^Cannot use --bogus\. Usage: /);
});

Deno.test("nats:server: starts it, or says how to install it", async () => {
  const command = [...await taskCommand("nats:server"), "--version"];
  const env = { PATH: "/nowhere" }; // Debian's is found nevertheless
  const deno = Deno.execPath();
  await using server = new Program("nats", command, {}, ROOT, deno, env);
  if (await server.exits(PATIENCE_MS) === 0) {
    assertMatch(server.stdout, /^nats-server: v\d/);
  } else {
    assertComplaint(server, /^There is no nats-server here\. Install it: /);
  }
});

Deno.test("nats:server: its exit status is that of nats-server", async () => {
  await using server = await start("nats:server", ["--config", "no-such-file"]);
  assert(await server.exits(PATIENCE_MS) !== 0);
});

/** A program that has a terminal, its screen without commands to it. */
class Terminal implements AsyncDisposable {
  /** All that was shown since the last key. */
  screen = "";
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #change = Promise.withResolvers<void>();

  constructor(program: string, args: string[]) {
    this.#child = new Deno.Command(program, {
      ...{ args, cwd: ROOT, env: { NO_COLOR: "1", TERM: "xterm" } },
      ...{ stdin: "piped", stdout: "piped" },
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.ended = this.#child.status;
    this.#reading = this.#read();
  }

  async shows(expected: string | RegExp): Promise<void> {
    const isShown = () =>
      typeof expected === "string"
        ? this.screen.includes(expected)
        : expected.test(this.screen);
    while (!isShown()) {
      const what = `${expected} on the screen`;
      await within(PATIENCE_MS, this.#change.promise, what);
      this.#change = Promise.withResolvers();
    }
  }

  async press(keys: string): Promise<void> {
    this.screen = "";
    await this.#input.write(new TextEncoder().encode(keys));
  }

  async #read(): Promise<void> {
    const texts = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of texts) {
      // deno-lint-ignore no-control-regex -- commands to the terminal
      this.screen += text.replace(/\x1b\[[\d;?]*[A-Za-z]/g, "");
      this.#change.resolve();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended;
    await this.#reading;
    await this.#input.abort().catch(() => {});
  }
}
