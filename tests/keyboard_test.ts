/** What is typed: the line that is edited, and a person at a real terminal. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type Key, layOut, LineEditor } from "../launch/show/editor.ts";
import { width } from "../launch/show/text.ts";
import { PATIENCE_MS, Program, ROOT } from "./assertions.ts";
import { FLAGS } from "./launches.ts";
import { find, needs } from "./needs.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The lines that come of keys. */
function lines(...reads: string[]): string[] {
  const editor = new LineEditor();
  return reads.flatMap((read) => editor.feed(bytes(read)))
    .flatMap((key) => key.kind === "line" ? [key.text] : [`<${key.kind}>`]);
}

Deno.test("keyboard: keys that edit a line", () => {
  const left = "\x1b[D", right = "\x1b[C", up = "\x1b[A", down = "\x1b[B";
  const cases: [keys: string, ...lines: string[]][] = [
    ["hello\r", "hello"],
    ["a\nb\r\nc\r", "a", "b", "c"],
    ["\r\r", "", ""],
    [`helo${left}l\r`, "hello"],
    [`ab${left}${left}${left}x${right}y\r`, "xayb"],
    ["bc\x01a\x05d\r", "abcd"],
    ["bc\x1b[Ha\x1b[Fd\r", "abcd"],
    ["bc\x1bOHa\x1bOFd\r", "abcd"],
    ["bc\x1b[1~a\x1b[4~d\r", "abcd"],
    ["abc\x7f\b\r", "a"],
    ["你好\x7f\r", "你"],
    ["e\u0301\x7fx\r", "x"],
    ["👩‍🚀\x7fx\r", "x"],
    ["abc\x01\x1b[3~\x04\r", "c"],
    [`abc${left}\x0b\r`, "ab"],
    [`abc${left}\x15\r`, "c"],
    ["one two  three\x17\x17x\r", "one x"],
    ["one two\x1b\x7f\r", "one "],
    ["one two\x1bbx\r", "one xtwo"],
    ["one two\x1b[1;5Dx\x1b[1;5Cy\r", "one xtwoy"],
    ["a\x02b\x06c\r", "bac"],
    [`one\rtwo\r${up}${up}!\r`, "one", "two", "one!"],
    [`one\rdraft${up}${down}!\r`, "one", "draft!"],
    [`one\r\x10\r\x10\x10\r`, "one", "one", "one"],
    ["a\u2028b\u0085c\r", "a\u2028b\u0085c"],
    ["a\tb\r", "a\tb"],
    ["a\x1b[200~b\x1b[201~c\x1b[Z\x1b[15~\x1bOPd\r", "abcd"],
    ["\x03", "<interrupt>"],
    ["\x1a", "<suspend>"],
    ["\x0c", "<clear>"],
    ["\t", "<next>"],
    ["\x04", "<end>"],
  ];
  const many = Array.from({ length: 250 }, (_, i) => `${i}`);
  const old = lines(many.join("\r") + "\r" + up.repeat(300) + "!\r").at(-1);
  assertEquals(old, "50!"); // the last two hundred are kept
  for (const [keys, ...expected] of cases) {
    assertEquals(lines(keys), expected, JSON.stringify(keys));
  }
});

Deno.test("keyboard: keys that arrive in pieces", () => {
  assertEquals(lines("ab\x1b", "[Dx\r"), ["axb"]);
  assertEquals(lines("ab\x1b[", "Dx\r"), ["axb"]);
  assertEquals(lines("ab\x1b[1;", "5Dx\r"), ["xab"]);
  assertEquals(lines("a\r", "\nb\r"), ["a", "b"]);
  const editor = new LineEditor();
  const [first, ...rest] = bytes("👋\r");
  const keys: Key[] = [
    ...editor.feed(new Uint8Array([first ?? 0])),
    ...editor.feed(new Uint8Array(rest)),
  ];
  assertEquals(keys, [{ kind: "line", text: "👋" }]);
});

Deno.test("keyboard: a paste of 10,000 characters, and a million", () => {
  assertEquals(lines("x".repeat(10_000), "\r"), ["x".repeat(10_000)]);
  const editor = new LineEditor();
  for (let i = 0; i < 20; i++) editor.feed(bytes("y".repeat(100_000)));
  assert(editor.before.length <= 1 << 20, "no limit");
  layOut("> ", editor.before, editor.after, 80, 3);
});

