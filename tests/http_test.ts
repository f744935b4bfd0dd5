import { setTimeout as delay } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  assertExits,
  assertPrints,
  noSignals,
  Program,
  ROOT,
  start,
  startServer,
  TcpPeer,
} from "./assertions.ts";
import { taskCommand } from "../launch/programs/program.ts";
import { find, needs } from "./needs.ts";
import { SideBySide } from "./side_by_side.ts";

const SEQUENTIAL = "http:server";
const THREADED = "http:threaded:server";
const SERVE = "http:serve:server";
const FILES: Record<string, string> = {
  [SEQUENTIAL]: "http/http_server.ts",
  [THREADED]: "http/mt_http_server.ts",
  [SERVE]: "http/serve_http_server.ts",
};
const PAGES: Record<string, string> = {
  [SEQUENTIAL]: page("<h1>Hello!</h1>"),
  [THREADED]: page(
    "<h1>Hello from Deno Mini HTTP Server</h1>\n" +
      "<p>This is a threaded, raw socket HTTP response!</p>",
  ),
};
const LAST_REQUEST = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

function page(content: string): string {
  return '<!DOCTYPE html>\n<html lang="en">\n<head><title>Mini Server</title>\n' +
    '<meta name="color-scheme" content="light dark"></head>\n<body><main>\n' +
    `${content}\n</main></body>\n</html>\n`;
}

/** What a raw server answers, head and page. */
function response(task: string, status = "200 OK", body = PAGES[task]): string {
  const text = body ?? "";
  const allow = status.startsWith("405") ? "Allow: GET, HEAD, POST\r\n" : "";
  return `HTTP/1.1 ${status}\r\nContent-Type: text/html\r\n` +
    `Content-Length: ${text.length}\r\n${allow}` +
    `Connection: close\r\n\r\n${text}`;
}

/** What a raw server answers to a request that it refuses. */
function refusal(status: string): string {
  return response("", status, page(`<h1>${status}</h1>`));
}

/** Requests and what a raw server answers to them. */
const CASES: [request: string, status: string][] = [
  // Well formed: RFC 9112 allows it, or asks for patience with it.
  ["GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\nHost: x\n\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: x\n\r\n", "200 OK"],
  ["\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK"],
  ["\r\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.0\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.2\r\nHost: x\r\n\r\n", "200 OK"],
  ["GET http://x/y?z HTTP/1.1\r\nhOST:x\r\n\r\n", "200 OK"],
  ["OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK"],
  ["M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n", "200 OK"],
  ["get /grüß HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: x\r\nEmpty:\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~: y:\tz\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: xn--bcher-kva.example:\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: a%20b\t \r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost:\r\n\r\n", "200 OK"], // no host in its target
  ["CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", "405 Method Not Allowed"],
  ["CONNECTS x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", "200 OK"],
  ...[
    // Which host?
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.9\r\nX-Host: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: x\r\nA: b\r\nhost: y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x#y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x:y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: ü\r\n\r\n",
    // Not HTTP.
    "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.10\r\nHost: x\r\n\r\n",
    "GET / http/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
    " GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET HTTP/1.1\r\nHost: x\r\n\r\n",
    "G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "Extra lineGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n A: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n\rA: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n",
    "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
  ].map((text): [string, string] => [text, "400 Bad Request"]),
];

const tests = new SideBySide();

/** Servers for tests that look at answers alone, one for each task. */
const shared = new Map<string, ReturnType<typeof startServer>>();

async function sharedPort(task: string): Promise<number> {
  const starting = shared.get(task) ?? startServer(task);
  shared.set(task, starting);
  return (await starting).port;
}

