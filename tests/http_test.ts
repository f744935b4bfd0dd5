import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  noSignals,
  Program,
  start,
  startAlone,
  startServer,
  TcpPeer,
} from "./assertions.ts";
import { find, needs } from "./needs.ts";

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
const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

function page(content: string): string {
  return `<html>\n<head><title>Mini Server</title></head>\n<body>\n${content}\n` +
    "</body>\n</html>\n";
}

/** What a raw server answers, head and page. */
function response(task: string, status = "200 OK", body = PAGES[task]): string {
  const text = body ?? "";
  return `HTTP/1.1 ${status}\r\nContent-Type: text/html\r\n` +
    `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
}

/** What a raw server answers to a request that it refuses. */
function refusal(status: string): string {
  return response("", status, `<h1>${status}</h1>\n`);
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

for (const task of [SEQUENTIAL, THREADED]) {
  Deno.test(`${task}: answers with the page and prints the request`, async () => {
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
  });

  Deno.test(`${task}: any method and path, HTTP/1.0, bare LF, no HEAD body`, async () => {
    await using started = await startServer(task);
    const { port } = started;
    const whole = response(task);
    const body = "x".repeat(100_000);
    const long = `POST /form HTTP/1.1\r\nContent-Length: 100000\r\n\r\n${body}`;
    assertEquals(await ask(port, long), whole);
    assertEquals(await ask(port, "GET /a?b=%20c HTTP/1.0\r\n\r\n"), whole);
    assertEquals(await ask(port, "OPTIONS * HTTP/1.1\nhost: x\n\n"), whole);
    const [head] = whole.split("<html>");
    assertEquals(await ask(port, REQUEST.replace("GET", "HEAD")), head);
  });

  Deno.test(`${task}: a request cut at every byte`, async () => {
    await using started = await startServer(task);
    for (let cut = 1; cut < REQUEST.length; cut++) {
      const parts = [REQUEST.slice(0, cut), REQUEST.slice(cut)];
      assertEquals(await ask(started.port, ...parts), response(task));
    }
    assertEquals(await ask(started.port, ...REQUEST), response(task));
  });

  Deno.test(`${task}: 100 pipelined requests, 100 connections`, async () => {
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

  Deno.test(`${task}: a head over 16 KiB gets 431, also without an end`, async () => {
    await using started = await startServer(task);
    const { port } = started;
    const refused = refusal("431 Request Header Fields Too Large");
    const [line = "", end = ""] = ["GET / HTTP/1.1\r\nX: ", "\r\n\r\n"];
    const fill = "x".repeat(16 * 1024 - line.length - end.length);
    assertEquals(await ask(port, line + fill + end), response(task));
    assertEquals(await ask(port, `${line}${fill}x${end}`), refused);
    const endless = line + "x".repeat(4 * 1024 * 1024);
    assertEquals(await ask(port, endless), refused);
  });

  Deno.test(`${task}: what is not HTTP gets 400`, async () => {
    await using started = await startServer(task);
    const { port } = started;
    for (
      const bytes of [
        "hello\r\n",
        "\r\n\r\n",
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

  Deno.test(`${task}: a request cannot command the terminal or forge output`, async () => {
    await using started = await startServer(task);
    const { server, port } = started;
    const request = "GET /grüß\u202e\x9b2J HTTP/1.1\r\n\r\n";
    assertEquals(await ask(port, request), response(task));
    await ask(port, "\x1b]0;title\x07\n------------------------\n\n");
    await assertPrints(server, "%1B");
    await assertPrints(server, /-{24,}\n$/);
    assertEquals(blocks(server), [
      "GET /grüß%E2%80%AE%C2%9B2J HTTP/1.1\r\n\r\n",
      "%1B]0;title%07%0A------------------------%0A%0A",
    ]);
  });

  Deno.test(`${task}: serves on when clients vanish`, async () => {
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

  Deno.test(`${task}: a client that stalls gets 408`, async () => {
    await using started = await startServer(task);
    const { port } = started;
    const begun = performance.now();
    using stalled = await TcpPeer.connect(port);
    await stalled.send("GET / HTTP/1.1\r\nHo");
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
        assert(performance.now() - begun > 4_500);
        ends.push("stalled");
      }),
    ]);
    // It delays the next one in the sequential server, and only there.
    const order = task === THREADED ? ["next", "stalled"] : ["stalled", "next"];
    assertEquals(ends, order);
  });
}

/** The requests that a raw server printed. */
function blocks(server: Program): string[] {
  const pattern = /^----- HTTP REQUEST.* -----\n([^]*?)\n-{24,}\n/gm;
  return [...server.stdout.matchAll(pattern)].map(([, text]) => text ?? "");
}

Deno.test("http:threaded: slow clients delay nobody", async () => {
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

Deno.test("http:serve: the same page, and connections stay open", async () => {
  await using started = await startServer(SERVE);
  const last = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
  const answers = await ask(started.port, REQUEST, REQUEST, last);
  assertEquals(answers.split("HTTP/1.1 200 OK\r\n").length, 4);
  assertEquals(answers.split(page("<h1>Hello!</h1>")).length, 4);
});

for (const task of Object.keys(FILES)) {
  const expected = PAGES[task] ?? page("<h1>Hello!</h1>");

  Deno.test(`${task}: fetch gets the page`, async () => {
    await using started = await startServer(task);
    const url = `http://127.0.0.1:${started.port}`;
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

  Deno.test(needs(["curl"], {
    name: `${task}: curl gets the page, no complaint`,
    async fn() {
      await using started = await startServer(task);
      const url = `http://127.0.0.1:${started.port}/`;
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

  Deno.test({
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

  Deno.test(`${task}: bad use is answered with a usage line`, async () => {
    const usage = /Usage: \w+\.ts \[--host 127\.0\.0\.1\] \[--port 8080\]\n$/;
    for (
      const args of [
        ["--port", "abc"],
        ["--port", "70000"],
        ["--port", ""],
        ["--port"],
        ["--bogus"],
        ["extra"],
      ]
    ) await assertFails(task, args, 2, usage);
    await using help = await start(task, ["--help"]);
    await assertExits(help, 0);
    assertStringIncludes(help.stdout, "Usage: ");
  });

  Deno.test(`${task}: a port in use, no permission`, async () => {
    await using started = await startServer(task);
    const advice = /^Cannot listen on 127\.0\.0\.1:\d+: .*another --port\.\n$/;
    await assertFails(task, ["--port", `${started.port}`], 1, advice);
    await assertFails(task, ["--host", "0.0.0.0"], 1, /--allow-net/);
    await using program = new Program(task, ["run", FILES[task] ?? ""]);
    await assertExits(program, 1);
    assertComplaint(program, /--allow-net/);
  });

  Deno.test(`${task}: runs alone in an empty folder`, async () => {
    await using server = await startAlone(FILES[task] ?? "", ["--port", "0"]);
    const [, port] = await assertPrints(server, /127\.0\.0\.1:(\d+)/);
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals(await answer.text(), expected);
  });
}
