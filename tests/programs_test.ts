/** What the launcher knows of programs: their output, their places, their ports. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { networkOf, repeatOf } from "../launch/options.ts";
import { piped, scripted } from "../launch/programs/keyboard.ts";
import { startWhereFound } from "../launch/programs/places.ts";
import { inNetstat, inProcNet, listening } from "../launch/programs/ports.ts";
import { RUN_FOLDER } from "../launch/programs/program.ts";
import { Reaper } from "../launch/programs/reaper_client.ts";
import { Typing } from "../launch/programs/typing.ts";
import {
  noSignals,
  PATIENCE_MS,
  Program,
  ROOT,
  start,
  within,
} from "./assertions.ts";

/** Runs with output in files, as on Windows, on every system. */
async function withFiles(fn: () => Promise<void>): Promise<void> {
  const before = Program.usesFiles;
  Program.usesFiles = true;
  try {
    await fn();
  } finally {
    Program.usesFiles = before;
  }
}

/** Waits for input, or its end. */
const WAITS = "await Deno.stdin.read(new Uint8Array(9))";

/** A program that runs these statements. */
function evaluates(code: string): Program {
  return new Program("eval", ["eval", code]);
}

Deno.test("programs: output in files comes while a program runs, and whole", async () => {
  await withFiles(async () => {
    await using server = await start("tcp:server", ["--port", "0"]);
    await server.prints(/port \d+/); // it goes on running
    await using asks = evaluates(`
      Deno.stdout.writeSync(new TextEncoder().encode("Name? "));
      const name = new Uint8Array(9);
      await Deno.stdin.read(name);
      console.error("so");
      console.log("x".repeat(200_000) + "你");
      Deno.exit(3);
    `);
    await asks.prints(/^Name\? $/);
    assert(asks.asking);
    await asks.type("Ana");
    assertEquals(await asks.exits(PATIENCE_MS), 3);
    assertEquals(asks.stdout, `Name? ${"x".repeat(200_000)}你\n`);
    assertEquals(asks.stderr, "so\n");
  });
});

Deno.test("programs: files for output are gone as soon as they are there", async () => {
  await withFiles(async () => {
    const names = () => {
      try {
        return Array.from(Deno.readDirSync(RUN_FOLDER), ({ name }) => name);
      } catch {
        return [];
      }
    };
    const before = new Set(names());
    await using program = evaluates(WAITS);
    const files = names().filter((name) => !before.has(name))
      .filter((name) => Deno.statSync(`${RUN_FOLDER}/${name}`).isFile);
    assertEquals(files, []);
    await program.endInput();
    await program.exits(PATIENCE_MS);
  });
});

Deno.test("programs: one that is not there is told so, with files, too", async () => {
  await withFiles(async () => {
    for (let i = 0; i < 3; i++) {
      const deno = Deno.execPath();
      const started = startWhereFound(
        "no-such-program",
        (place) => new Program("none", [], {}, ROOT, place),
      );
      assertEquals(started, null);
      const found = startWhereFound(
        deno,
        (place) => new Program("deno", ["--version"], {}, ROOT, place),
      );
      assertEquals(await found?.exits(PATIENCE_MS), 0);
    }
  });
});

Deno.test("programs: a program is looked for beside PATH, too", () => {
  const tried: string[] = [];
  const place = startWhereFound("nats-server", (place) => {
    tried.push(place);
    if (!place.startsWith("/usr/sbin/")) throw new Deno.errors.NotFound();
    return place;
  });
  assertEquals(place, "/usr/sbin/nats-server");
  assertEquals(tried, ["nats-server", "/usr/sbin/nats-server"]);
});

Deno.test("programs: the system says who listens, and nobody is disturbed", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  try {
    using client = await Deno.connect({ port: listener.addr.port });
    const found = await listening();
    if (found === null) return; // a machine without netstat
    assert(found.tcp.has(listener.addr.port));
    assert(!found.tcp.has(client.localAddr.port), "a client listens");
    assert(socket.addr.transport === "udp");
    assert(found.udp.has(socket.addr.port));
    assert(!found.udp.has(listener.addr.port));
  } finally {
    socket.close();
  }
});

Deno.test("programs: ports in what systems print", () => {
  assertEquals(
    inProcNet(`  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:3039 00000000:0000 0A 00000000:00000000 00:00000000
   1: 0100007F:303A 0100007F:3039 01 00000000:00000000 00:00000000
   2: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0
  sl  local_address rem_address   st tx_queue rx_queue
 1092: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000
 1093: 0100007F:1F92 0100007F:0035 01 00000000:00000000 00:00000000
`),
    { tcp: new Set([12345, 8080]), udp: new Set([8081]) },
  );
  assertEquals(
    inNetstat(`Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  127.0.0.1.8080         *.*                    LISTEN
tcp4       0      0  127.0.0.1.8080         127.0.0.1.51000        ESTABLISHED
tcp6       0      0  ::1.9090               *.*                    LISTEN
udp4       0      0  *.5353                 *.*
udp4       0      0  127.0.0.1.6000         127.0.0.1.7000
`),
    { tcp: new Set([8080, 9090]), udp: new Set([5353]) },
  );
  assertEquals(
    inNetstat(
      "  Proto  Lokale Adresse         Remoteadresse          Status\r\n" +
        "  TCP    127.0.0.1:8080         0.0.0.0:0              ABHÖREN\r\n" +
        "  TCP    [::1]:9090             [::]:0                 ABHÖREN\r\n" +
        "  TCP    127.0.0.1:8080         127.0.0.1:51000        HERGESTELLT\r\n" +
        "  UDP    0.0.0.0:5353           *:*                           \r\n" +
        "  UDP    [::1]:6000             *:*\r\n",
    ),
    { tcp: new Set([8080, 9090]), udp: new Set([5353, 6000]) },
  );
});