/** How many files a program has open: its sockets are among them. */
function openFiles(program: Program): number {
  const args = [`/proc/${program.pid}/fd`];
  const { stdout } = new Deno.Command("ls", { args }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").length;
}

/** Sends each part on its own and returns all that comes back. */
async function ask(
  port: number,
  ...parts: (string | Uint8Array)[]
): Promise<string> {
  using peer = await TcpPeer.connect(port);
  peer.connection.setNoDelay();
  for (const part of parts) await peer.send(part);
  return await peer.rest();
}

// First those that wait for a time limit.
for (const task of [SEQUENTIAL, THREADED]) {
  tests.add(`${task}: a client that stalls gets 408`, async () => {
    await using started = await startServer(task);
    const { server, port } = started;
    const begun = performance.now();
    using stalled = await TcpPeer.connect(port);
    await stalled.send("GET / HTTP/1.1\r\nHo");
    if (task === SEQUENTIAL) await assertPrints(server, "Connection from");
    using next = await TcpPeer.connect(port);
    await next.send(REQUEST);
    const ends: string[] = [];
    await Promise.all([
      next.rest().then((answer) => {
        assertEquals(answer, response(task));
        ends.push("next");
      }),
      stalled.rest().then((answer) => {
        assertEquals(answer, refusal("408 Request Timeout"));
        const took = performance.now() - begun;
        assert(took > 4_500 && took < 12_000, `408 after ${took} ms`);
        ends.push("stalled");
      }),
    ]);
    // It delays the next one in the sequential server, and only there.
    const order = task === THREADED ? ["next", "stalled"] : ["stalled", "next"];
    assertEquals(ends, order);
  });

  tests.add(`${task}: a request that takes 3 s is in time`, async () => {
    await using started = await startServer(task);
    const { port } = started;
    using slow = await TcpPeer.connect(port);
    await slow.send(REQUEST.slice(0, 20));
    await delay(3_000);
    await slow.send(REQUEST.slice(20));
    await slow.assertReplies(response(task));
  });

  tests.add(
    `${task}: a client that stays after its answer is closed after 5 s`,
    async () => {
      await using started = await startServer(task);
      const { port } = started;
      // It keeps its side open and sends on.
      using staying = await TcpPeer.connect(port);
      const begun = performance.now();
      await staying.send(REQUEST);
      await staying.assertReplies(response(task));
      await staying.assertCloses(); // our FIN
      let error: unknown;
      while (!error && performance.now() - begun < 15_000) {
        await delay(200);
        error = await staying.send("more").then(() => undefined, (e) => e);
      }
      assert(error, "it is still open after 15 s");
      const took = performance.now() - begun;
      assert(took > 4_000, `closed after ${took} ms, while it still sent`);
      // No timer of theirs ends the server later.
      assertEquals(await ask(port, REQUEST), response(task));
    },
  );
}

for (const task of [SEQUENTIAL, THREADED]) {
  tests.add(
    `${task}: answers with the page and prints the request`,
    async () => {
      await using started = await startServer(task);
      const { server, port } = started;
      using peer = await TcpPeer.connect(port);
      await peer.send(REQUEST);
      await peer.assertReplies(response(task));
      await peer.assertCloses();
      const { port: own } = peer.connection.localAddr;
      const block = task === SEQUENTIAL
        ? `HTTP Server running on http://127.0.0.1:${port}\n` +
          `Connection from 127.0.0.1:${own}\n` +
          `----- HTTP REQUEST -----\n${REQUEST}\n------------------------\n`
        : `Threaded HTTP Server running on http://127.0.0.1:${port}\n` +
          `----- HTTP REQUEST from 127.0.0.1:${own} -----\n${REQUEST}\n` +
          "-----------------------------------\n";
      await assertPrints(server, /-{24,}\n$/);
      assertEquals(server.stdout, block);
    },
  );

  tests.add(
    `${task}: any method and path, HTTP/1.0, bare LF, no HEAD body`,
    async () => {
      const port = await sharedPort(task);
      const whole = response(task);
      const body = "x".repeat(100_000);
      const long = "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 100000" +
        `\r\n\r\n${body}`;
      assertEquals(await ask(port, long), whole);
      assertEquals(await ask(port, "GET /a?b=%20c HTTP/1.0\r\n\r\n"), whole);
      assertEquals(await ask(port, "OPTIONS * HTTP/1.1\nhost: x\n\n"), whole);
      const [head] = whole.split("<!DOCTYPE");
      assertEquals(await ask(port, REQUEST.replace("GET", "HEAD")), head);
    },
  );

  tests.add(`${task}: a request cut at every byte`, async () => {
    const port = await sharedPort(task);
    for (let cut = 1; cut < REQUEST.length; cut++) {
      const parts = [REQUEST.slice(0, cut), REQUEST.slice(cut)];
      assertEquals(await ask(port, ...parts), response(task));
    }
    assertEquals(await ask(port, ...REQUEST), response(task));
  });

  tests.add(`${task}: 100 pipelined requests, 100 connections`, async () => {
    await using started = await startServer(task);
    const { server, port } = started;
    const whole = response(task);
    assertEquals(await ask(port, REQUEST.repeat(100)), whole);
    assertEquals(await ask(port, ...Array(100).fill(REQUEST)), whole);
    const all = Array.from({ length: 100 }, () => ask(port, REQUEST));
    for (const answer of await Promise.all(all)) assertEquals(answer, whole);
    // Not a block is lost or mixed with another.
    await server.until(
      () => blocks(server).length === 102,
      "print 102 requests",
      20_000,
    );
    for (const block of blocks(server)) assertEquals(block, REQUEST);
  });

  tests.add(
    `${task}: a head over 16 KiB gets 431, also without an end`,
    async () => {
      const port = await sharedPort(task);
      const refused = refusal("431 Request Header Fields Too Large");
      const [line, end] = [
        "GET / HTTP/1.1\r\nHost: x\r\nX: ",
        "\r\n\r\n",
      ] as const;
      const fill = "x".repeat(16 * 1024 - line.length - end.length);
      assertEquals(await ask(port, line + fill + end), response(task));
      assertEquals(await ask(port, `${line}${fill}x${end}`), refused);
      const endless = line + "x".repeat(4 * 1024 * 1024);
      assertEquals(await ask(port, endless), refused);
    },
  );

  tests.add(`${task}: what is not HTTP gets 400`, async () => {
    const port = await sharedPort(task);
    for (
      const bytes of [
        "hello\r\n",
        "GET /\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno header\r\n\r\n",
        "GET / HTTP/1.1\r\nX: \x1b[2J\r\n\r\n",
        Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01), // TLS
        crypto.getRandomValues(new Uint8Array(65536)),
      ]
    ) assertEquals(await ask(port, bytes), refusal("400 Bad Request"));
    // One that says that nothing follows.
    using peer = await TcpPeer.connect(port);
    await peer.send("GET / HTTP/1.1\r\n");
    await peer.connection.closeWrite();
    assertEquals(await peer.rest(), refusal("400 Bad Request"));
  });

  tests.add(
    `${task}: a request cannot command the terminal or forge output`,
    async () => {
      await using started = await startServer(task);
      const { server, port } = started;
      const request =
        "GET /grüß\u202e\u2028\x9b2J HTTP/1.1\r\nHost:\tx\r\n\r\n";
      assertEquals(await ask(port, request), response(task));
      await ask(port, "\x1b]0;title\x07\n------------------------\n\n");
      await ask(port, "GET / HTTP/1.1\r\nConnection from 127.0.0.1:1\r\n\r\n");
      await server.until(() => blocks(server).length === 3, "print 3", 20_000);
      assertEquals(blocks(server), [
        "GET /grüß���2J HTTP/1.1\r\nHost:\tx\r\n\r\n",
        "�]0;title��------------------------��",
        "GET / HTTP/1.1��Connection from 127.0.0.1:1����",
      ]);
    },
  );

  tests.add(`${task}: serves on when clients vanish`, async () => {
    await using started = await startServer(task);
    const { server, port } = started;
    for (const sent of ["", "GET / HT", REQUEST, REQUEST + REQUEST]) {
      for (let count = 0; count < 10; count++) {
        using peer = await TcpPeer.connect(port);
        await peer.send(sent);
      }
      // A reset: it leaves with the answer unread.
      const peer = await TcpPeer.connect(port);
      await peer.send(REQUEST);
      await peer.assertReplies("HTTP");
      peer.connection.close();
    }
    assertEquals(await ask(port, REQUEST), response(task));
    assertEquals(server.stderr, "");
  });

  tests.add(`${task}: who asks nothing gets nothing`, async () => {
    await using started = await startServer(task);
    const { server, port } = started;
    for (const text of ["", "\r\n"]) {
      using peer = await TcpPeer.connect(port);
      await peer.send(text);
      await peer.connection.closeWrite();
      assertEquals(await peer.rest(), "");
    }
    assertEquals(await ask(port, REQUEST), response(task));
    await server.until(() => blocks(server).length > 0, "print", 20_000);
    assertEquals(blocks(server), [REQUEST]);
  });

  tests.add(
    `${task}: 100 different requests at once, each printed once`,
    async () => {
      await using started = await startServer(task);
      const { server, port } = started;
      const requests = Array.from(
        { length: 100 },
        (_, i) => `GET /${i}${"x".repeat(i * 10)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      // Every second one is refused, so that answers cannot be swapped unseen.
      const sent = requests.map((text, i) => i % 2 ? text : text.slice(4));
      const answers = await Promise.all(
        sent.map((text) => ask(port, text.slice(0, 9), text.slice(9))),
      );
      for (const [i, answer] of answers.entries()) {
        const expected = i % 2 ? response(task) : refusal("400 Bad Request");
        assertEquals(answer, expected);
      }
      await server.until(() => blocks(server).length === 100, "print", 20_000);
      const shown = sent.map((text, i) =>
        i % 2 ? text : text.replace(/[\r\n]/g, "�")
      );
      assertEquals(blocks(server).sort(), shown.sort());
    },
  );

  tests.add({
    name: `${task}: answered clients leave no socket behind`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using started = await startServer(task);
      const { server, port } = started;
      await ask(port, REQUEST);
      const before = openFiles(server);
      for (let i = 0; i < 200; i++) {
        assertEquals(await ask(port, REQUEST), response(task));
      }
      const deadline = performance.now() + 20_000;
      while (openFiles(server) > before + 20) {
        assert(performance.now() < deadline, `${openFiles(server)} open files`);
        await delay(100);
      }
    },
  });

  tests.add(`${task}: clients that left the queue end nothing`, async () => {
    await using started = await startServer(task);
    const { server, port } = started;
    using first = await TcpPeer.connect(port);
    await first.send("GET / HT");
    for (let i = 0; i < 3; i++) {
      // Bytes that nobody has read make a reset of this close.
      const peer = await TcpPeer.connect(port);
      await peer.send(REQUEST);
      peer.connection.close();
    }
    await first.send(REQUEST.slice(8));
    assertEquals(await first.rest(), response(task));
    first.connection.close();
    assertEquals(await ask(port, REQUEST), response(task));
    assertEquals(server.stderr, "");
  });

  tests.add(`${task}: requests, well formed and not`, async () => {
    const port = await sharedPort(task);
    for (const [text, status] of CASES) {
      const answer = await ask(port, text);
      const expected = status === "200 OK" ? response(task) : refusal(status);
      assertEquals(answer, expected, JSON.stringify(text));
    }
  });

  tests.add(needs(["curl"], {
    name: `${task}: an address as it must be typed`,
    async fn() {
      for (const host of ["::1", "::", "localhost", "0.0.0.0"]) {
        await using server = await startOn(task, host);
        const [line] = await assertPrints(server, /http:\S+:\d+(?=\n)/);
        const shown = host === "::1"
          ? /^http:\/\/\[::1\]:\d+$/
          : host === "localhost"
          ? /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/
          : /^http:\/\/localhost:\d+$/;
        assertMatch(line, shown);
        const { stdout } = await new Deno.Command(find("curl") ?? "", {
          args: ["-sSg", "--max-time", "20", line],
        }).output();
        assertEquals(new TextDecoder().decode(stdout), PAGES[task]);
        if (host === "::1") await assertPrints(server, /from \[::1\]:\d+/i);
      }
    },
  }));
}

/** Starts a server that may use another address than its task allows. */
async function startOn(task: string, host: string): Promise<Program> {
  const [, ...rest] = await taskCommand(task);
  const name = host.includes(":") ? `[${host}]` : host;
  const args = rest.map((word) =>
    word.replace("-net=127.0.0.1", `-net=${name}`)
  );
  return new Program(task, ["run", ...args, "--host", host, "--port", "0"]);
}

for (const task of Object.keys(FILES)) {
  tests.add({
    name: `${task}: too many open files end nothing`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const [, ...command] = await taskCommand(task);
      const shell = 'ulimit -n 64; exec "$0" "$@"';
      const args = [Deno.execPath(), "run", ...command, "--port", "0"];
      await using server = new Program(
        task,
        ["-c", shell, ...args],
        {},
        ROOT,
        "sh",
      );
      const [, port] = await assertPrints(server, /:(\d+)\n/);
      // Those that come when it cannot accept may wait, or be told off.
      const crowd = await Promise.all(
        Array.from(
          { length: 70 },
          () => TcpPeer.connect(Number(port)).catch(() => undefined),
        ),
      );
      for (const peer of crowd) await peer?.send("GET / HT").catch(() => {});
      await delay(300);
      for (const peer of crowd) peer?.[Symbol.dispose]();
      const deadline = performance.now() + 20_000;
      let answer = "";
      while (!answer.includes("200 OK") && performance.now() < deadline) {
        answer = await ask(Number(port), LAST_REQUEST)
          .catch(() => "");
      }
      assertMatch(answer, /^HTTP\/1.1 200 OK/);
      assertEquals(server.status, undefined, server.stderr);
    },
  });
}

/** The requests that a raw server printed. */
function blocks(server: Program): string[] {
  const pattern = /^----- HTTP REQUEST.* -----\n([^]*?)\n-{24,}\n/gm;
  return [...server.stdout.matchAll(pattern)].map(([, text]) => text ?? "");
}

tests.add("http:server: an accept that fails is tried again", async () => {
  const [run = "", ...rest] = await taskCommand(SEQUENTIAL);
  const preload = "--preload=tests/peers/failing_accept.ts";
  const args = [run, preload, ...rest, "--port", "0"];
  await using server = new Program("failing accept", args);
  const [, port] = await assertPrints(server, /:(\d+)\n/);
  assertEquals(await ask(Number(port), REQUEST), response(SEQUENTIAL));
  assertEquals(server.stderr, "");
});

tests.add(needs(["script"], {
  name: "http:threaded: starts on a terminal without a question",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [, ...rest] = await taskCommand(THREADED);
    const command = [Deno.execPath(), "run", ...rest, "--port", "0"].join(" ");
    const args = ["-qec", command, "/dev/null"];
    const path = find("script") ?? "";
    await using server = new Program("on a terminal", args, {}, ROOT, path);
    const [, port] = await assertPrints(server, /running on .*:(\d+)\r?\n/);
    assertEquals(await ask(Number(port), REQUEST), response(THREADED));
    assert(!server.stdout.includes("Allow?"), server.stdout);
  },
}));

tests.add("http:threaded: slow clients delay nobody", async () => {
  await using started = await startServer(THREADED);
  const { port } = started;
  const slow = await Promise.all(
    Array.from({ length: 200 }, () => TcpPeer.connect(port)),
  );
  try {
    for (const byte of "GET") {
      await Promise.all(slow.map((peer) => peer.send(byte)));
      for (let count = 0; count < 10; count++) {
        assertEquals(await ask(port, REQUEST), response(THREADED));
      }
    }
  } finally {
    for (const peer of slow) peer[Symbol.dispose]();
  }
});

tests.add("http:serve: the same page, and connections stay open", async () => {
  await using started = await startServer(SERVE);
  const last = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
  const answers = await ask(started.port, REQUEST, REQUEST, last);
  assertEquals(answers.split("HTTP/1.1 200 OK\r\n").length, 4);
  assertEquals(answers.split(page("<h1>Hello!</h1>")).length, 4);
});

tests.add("http:serve: which host, CONNECT", async () => {
  await using started = await startServer(SERVE);
  for (const [text, status] of CASES) {
    // The rest is what Deno.serve refuses, or takes, by itself.
    if (
      !/^(CONNECT x|\w+ [/*h])\S* HTTP\/1\.1\r\n(Host:.*\r\n)?\r\n$/.test(text)
    ) continue;
    const last = text.replace(/\r\n$/, "Connection: close\r\n\r\n");
    const answer = await ask(started.port, last);
    assertEquals(answer.split("\r\n")[0], `HTTP/1.1 ${status}`, text);
    if (status === "200 OK") {
      assertStringIncludes(answer, page("<h1>Hello!</h1>"));
    }
    if (!status.startsWith("405")) continue;
    assertMatch(answer, /^allow: GET, HEAD, POST\r$/im);
  }
});

tests.add(needs(["curl"], {
  name: "http:serve: HTTP/2",
  async fn() {
    await using started = await startServer(SERVE);
    const url = `http://127.0.0.1:${started.port}/`;
    const { stdout } = await new Deno.Command(find("curl") ?? "", {
      args: ["-sSi", "--http2-prior-knowledge", "--max-time", "20", url],
    }).output();
    assertMatch(new TextDecoder().decode(stdout), /^HTTP\/2 200/);
  },
}));