Deno.test("keyboard: the line fits the terminal, with the cursor in it", () => {
  for (const columns of [2, 10, 40, 80, 200]) {
    for (const most of [1, 3]) {
      for (const text of ["", "hi", "你".repeat(100), "e\u0301".repeat(60)]) {
        for (const after of ["", "z".repeat(500)]) {
          const { rows, row, column } = layOut(
            "You (client): ",
            text,
            after,
            columns,
            most,
          );
          const where = `${columns} ${most} ${text.length} ${after.length}`;
          if (columns >= 40) assert(rows.length <= most + 1, where);
          for (const shown of rows) {
            assert(width(shown) <= Math.max(2, columns - 1), where);
          }
          assert(row < rows.length && column < Math.max(3, columns), where);
          assert(column <= width(rows[row] ?? ""), where);
        }
      }
    }
  }
  assertEquals(layOut("> ", "ab", "cd", 80, 3), {
    rows: ["> abcd"],
    row: 0,
    column: 4,
  });
});

/** Runs a program at a pseudo-terminal; what it is told is JSON, a line each. */
const PTY = `
import os, pty, sys, json, struct, fcntl, termios, threading, signal
rows, columns, term, command = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = term
    os.environ.pop("NO_COLOR", None)
    os.execvp(command[0], command)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
def keys():
    for line in sys.stdin:
        what, value = json.loads(line)
        if what == "type":
            data = value.encode()
            while data:
                data = data[os.write(fd, data[:512]):]
        elif what == "size":
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", value[0], value[1], 0, 0))
            os.kill(pid, signal.SIGWINCH)
        elif what == "kill":
            os.kill(pid, value)
        elif what == "lflag":
            print("\\nLFLAG %d" % bool(termios.tcgetattr(fd)[3] & termios.ICANON), flush=True)
threading.Thread(target=keys, daemon=True).start()
while True:
    try: data = os.read(fd, 65536)
    except OSError: break
    if not data: break
    sys.stdout.buffer.write(data); sys.stdout.buffer.flush()
_, status = os.waitpid(pid, 0)
print("\\nSTATUS %d" % os.waitstatus_to_exitcode(status), flush=True)
`;

/** A launcher at a terminal. */
class Person implements AsyncDisposable {
  readonly #program: Program;

