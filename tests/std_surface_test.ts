/**
 * What this project uses of `@std`. It must hold with the real packages and
 * with the stand-ins of `offline/` alike.
 */
import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { parseArgs as inlineParseArgs } from "jsr:@std/cli@1/parse-args";
import * as log from "@std/log";
import * as path from "@std/path";
import * as posix from "@std/path/posix";

/** Fails with the wrong kind of error, or with none. */
function assertFails(assertion: () => void): void {
  try {
    assertion();
  } catch (error) {
    if (error instanceof AssertionError) return;
    throw error;
  }
  throw new Error(`no AssertionError from ${assertion}`);
}

Deno.test("@std/assert: each assertion passes what holds and fails the rest", () => {
  assert(1);
  assertFails(() => assert(0));
  assertFails(() => fail("why"));
  assertEquals({ a: [1, new Map([["b", 2]])] }, {
    a: [1, new Map([["b", 2]])],
  });
  assertEquals(Uint8Array.of(1, 2), Uint8Array.of(1, 2));
  assertFails(() => assertEquals<unknown>([1], ["1"]));
  assertNotEquals({ a: 1 }, { a: 2 });
  assertFails(() => assertNotEquals([1], [1]));
  assertStrictEquals(NaN, NaN);
  assertFails(() => assertStrictEquals({}, {}));
  assertExists("");
  assertFails(() => assertExists(null));
  assertFails(() => assertExists(undefined));
  assertInstanceOf(new RangeError(), Error);
  assertFails(() => assertInstanceOf(new Error(), RangeError));
  assertStringIncludes("abc", "bc");
  assertFails(() => assertStringIncludes("abc", "cb"));
  assertMatch("abc", /b/);
  assertFails(() => assertMatch("abc", /d/));
  assertNotMatch("abc", /d/);
  assertFails(() => assertNotMatch("abc", /b/));
  assertGreater(2, 1);
  assertFails(() => assertGreater(1, 1));
  assertGreaterOrEqual(1, 1);
  assertFails(() => assertGreaterOrEqual(0, 1));
  assertLess(1, 2);
  assertFails(() => assertLess(1, 1));
  assertLessOrEqual(1, 1);
  assertFails(() => assertLessOrEqual(2, 1));
});

Deno.test("@std/assert: messages tell the claim and the caller's words", () => {
  const message = (assertion: () => void) =>
    assertThrows(assertion, AssertionError).message;
  assertMatch(
    message(() => assertEquals(1, 2, "words")),
    /1[^]*2[^]*words|words[^]*1[^]*2/,
  );
  assertStringIncludes(message(() => assertStringIncludes("a", "b")), "b");
  assertStringIncludes(message(() => fail("words")), "words");
});

Deno.test("@std/assert: assertThrows and assertRejects look at the error", async () => {
  const wrong = () => {
    throw new RangeError("too far");
  };
  const error = assertThrows(wrong, RangeError, "far");
  assertEquals(error.message, "too far");
  assertThrows(wrong);
  assertFails(() => assertThrows(() => {}));
  assertFails(() => assertThrows(wrong, TypeError));
  assertFails(() => assertThrows(wrong, RangeError, "near"));

  const rejection = () => Promise.reject(new RangeError("too far"));
  assertEquals((await assertRejects(rejection, RangeError)).message, "too far");
  await assertRejects(
    () => assertRejects(rejection, TypeError),
    AssertionError,
  );
  await assertRejects(
    () => assertRejects(() => Promise.resolve()),
    AssertionError,
  );
});

Deno.test("@std/cli: parseArgs as the scripts use it", () => {
  const unknown: unknown[][] = [];
  const parse = (...args: string[]) => {
    unknown.length = 0;
    return parseArgs(args, {
      string: ["host", "port"],
      boolean: ["hex"],
      default: { host: "127.0.0.1" },
      unknown: (...seen: unknown[]) => {
        unknown.push(seen);
        return false;
      },
    });
  };
  const none = { _: [], host: "127.0.0.1", hex: false };
  assertEquals(parse(), none);
  assertEquals(parse("--port", "0080"), { ...none, port: "0080" });
  assertEquals(parse("--port=5", "--hex"), { ...none, port: "5", hex: true });
  assertEquals(parse("--port", "1", "--port=2"), { ...none, port: "2" });
  assertEquals(parse("--port=a=b"), { ...none, port: "a=b" });
  assertEquals(parse("--port"), { ...none, port: "" });
  assertEquals(parse("--port", "-1").port, "");
  assertEquals(parse("--host", "--port", "7"), {
    ...none,
    host: "",
    port: "7",
  });
  assertEquals(parse("--hex", "false", "--host", "h"), { ...none, host: "h" });
  assertEquals(parse("--hex=true"), { ...none, hex: true });
  assertEquals(unknown, []);

  assertEquals(parse("--bogus"), none);
  assertEquals(unknown, [["--bogus", "bogus", true]]);
  assertEquals(parse("--bogus=1"), none);
  assertEquals(unknown, [["--bogus=1", "bogus", "1"]]);
  assertEquals(parse("--bogus", "x", "--help"), none);
  assertEquals(unknown, [["--bogus", "bogus", "x"], ["--help", "help", true]]);
  assertEquals(parse("one", "2"), none);
  assertEquals(unknown, [["one"], ["2"]]);
  assertEquals(parse("-x")._, []);
  assertEquals(unknown, [["-x", "x", true]]);
});