Deno.test("programs: what they print becomes lines, also what has no end", async () => {
  const lines: string[] = [];
  await using program = new Program("eval", [
    "eval",
    `console.log("one\\r\\ntwo\\r");
     Deno.stdout.writeSync(new TextEncoder().encode("x".repeat(70_000)));
     ${WAITS};
     Deno.stdout.writeSync(new TextEncoder().encode("last"));`,
  ], { line: (_, text) => void lines.push(text) });
  const isLong = () => lines.find((line) => line.length > 65_536);
  await program.until(isLong, "cut what is too long", PATIENCE_MS);
  assertEquals(lines.slice(0, 2), ["one", "two"]);
  await program.endInput();
  await program.exits(PATIENCE_MS);
  assertMatch(lines.at(-1) ?? "", /last$/);
});

Deno.test("programs: one that is deaf to SIGTERM is killed", {
  ignore: noSignals,
}, async () => {
  await using program = evaluates(`
    Deno.addSignalListener("SIGTERM", () => {});
    console.log("deaf");
    ${WAITS};`);
  await program.prints("deaf");
  const { signal } = await within(PATIENCE_MS, program.stop(100), "its end");
  assertEquals(signal, "SIGKILL");
});

Deno.test("programs: a typed line waits for what it is to follow", async () => {
  const lines: string[] = [];
  const programs = new Map<string, Program>();
  const keyboard = scripted([
    { type: "now", after: { role: "asks", prints: /ready/ } },
  ]);
  const typing = new Typing(keyboard, programs, () => Promise.resolve());
  await using program = new Program("eval", [
    "eval",
    `const write = (text) => Deno.stdout.writeSync(new TextEncoder().encode(text));
     write("? ");
     const input = Deno.stdin.read(new Uint8Array(9));
     const first = await Promise.race([
       input.then(() => "too early"),
       new Promise((resolve) => setTimeout(resolve, 500, "in time")),
     ]);
     write("ready\\n? ");
     await input;
     console.log(first);
     Deno.exit();`,
  ], {
    line: (_, text) => void lines.push(text),
    change: () => typing.notify(),
  });
  programs.set("asks", program);
  await within(
    PATIENCE_MS,
    typing.until(() => program.status !== undefined),
    "the end of typing",
  );
  assertEquals(lines.at(-1), "in time");
});

Deno.test("programs: lines from a pipe end with a line feed, the last one without", async () => {
  const text = "one\r\ntwo\u2028still two\n\nlast";
  const keyboard = piped(new Blob([text]).stream());
  const typed: unknown[] = [];
  const end = Promise.withResolvers<void>();
  keyboard.ask([{ role: "client", prompt: "> " }]);
  keyboard.onChange = () => {
    for (let next = keyboard.next(); next; next = keyboard.next()) {
      typed.push(next.line);
      if (next.line === null) return end.resolve();
      keyboard.take();
    }
  };
  await within(PATIENCE_MS, end.promise, "the end of the input");
  assertEquals(typed, ["one", "two\u2028still two", "", "last", null]);
});

Deno.test("programs: the reaper ends who still runs, and nobody else", async () => {
  await using ended = evaluates(WAITS);
  await using runs = evaluates(WAITS);
  {
    await using reaper = new Reaper();
    await reaper.started(ended.pid);
    await reaper.started(runs.pid);
    // Its number could be another program's by now.
    await reaper.ended(ended.pid);
  }
  await within(PATIENCE_MS, runs.ended, "the end of what still runs");
  assertEquals(ended.status, undefined);
  await ended.endInput();
  assertEquals(await ended.exits(PATIENCE_MS), 0);
});

Deno.test("programs: the command that repeats a run keeps what it starts", async () => {
  const network = await networkOf(["loss=#1"], "7", [
    { name: "server", transport: "udp" },
  ]);
  const repeat = (...args: string[]) => repeatOf("wire", args, network);
  assertEquals(
    repeat("udp", "0", "9", "--net", "loss=#1", "--", "nc", "-u"),
    "deno task wire udp 0 9 --net loss=#1 --seed 7 -- nc -u",
  );
  assertEquals(
    repeat("--seed=7", "--net", "loss=#1"),
    "deno task wire --seed=7 --net loss=#1",
  );
  assertEquals(repeatOf("wire", ["x"], undefined), "");
});