tests.add({
  name: "http:serve: half a request does not keep it from ending",
  ignore: noSignals,
  async fn() {
    const half =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf";
    for (const text of [`${REQUEST}GET / HT`, half]) {
      await using started = await startServer(SERVE);
      const { server, port } = started;
      using peer = await TcpPeer.connect(port);
      await peer.send(text);
      await peer.assertReplies("HTTP/1.1 200 OK\r\n");
      server.kill("SIGTERM");
      await assertExits(server, 0);
    }
  },
});
for (const task of Object.keys(FILES)) {
  const expected = PAGES[task] ?? page("<h1>Hello!</h1>");

  tests.add(`${task}: fetch gets the page`, async () => {
    const port = await sharedPort(task);
    const url = `http://127.0.0.1:${port}`;
    for (const path of ["/", "/favicon.ico", "/a b?c=ü"]) {
      const answer = await fetch(url + path);
      assertEquals(await answer.text(), expected);
      assertEquals(answer.headers.get("content-type"), "text/html");
    }
    const head = await fetch(url, { method: "HEAD" });
    assertEquals(head.headers.get("content-length"), `${expected.length}`);
    const body = "x".repeat(1_000_000);
    const posted = await fetch(url, { method: "POST", body });
    assertEquals(await posted.text(), expected);
  });

  tests.add(needs(["curl"], {
    name: `${task}: curl gets the page, no complaint`,
    async fn() {
      const port = await sharedPort(task);
      const url = `http://127.0.0.1:${port}/`;
      const { code, stdout, stderr } = await new Deno.Command(
        find("curl") ?? "",
        {
          args: ["-sSv", "--max-time", "20", url],
        },
      ).output();
      const notes = new TextDecoder().decode(stderr);
      assertEquals(code, 0, notes);
      assertEquals(new TextDecoder().decode(stdout), expected);
      assertMatch(notes, /^< HTTP\/1\.1 200 OK\r$/m);
      assert(!/error|fail|warn|reset/i.test(notes), notes);
    },
  }));

  tests.add({
    name: `${task}: SIGINT and SIGTERM end it in good order`,
    ignore: noSignals,
    async fn() {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        await using started = await startServer(task);
        const { server, port } = started;
        using _silent = await TcpPeer.connect(port);
        if (task === THREADED) await ask(port, REQUEST);
        server.kill(signal);
        await assertExits(server, 0);
        if (task !== THREADED) continue;
        // What was answered is printed, too, and before the closing line.
        assertEquals(blocks(server), [REQUEST]);
        assert(server.stdout.endsWith("\nServer is shutting down...\n"));
      }
    },
  });
}

tests.add(needs(["python3"], {
  name: "http: servers that talk as the originals do, and our client",
  async fn() {
    for (const more of [[], ["--threads"]]) {
      const args = ["tests/peers/http_server.py", "--port", "0", ...more];
      const python = find("python3") ?? "";
      await using server = new Program("python", args, {}, ROOT, python);
      const [, port = ""] = await assertPrints(server, /:(\d+)\n/);
      await using client = await start("web:client", ["--port", port, "/"]);
      await client.type("n");
      await assertExits(client, 0);
      assertMatch(
        client.stdout,
        /HTTP\/1.1 200 OK\nContent-Type: text\/html\n[^]*<h1>Hello.*<\/h1>/,
      );
      assertMatch(server.stdout, /GET \/ HTTP\/1.1\r?\nHost: 127.0.0.1:/);
    }
  },
}));

tests.run("http", async () => {
  for (const server of shared.values()) {
    await (await server)[Symbol.asyncDispose]();
  }
});