  constructor(
    args: string[],
    {
      rows = 24,
      columns = 80,
      term = "xterm-256color",
      command = [
        ...[Deno.execPath(), ...FLAGS, "launch/main.ts"],
      ],
    } = {},
  ) {
    const setup = JSON.stringify([
      ...[rows, columns, term],
      // The usual ports are left to the transcripts of the READMEs.
      [...command, ...args, ...args.length > 0 ? ["--port", "0"] : []],
    ]);
    const python = find("python3") ?? "";
    this.#program = new Program(
      "pty",
      ["-S", "-c", PTY, setup],
      {},
      ROOT,
      python,
    );
  }

  get output(): string {
    return this.#program.stdout;
  }

  async does(what: "type" | "size" | "kill" | "lflag", value?: unknown) {
    // Program.type() would take the screen for a prompt: that is fine here.
    await this.#program.type(JSON.stringify([what, value ?? null]));
  }

  async sees(expected: string | RegExp, from = 0): Promise<void> {
    await this.#program.prints(expected, { from, ms: PATIENCE_MS });
  }

  async ends(status: number): Promise<void> {
    await this.#program.exits(PATIENCE_MS);
    assertStringIncludes(this.#program.stdout, `STATUS ${status}\n`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

Deno.test(needs(["python3"], {
  name: "keyboard: a person at a terminal types into each program that asks",
  async fn() {
    await using person = new Person(["tcp:chat"]);
    await person.sees("You (client): ");
    await person.does("lflag");
    await person.sees("LFLAG 0"); // keys come one by one
    await person.does("type", "helo\x1b[Dl\r");
    await person.sees("You (server): ");
    await person.does("type", "exit\r");
    await person.ends(0);
    assertStringIncludes(person.output, "Client: hello");
    assertStringIncludes(person.output, "Server: exit");
  },
}));

Deno.test(needs(["python3"], {
  name: "keyboard: Ctrl-D ends the input of who asks, Ctrl-C everything",
  async fn() {
    await using first = new Person(["web"]);
    await first.sees("Enter the link");
    await first.does("type", "\x04");
    await first.ends(0);
    await using second = new Person(["udp:chat"]);
    await second.sees("You (client): ");
    await second.does("type", "\x03");
    await second.ends(130);
    assert(!second.output.includes("status 143"), second.output);
    assertStringIncludes(second.output, "s in all");
  },
}));

Deno.test(needs(["python3"], {
  name: "keyboard: a paste of 10,000 characters at a terminal",
  async fn() {
    await using person = new Person(["tcp:chat"]);
    await person.sees("You (client): ");
    await person.does("type", "x".repeat(10_000) + "\r");
    await person.sees("10,000 bytes");
    await person.sees("You (server): ");
    await person.does("type", "exit\r");
    await person.ends(0);
  },
}));

Deno.test(needs(["python3"], {
  name: "keyboard: a terminal of 0x0, of 40x10, of 200x50",
  async fn() {
    const size = { rows: 0, columns: 0, term: "xterm" };
    await using person = new Person(["tcp:chat"], size);
    await person.sees("Connected to");
    await person.does("type", "hello\r");
    await person.sees("Client: hello");
    await person.sees("You (server): ");
    for (const [rows, columns, said] of [[10, 40, "hi"], [50, 200, "bye"]]) {
      await person.does("size", [rows, columns]);
      await person.does("type", `${said}\r`);
      await person.sees(new RegExp(`(Client|Server): ${said}`));
    }
    await person.does("size", [30, 100]);
    await person.does("type", "exit\r");
    await person.ends(0);
  },
}));

Deno.test(needs(["python3"], {
  name: "keyboard: on a dumb terminal nothing moves, and nothing has a colour",
  async fn() {
    await using person = new Person(["tcp:chat"], { term: "dumb" });
    await person.sees("Connected to");
    await person.does("type", "hello\r");
    await person.sees("Client: hello");
    await person.does("size", [30, 100]);
    await person.does("type", "exit\r");
    await person.ends(0);
    const [, shown = ""] = person.output.split("tcp:chat");
    // deno-lint-ignore no-control-regex
    assert(!/\x1b/.test(shown), person.output);
  },
}));

Deno.test(needs(["python3", "bash"], {
  name: "keyboard: Ctrl-Z gives the shell back, fg goes on",
  async fn() {
    const command = [find("bash") ?? "", "--norc", "-i"];
    await using person = new Person([], { command });
    const launch = [
      Deno.execPath(),
      ...FLAGS,
      "launch/main.ts",
      "tcp:chat",
      "--port 0",
    ];
    await person.does("type", `PS1='shell> '; ${launch.join(" ")}\r`);
    await person.sees("You (client): ");
    let from = person.output.length;
    await person.does("type", "\x1a");
    await person.sees(/shell> /, from);
    await person.does("type", "echo $((6*7))\r");
    await person.sees("42");
    from = person.output.length;
    await person.does("type", "fg\r");
    await person.sees("You (client): ", from);
    await person.does("type", "exit\r");
    await person.sees("Client closed.", from);
    await person.sees(/s in all[^]*shell> /, from);
    await person.does("type", "exit\r");
    await person.ends(0);
  },
}));

Deno.test(needs(["python3", "bash", "stty"], {
  name: "keyboard: kill -9 of the launcher leaves a usable terminal",
  async fn() {
    const folder = await Deno.makeTempDir();
    const file = join(folder, "pid");
    const command = [find("bash") ?? "", "--norc", "-i"];
    await using person = new Person([], { command });
    const launch = [
      Deno.execPath(),
      ...FLAGS,
      "launch/main.ts",
      "tcp:chat",
      "--port 0",
    ];
    const line = `sh -c 'echo $$ >${file}; exec ${launch.join(" ")}'; sleep 2`;
    await person.does("type", `${line}\r`);
    await person.sees("You (client): ");
    const pid = Number(await Deno.readTextFile(file));
    Deno.kill(pid, "SIGKILL");
    await person.sees(/Killed/);
    let canonical = false;
    for (let tries = 0; tries < 50 && !canonical; tries++) {
      const from = person.output.length;
      await person.does("lflag");
      await person.sees(/LFLAG \d/, from);
      canonical = /LFLAG 1/.test(person.output.slice(from));
    }
    assert(canonical, "the terminal is still raw");
    await Deno.remove(folder, { recursive: true });
  },
}));