Deno.test("@std/cli: positional arguments", () => {
  const { _ } = parseArgs(["b", "2", "--", "--c"], { boolean: ["a"] });
  assertEquals(_, ["b", 2, "--c"]);
  assertStrictEquals(parseArgs, inlineParseArgs);
});

Deno.test("@std/path: as the web server and the tests use it", () => {
  const { sep } = { sep: path.SEPARATOR };
  assertEquals(path.join("a", "..", "b", "c.txt"), `b${sep}c.txt`);
  assertEquals(path.basename("a/b.txt"), "b.txt");
  assertEquals(path.dirname("a/b.txt"), "a");
  assertEquals(path.extname("a.tar.gz"), ".gz");
  assertEquals(path.extname(".profile"), "");
  assert(path.isAbsolute(path.resolve("a")));
  assertEquals(path.relative(path.resolve("a"), path.resolve("a/b")), "b");
  assertEquals(path.normalize("a//b/../c"), `a${sep}c`);
  const file = path.resolve("ä b.txt");
  assertEquals(path.fromFileUrl(path.toFileUrl(file)), file);
  assertEquals(posix.normalize("/a/../../b"), "/b");
  assertEquals(posix.join("/a", "b"), "/a/b");
  assertEquals(posix.extname("/a.b"), ".b");
});

Deno.test("@std/log: levels, formatters and handlers", () => {
  const lines: string[] = [];
  class ListHandler extends log.BaseHandler {
    override log(msg: string): void {
      lines.push(msg);
    }
  }
  log.setup({
    handlers: {
      all: new ListHandler("DEBUG"),
      bad: new ListHandler("WARN", {
        formatter: ({ levelName, msg, loggerName, datetime, args }) =>
          [loggerName, levelName, msg, datetime instanceof Date, ...args]
            .join("|"),
      }),
    },
    loggers: {
      default: { level: "INFO", handlers: ["all"] },
      named: { level: "DEBUG", handlers: ["all", "bad"] },
    },
  });
  log.getLogger().debug("not this");
  assertEquals(log.getLogger().info("this"), "this");
  assertEquals(lines.splice(0), ["INFO this"]);
  log.getLogger("named").debug("low");
  log.getLogger("named").critical("high", "more");
  assertEquals(lines.splice(0), [
    "DEBUG low",
    "CRITICAL high",
    "named|CRITICAL|high|true|more",
  ]);
  log.getLogger("named").warn("w");
  log.getLogger("named").error("e");
  assertEquals(lines.splice(0).length, 4);
  log.getLogger("unheard of").error("goes nowhere");
  assertEquals(lines, []);
  log.setup({});
});

Deno.test("@std/log: ConsoleHandler formats with and without colours", () => {
  const records: log.LogRecord[] = [];
  class RecordHandler extends log.BaseHandler {
    override handle(record: log.LogRecord): void {
      records.push(record);
    }
    override log(): void {}
  }
  const handlers = [new RecordHandler("INFO")];
  new log.Logger("any", "INFO", { handlers }).warn("text");
  const [record] = records;
  assert(record);
  const format = (useColors: boolean) =>
    new log.ConsoleHandler("INFO", { useColors }).format(record);
  assertEquals(format(false), "WARN text");
  const colored = Deno.noColor ? "WARN text" : "\x1b[33mWARN text\x1b[39m";
  assertEquals(format(true), colored);
});

Deno.test("@std/log: FileHandler appends, holds back and flushes", async () => {
  const folder = await Deno.makeTempDir();
  const filename = path.join(folder, "a.log");
  await Deno.writeTextFile(filename, "before\n");
  const handler = new log.FileHandler("INFO", {
    filename,
    bufferSize: 32,
    formatter: ({ msg }) => msg,
  });
  log.setup({
    handlers: { file: handler },
    loggers: { file: { level: "INFO", handlers: ["file"] } },
  });
  const logger = log.getLogger("file");
  const written = () => Deno.readTextFile(filename);
  logger.info("grün");
  assertEquals(await written(), "before\n");
  handler.flush();
  assertEquals(await written(), "before\ngrün\n");
  logger.info("x".repeat(40)); // more than it can hold back
  assertEquals(await written(), `before\ngrün\n${"x".repeat(40)}\n`);
  logger.info("one");
  logger.critical("two"); // flushes at once
  assert((await written()).endsWith("x\none\ntwo\n"));
  logger.info("three");
  log.setup({}); // ends the handlers that there were
  assert((await written()).endsWith("two\nthree\n"));
  await Deno.remove(folder, { recursive: true });
});
