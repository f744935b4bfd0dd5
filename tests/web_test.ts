import { createServer, type Socket } from "node:net";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  answerPrompt,
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  PATIENCE_MS,
  Program,
  ROOT,
  start,
  startAlone,
  startServer,
  TcpListener,
  TcpPeer,
  within,
} from "./assertions.ts";
import { find, needs } from "./needs.ts";
import { SideBySide } from "./side_by_side.ts";

const SCRIPT = "webclientserver/web_server.ts";
const LINK = "Enter the link (e.g., /index.html): ";
const AGAIN = "Do you want to run the program again? (y/n): ";
const noLinks = Deno.build.os === "windows";

const tests = new SideBySide();

/** A root beside a secret, and a server of it that no request can end. */
async function startSite(...flags: string[]) {
  const folder = await Deno.makeTempDir({ prefix: "site-" });
  const root = join(folder, "root");
  await Deno.mkdir(join(root, "sub"), { recursive: true });
  await Deno.mkdir(join(root, "empty"));
  await Deno.writeTextFile(join(folder, "secret.txt"), "SECRET");
  await Deno.writeTextFile(join(root, "index.html"), "<p>start</p>\n");
  await Deno.writeTextFile(join(root, "sub", "index.html"), "<p>sub</p>\n");
  await Deno.writeTextFile(join(root, "a b é.txt"), "grüß dich\n");
  await Deno.writeTextFile(join(root, ".hidden"), "SECRET");
  const server = new Program("web_server", [
    "run",
    ...flags,
    "--allow-net=127.0.0.1",
    `--allow-read=${root}`,
    SCRIPT,
    "--port",
    "0",
    "--root",
    root,
  ]);
  const [, port] = await server.prints(/port (\d+) /);
  return {
    server,
    root,
    folder,
    port: Number(port),
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Sends a request target as it is; returns all that comes back. */
async function ask(port: number, target: string): Promise<string> {
  using peer = await TcpPeer.connect(port);
  await peer.send(
    `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  );
  return await peer.rest();
}

async function assertGets(
  url: string,
  init: RequestInit,
  status: number,
  body: string,
  headers: Record<string, string | null> = {},
): Promise<Headers> {
  const response = await fetch(url, init);
  assertEquals([response.status, await response.text()], [status, body], url);
  for (const [name, value] of Object.entries(headers)) {
    assertEquals(response.headers.get(name), value, name);
  }
  return response.headers;
}

// First those that wait for a time limit.
tests.add("web_server: half a form is given up after 30 s", async () => {
  await using site = await startSite("--preload=tests/peers/fast_clock.ts");
  using half = await TcpPeer.connect(site.port);
  const begin = performance.now();
  await half.send(
    "POST /form.html HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
  );
  await half.assertReplies("HTTP/1.1 408 ");
  const took = performance.now() - begin; // its clock is ten times as fast
  assert(took > 2_900 && took < 10_000, `${took} ms`);
});

tests.add("web_client: half a response is given up after 10 s", async () => {
  using listener = new TcpListener();
  const args = ["--port", `${listener.port}`, "/x"];
  await using client = await start("web:client", args);
  await answerPrompt(client, AGAIN, "y");
  using peer = await listener.accept();
  await peer.assertReplies("GET /x ");
  const begin = performance.now();
  await peer.send("HTTP/1.1 200 OK\r\n");
  assertEquals(await client.exits(30_000), 1);
  const took = performance.now() - begin;
  assert(took > 9_000 && took < 20_000, `${took} ms`);
  assertComplaint(client, /it takes too long/);
});

tests.add(
  "web_server: who does not take his answer keeps it for 10 s at most",
  async () => {
    await using site = await startSite();
    await Deno.writeFile(join(site.root, "large"), new Uint8Array(40_000_000));
    const args = ["--root", site.root, "--exit-on-close", "--port", "0"];
    const flags = ["--allow-net=127.0.0.1", `--allow-read=${site.root}`];
    const command = ["run", ...flags, SCRIPT, ...args];
    await using server = new Program("web_server", command);
    const [, port] = await server.prints(/port (\d+) /);
    using slow = await TcpPeer.connect(Number(port));
    await slow.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    await slow.assertReplies("HTTP/1.1 200 OK");
    const begin = performance.now();
    assertMatch(await ask(Number(port), "/"), / 200 OK/);
    assertEquals(await server.exits(30_000), 0);
    const took = performance.now() - begin;
    assert(took > 9_000 && took < 20_000, `${took} ms`);
  },
);

tests.add(
  "web: the pair, two requests on one connection, then both end",
  async () => {
    await using started = await startServer("web:server");
    const { server, port } = started;
    await using client = await start("web:client", ["--port", `${port}`]);
    await answerPrompt(client, LINK, "test.txt");
    await answerPrompt(client, AGAIN, "y");
    await answerPrompt(client, LINK, "/nothing.html");
    await answerPrompt(client, AGAIN, "n");
    await assertExits(client, 0);
    await assertExits(server, 0);
    assertMatch(client.stdout, /HTTP\/1.1 200 OK\n[^]*\n\nThis is test.txt, /);
    assertMatch(
      client.stdout,
      /HTTP\/1.1 404 Not Found\n[^]*\n\nFile Not Found\n/,
    );
    assertMatch(
      server.stdout,
      /^Listening on port \d+ \.\.\.\nYou can also connect from a real web browser by typing 'http:\/\/127\.0\.0\.1:\d+\/index\.html'\.\nGET \/test\.txt 200\nGET \/nothing\.html 404\nClose request received\. Server is closing\.\.\.\n$/,
    );
  },
);

tests.add("web_server: names and types", async () => {
  await using site = await startSite();
  const { url } = site;
  const html = { "content-type": "text/html; charset=utf-8" };
  await assertGets(url("/"), {}, 200, "<p>start</p>\n", html);
  await assertGets(url("/index.html?a=b"), {}, 200, "<p>start</p>\n", html);
  await assertGets(url("/sub/"), {}, 200, "<p>sub</p>\n", html);
  for (
    const [path, location] of [
      ["/sub", "/sub/"],
      ["/sub?a=b&c=%20d?e", "/sub/?a=b&c=%20d?e"],
      ["/empty", "/empty/"],
      ["/%73ub", "/%73ub/"],
    ] as const
  ) {
    const redirect = { redirect: "manual" } as const;
    await assertGets(url(path), redirect, 301, "Moved Permanently", {
      location,
    });
  }
  await assertGets(url("/a%20b%20%C3%A9.txt"), {}, 200, "grüß dich\n", {
    "content-type": "text/plain; charset=utf-8",
    "content-length": "12",
  });
  for (
    const [name, type] of [
      ["P.PNG", "image/png"],
      ["a.c++", "application/octet-stream"],
      ["noending", "application/octet-stream"],
    ] as const
  ) {
    await Deno.writeTextFile(join(site.root, name), name);
    await assertGets(url(`/${name}`), {}, 200, name, { "content-type": type });
  }
  for (const none of ["/none", "/empty/", "/index.html/", "/sub//", "//sub/"]) {
    await assertGets(url(none), {}, 404, "File Not Found");
  }
  const allow = { allow: "GET, HEAD" };
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    await assertGets(url("/"), { method }, 405, "Method Not Allowed", allow);
  }
  const forms = { allow: "GET, HEAD, POST" };
  const put = { method: "PUT" };
  await assertGets(url("/form.html"), put, 405, "Method Not Allowed", forms);
  const { length } = "<p>start</p>\n";
  const head = {
    ...html,
    "content-length": `${length}`,
    "cache-control": "no-cache",
    "accept-ranges": "bytes",
  };
  await assertGets(url("/"), { method: "HEAD" }, 200, "", head);
  await assertGets(url("/"), {}, 200, "<p>start</p>\n", head);
});

tests.add("web_server: Range", async () => {
  await using site = await startSite();
  const text = "0123456789";
  const large = "0123456789".repeat(300_000);
  await Deno.writeTextFile(join(site.root, "small.txt"), text);
  await Deno.writeTextFile(join(site.root, "large.txt"), large);
  await Deno.writeTextFile(join(site.root, "empty.txt"), "");
  for (const [name, content] of [["small", text], ["large", large]] as const) {
    const url = site.url(`/${name}.txt`), size = content.length;
    const whole = [200, content, null] as const;
    const part = (start: number, end: number) =>
      [
        206,
        content.slice(start, end),
        `bytes ${start}-${end - 1}/${size}`,
      ] as const;
    const none = [416, "", `bytes */${size}`] as const;
    for (
      const [range, [status, body, contentRange]] of Object.entries({
        "bytes=0-3": part(0, 4),
        "bytes=4-": part(4, size),
        "bytes=-3": part(size - 3, size),
        "bytes=9-99999999999999999999": part(9, size),
        [`bytes=-${size * 2}`]: part(0, size),
        "Bytes=1-1": part(1, 2),
        [`bytes=${size}-`]: none,
        "bytes=-0": none,
        "bytes=5-2": whole,
        "bytes=-": whole,
        "bytes=a-b": whole,
        "bytes=0-1,3-4": whole,
        "lines=0-1": whole,
      })
    ) {
      const headers = { range };
      const expected = { "content-range": contentRange };
      await assertGets(url, { headers }, status, body, expected);
    }
    const head = { method: "HEAD", headers: { range: "bytes=0-3" } };
    await assertGets(url, head, 200, "", { "content-length": `${size}` });
  }
  const url = site.url("/small.txt"), range = "bytes=0-3";
  const old = new Date("2024-05-06T07:08:09.500Z");
  await Deno.utime(join(site.root, "small.txt"), old, old);
  const sent = await assertGets(url, {}, 200, text);
  for (
    const [version, status, body] of [
      [sent.get("etag"), 206, "0123"],
      [sent.get("last-modified"), 206, "0123"],
      ["Monday, 06-May-24 07:08:09 GMT", 206, "0123"],
      ["Mon, 06 May 2024 07:08:10 GMT", 200, text],
      ["Mon, 06 May 2024 07:08:08 GMT", 200, text],
      [`W/${sent.get("etag")}`, 200, text],
      ["*", 200, text],
      [sent.get("etag")?.replaceAll('"', ""), 200, text],
      ['"other"', 200, text],
      ["Sun, 06 Nov 1994 08:49:37 GMT", 200, text],
    ] as const
  ) {
    const headers = { range, "if-range": version ?? "" };
    await assertGets(url, { headers }, status, body);
  }
  await assertGets(site.url("/empty.txt"), { headers: { range } }, 416, "", {
    "content-range": "bytes */0",
  });
  // A date within its own second, or in the future, proves nothing.
  const later = new Date(Date.now() + 3_600_000);
  await Deno.utime(join(site.root, "small.txt"), later, later);
  for (const date of [later, new Date()]) {
    const headers = { range, "if-range": date.toUTCString() };
    const { headers: sent } = await fetch(url, { headers });
    const shown = Date.parse(sent.get("last-modified") ?? "");
    assert(shown <= Date.now(), "Last-Modified is in the future");
    await assertGets(url, { headers }, 200, text);
  }
  await assertGets(site.url("/empty.txt"), {}, 200, "", {
    "content-length": "0",
  });
});

tests.add(
  "web_server: conditions, in the order of RFC 9110, 13.2.2",
  async () => {
    await using site = await startSite();
    const file = join(site.root, "index.html"), url = site.url("/");
    await Deno.utime(file, new Date(), new Date("2024-05-06T07:08:09.500Z"));
    const body = "<p>start</p>\n";
    const sent = await assertGets(url, {}, 200, body, {
      "last-modified": "Mon, 06 May 2024 07:08:09 GMT",
    });
    const etag = sent.get("etag") ?? "";
    assertMatch(etag, /^"[^"]+"$/);
    const same = "Mon, 06 May 2024 07:08:09 GMT";
    const before = "Mon, 06 May 2024 07:08:08 GMT";
    const after = "Mon, 06 May 2024 07:08:10 GMT";
    const range = "bytes=0-1";
    const rows: [number, Record<string, string>][] = [
      [304, { "if-modified-since": same }],
      [304, { "if-modified-since": after }],
      [304, { "if-modified-since": "Monday, 06-May-24 07:08:09 GMT" }],
      [304, { "if-modified-since": "Mon May  6 07:08:09 2024" }],
      [200, { "if-modified-since": before }],
      [200, { "if-modified-since": "Mon May  6 07:08:08 2024" }],
      [304, { "if-none-match": etag }],
      [304, { "if-none-match": `W/${etag}` }],
      [304, { "if-none-match": `"x,y", W/${etag}` }],
      [304, { "if-none-match": "*" }],
      [200, { "if-none-match": '"x"' }],
      [200, { "if-none-match": etag.slice(1, -1) }],
      [200, { "if-none-match": `"x${etag.slice(1)}` }],
      [200, { "if-none-match": '"x"', "if-modified-since": after }],
      [304, { "if-none-match": etag, "if-modified-since": before }],
      [304, { "if-none-match": etag, range }],
      [200, { "if-match": etag }],
      [200, { "if-match": "*" }],
      [200, { "if-match": `"x", ${etag}` }],
      [412, { "if-match": '"x"' }],
      [412, { "if-match": `W/${etag}` }],
      [412, { "if-match": '"x"', range }],
      [412, { "if-match": '"x"', "if-none-match": etag }],
      [304, { "if-match": etag, "if-none-match": etag }],
      [200, { "if-match": etag, "if-unmodified-since": before }],
      [412, { "if-match": '"x"', "if-unmodified-since": after }],
      [206, { "if-match": etag, range }],
      [200, { "if-unmodified-since": same }],
      [200, { "if-unmodified-since": after }],
      [412, { "if-unmodified-since": before }],
      [412, { "if-unmodified-since": before, range }],
      [412, { "if-unmodified-since": before, "if-none-match": etag }],
      [304, { "if-unmodified-since": after, "if-none-match": etag }],
    ];
    for (
      const none of [
        "2030-01-01",
        "tomorrow",
        "0",
        "1999999999",
        "Fri, 31 Feb 2034 07:08:09 GMT",
        "Mon, 32 May 2034 07:08:09 GMT",
        "Mon, 06 May 2034 24:00:00 GMT",
        "Mon, 06 May 2034 07:60:09 GMT",
        "Mon, 06 Foo 2034 07:08:09 GMT",
        "Mon, 6 May 2034 07:08:09 GMT",
        "Mon, 06 May 2034 07:08:09",
        "Mon, 06 May 2034 07:08:09 +0200",
        `${after}, ${after}`,
      ]
    ) {
      rows.push([200, { "if-modified-since": none }]);
      const past = none.replace("2034", "2004");
      rows.push([200, { "if-unmodified-since": past }]);
    }
    for (const [status, headers] of rows) {
      for (const method of ["GET", "HEAD"]) {
        // A part is asked for with GET alone.
        const expected = method === "HEAD" && status === 206 ? 200 : status;
        const text = method === "HEAD"
          ? ""
          : ({ 200: body, 206: body.slice(0, 2) })[status] ?? "";
        const response = await fetch(url, { method, headers });
        const what = `${method} ${JSON.stringify(headers)}`;
        assertEquals(response.status, expected, what);
        assertEquals(await response.text(), text, what);
        assertEquals(response.headers.get("etag"), etag, what);
        assertEquals(response.headers.get("cache-control"), "no-cache", what);
      }
    }
    // Conditions do not matter for what is not there.
    const headers = { "if-match": "*" };
    await assertGets(site.url("/none"), { headers }, 404, "File Not Found");
  },
);

tests.add(
  "web_server: the path is the target's, whatever Host says",
  async () => {
    await using site = await startSite();
    const get = async (target: string, ...lines: string[]) => {
      using peer = await TcpPeer.connect(site.port);
      const head = [`GET ${target} HTTP/1.1`, ...lines, "Connection: close"];
      await peer.send(`${head.join("\r\n")}\r\n\r\n`);
      return await peer.rest();
    };
    for (
      const host of [
        "a",
        "a:80",
        "a:",
        "",
        "[::1]:8080",
        "127.0.0.1",
        "a_b.c-d",
        "%61",
        "localhost",
      ]
    ) {
      assertMatch(await get("/sub/", `Host: ${host}`), / 200 OK[^]*sub/, host);
      const absolute = await get("http://b:1/sub/?x#y", `Host: ${host}`);
      assertMatch(absolute, / 200 OK[^]*sub/, host);
    }
    const wrong = [
      ...[
        "x/sub/#",
        "x/sub/?",
        "x/../sub/",
        "x#",
        "x?",
        "/",
        "a b",
        "u@x",
        "a:b",
      ],
      ...["a\\b", "http://a", "[::1", "é", "a,b/c", "[x]", "a:80:80", '"a"'],
    ];
    for (const host of wrong) {
      assertMatch(await get("/", `Host: ${host}`), /^HTTP\/1.1 400 /, host);
    }
    assertMatch(await get("/"), /^HTTP\/1.1 400 /);
    await get("/\u009b2J\u0085é%0aGET", "Host: a");
    await assertPrints(site.server, "GET /%C2%9B2J%C2%85%C3%A9%0aGET 404\n");
    assertMatch(await get("/", "Host: a", "Host: a"), /^HTTP\/1.1 400 /);
    assertMatch(
      await get("http://b?/sub/", "Host: a"),
      / 200 OK[^]*start| 400 /,
    );
    using peer = await TcpPeer.connect(site.port);
    await peer.send("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
    await peer.connection.closeWrite();
    assertMatch(await peer.rest(), /^HTTP\/1.1 405 [^]*allow: GET, HEAD\r\n/i);
    assert(!site.server.stdout.includes("style.css"));
    // A file is not found in the URL that Deno makes of a Host, nor in the log.
    assert(!/^GET \/sub\/[#?].* 400/m.test(site.server.stdout));
  },
);

tests.add(
  "web_server: a file that grows is served as long as it was",
  async () => {
    await using site = await startSite();
    const file = join(site.root, "log.txt"), size = 3_000_000;
    await Deno.writeTextFile(file, "a".repeat(size));
    let done = false;
    const writing = (async () => {
      while (!done) {
        await Deno.writeTextFile(file, "a line\n", { append: true });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    try {
      for (const start of [0, 1_000_000]) {
        using peer = await TcpPeer.connect(site.port);
        const head =
          `GET /log.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=${start}-\r\n`;
        await peer.send(`${head}\r\n${head}Connection: close\r\n\r\n`);
        const answers = (await peer.rest()).split(/(?=HTTP\/1\.1 )/);
        assertEquals(answers.length, 2);
        for (const answer of answers) {
          const [, length] = /content-length: (\d+)/.exec(answer) ?? [];
          const [, body = ""] = answer.split("\r\n\r\n");
          assertEquals(body.length, Number(length));
          assert(body.length >= size - start);
        }
      }
    } finally {
      done = true;
      await writing;
    }
  },
);

/** What one read brings, which may be little. */
async function read(peer: TcpPeer): Promise<string> {
  const buffer = new Uint8Array(4096);
  const reading = peer.connection.read(buffer);
  const length = await within(PATIENCE_MS, reading, "an answer");
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
}

tests.add(needs(["sh"], {
  name: "web_server: no descriptors left: 503, and it goes on afterwards",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using site = await startSite();
    const command = `ulimit -n 48; exec "$0" "$@"`;
    const args = ["run", "--allow-net=127.0.0.1", `--allow-read=${site.root}`];
    await using server = new Program(
      "web_server",
      [
        ...["-c", command, Deno.execPath(), ...args, SCRIPT],
        ...["--port", "0", "--root", site.root],
      ],
      {},
      ROOT,
      "sh",
    );
    const [, text] = await assertPrints(server, /port (\d+) /);
    const port = Number(text);
    await Deno.writeFile(join(site.root, "large"), new Uint8Array(9_000_000));
    const peers: TcpPeer[] = [], statuses: string[] = [];
    try {
      // 16 clients ask for a large file and do not read it: each costs the
      // server two descriptors, for the connection and for the file.
      for (let count = 0; count < 16; count++) {
        const peer = await TcpPeer.connect(port);
        peers.push(peer);
        await peer.send("PUT / HTTP/1.1\r\nHost: a\r\n\r\n");
        for (let text = ""; !text.endsWith("Allowed");) {
          text += await read(peer);
        }
      }
      for (const peer of peers) {
        await peer.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        statuses.push((await read(peer)).slice(9, 12));
      }
      assertEquals(new Set(statuses), new Set(["200", "503"]));
      // Then so many connect that the server cannot even accept them.
      // A connection that is reset at once is refused, reset, or not connected.
      const refusals = /^Connection(Refused|Reset)$|^NotConnected$/;
      for (let count = 0; count < 60; count++) {
        const peer = await TcpPeer.connect(port).catch((error) => {
          if (!refusals.test(error.name)) throw error;
        });
        if (peer) peers.push(peer);
      }
    } finally {
      for (const peer of peers) peer[Symbol.dispose]();
    }
    let last: unknown;
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      try {
        last = (await fetch(`http://127.0.0.1:${port}/`)).status;
        if (last === 200) break;
      } catch (error) {
        last = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assertEquals(last, 200);
  },
}));

tests.add({
  name: "web_server: no file stays open",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using site = await startSite();
    await Deno.writeFile(join(site.root, "large"), new Uint8Array(3_000_000));
    const count = async () => {
      // Deno itself may not read /proc.
      const ls = new Deno.Command("ls", {
        args: [`/proc/${site.server.pid}/fd`],
      });
      return new TextDecoder().decode((await ls.output()).stdout)
        .split("\n").length;
    };
    const exchange = async () => {
      for (
        const [path, init] of [
          ["/", {}],
          ["/large", {}],
          ["/large", { headers: { range: "bytes=5-" } }],
          ["/", { headers: { range: "bytes=5-" } }],
          ["/", { headers: { range: "bytes=99-" } }],
          ["/", { headers: { "if-match": '"x"' } }],
          ["/", { headers: { "if-none-match": "*" } }],
          ["/", { method: "HEAD" }],
          ["/none", {}],
        ] as [string, RequestInit][]
      ) {
        await (await fetch(site.url(path), init)).bytes();
      }
      // Somebody leaves in the middle of a large file.
      using peer = await TcpPeer.connect(site.port);
      await peer.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
      await read(peer);
    };
    await exchange();
    const before = await count();
    for (let i = 0; i < 20; i++) await exchange();
    for (const end = Date.now() + PATIENCE_MS; await count() > before + 5;) {
      assert(Date.now() < end, `${before} open files, then ${await count()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  },
});

tests.add("web_server: a form is shown, line by line, escaped", async () => {
  await using site = await startSite();
  const url = site.url("/form.html?a=%3Cb%3E");
  const form = new FormData();
  form.set("name", "J\u00f6 <script>&amp;</script>");
  form.set("comment", "one\ntwo\u202e\x1b[2J");
  form.set("file", new File([Uint8Array.of(0x41, 0xff, 0, 0x0a)], "a.bin"));
  const response = await fetch(url, { method: "POST", body: form });
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("content-type"),
    "text/html; charset=utf-8",
  );
  const page = await response.text();
  assertMatch(
    page,
    /<html lang="en">[^]*<main>[^]*<pre[^>]*><code>POST \/form/,
  );
  assertMatch(page, /\ncontent-type: multipart\/form-data; boundary=/);
  assertMatch(
    page,
    /; name=.name.\n\nJ\u00f6 &#60;script&#62;&#38;amp;&#60;\/script&#62;\n/,
  );
  assertMatch(page, /; name=.comment.\n\none\ntwo\ufffd\ufffd\[2J\n/);
  assertMatch(page, /; filename=.a\.bin.[^]*\n\nA\ufffd\ufffd\n/);
  for (const raw of ["<script", "\u202e", "\x1b"]) assert(!page.includes(raw));

  // Up to 1 MiB, in one piece or in chunks; what is longer is read to its end.
  const limit = 1024 * 1024;
  for (
    const [size, status] of [
      [0, 200],
      [limit - 1, 200],
      [limit, 200],
      [limit + 1, 413],
      [5 * limit, 413],
    ] as const
  ) {
    const bytes = new Uint8Array(size).fill(0x61);
    for (const body of [bytes, ReadableStream.from([bytes])]) {
      const response = await fetch(url, { method: "POST", body });
      const text = await response.text();
      assertEquals(response.status, status, `${size} bytes`);
      if (status === 200) assert(text.includes("a".repeat(size)));
      else assertEquals(text, "Content Too Large");
    }
  }
  await assertGets(site.url("/"), {}, 200, "<p>start</p>\n");
});

tests.add("web_server: a changed file is served changed at once", async () => {
  await using site = await startSite();
  const file = join(site.root, "page.txt"), url = site.url("/page.txt");
  const old = new Date("2024-01-01");
  for (let version = 1000; version < 1060; version++) {
    // In place, and by another file in its place: of the same size and date.
    if (version % 2) await Deno.writeTextFile(file, `${version}`);
    else {
      await Deno.writeTextFile(`${file}.new`, `${version}`);
      await Deno.rename(`${file}.new`, file);
    }
    await Deno.utime(file, old, old);
    await assertGets(url, {}, 200, `${version}`);
    await assertGets(url, {}, 200, `${version}`);
  }
  await Deno.remove(file);
  await assertGets(url, {}, 404, "File Not Found");
});

tests.add(
  "web_server: each version of a file has an ETag of its own",
  async () => {
    await using site = await startSite();
    const file = join(site.root, "page.txt"), url = site.url("/page.txt");
    const [old, later] = [new Date("2024-01-01"), new Date("2024-01-02")];
    const tags: (string | null)[] = [];
    const look = async (text: string) =>
      tags.push((await assertGets(url, {}, 200, text)).get("etag"));
    await Deno.writeTextFile(file, "one");
    await Deno.utime(file, old, old);
    await look("one");
    await Deno.utime(file, later, later);
    await look("one");
    // Of the same size and date, another file takes its place.
    await Deno.writeTextFile(`${file}.new`, "two");
    await Deno.utime(`${file}.new`, later, later);
    await Deno.rename(`${file}.new`, file);
    await look("two");
    await Deno.writeTextFile(file, "three");
    await Deno.utime(file, later, later);
    await look("three");
    assertEquals(new Set(tags).size, 4, tags.join());
  },
);

tests.add(
  "web_server: a file replaced under load is whole each time",
  async () => {
    await using site = await startSite();
    const replace = async (name: string, length: number, letter: string) => {
      const file = join(site.root, `${name}.txt`);
      await Deno.writeTextFile(`${file}.new`, letter.repeat(length));
      // Windows does not replace a file while somebody reads it.
      for (let tries = 0;; tries++) {
        try {
          return await Deno.rename(`${file}.new`, file);
        } catch (error) {
          if (Deno.build.os !== "windows" || tries > 400) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    await Promise.all([
      replace("small", 5_000, "a"),
      replace("large", 3_000_000, "a"),
    ]);
    const seen = new Set<string>();
    let done = false;
    const load = ["small", "large"].flatMap((name) =>
      Array.from({ length: 8 }, async () => {
        while (!done) {
          const text = await (await fetch(site.url(`/${name}.txt`))).text();
          const [first = ""] = text;
          assertEquals(text, first.repeat(text.length));
          assert([5_000, 6_000, 3_000_000, 3_500_000].includes(text.length));
          seen.add(`${name} ${first}`);
        }
      })
    );
    for (let round = 0; round < 16; round++) {
      const letter = "abcd"[round % 4] ?? "";
      await replace("small", round % 2 ? 5_000 : 6_000, letter);
      await replace("large", round % 2 ? 3_000_000 : 3_500_000, letter);
    }
    done = true;
    await Promise.all(load);
    assert(seen.size > 2, [...seen].join());
  },
);

tests.add(
  "web_server: files of many sizes, byte for byte, to 8 at once",
  async () => {
    await using site = await startSite();
    const sizes = [
      1,
      2,
      4095,
      4096,
      65535,
      65536,
      65537,
      1 << 20,
      (1 << 20) + 1,
      3_999_999,
    ];
    const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    const files = await Promise.all(sizes.map(async (size) => {
      const bytes = new Uint8Array(size);
      for (let i = 0; i < size; i += 65536) {
        crypto.getRandomValues(bytes.subarray(i, i + 65536));
      }
      await Deno.writeFile(join(site.root, `${size}.bin`), bytes);
      return { url: site.url(`/${size}.bin`), hash: await digest(bytes) };
    }));
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (const { url, hash } of files) {
        const bytes = await (await fetch(url)).bytes();
        assertEquals(await digest(bytes), hash, url);
      }
    }));
  },
);

/** Several hundred ways to ask for what is not below the root, or hidden. */
function* hostilePaths(outside: string): Generator<string> {
  const dots = ["..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "..%00"]
    .concat([
      "%c0%ae%c0%ae",
      "%e0%80%ae%e0%80%ae",
      "%uff0e%uff0e",
      "..;",
      "....",
    ])
    .concat([
      "%f0%80%80%ae%f0%80%80%ae",
      "%c0%2e%c0%2e",
      "..%20",
      "..%0a",
      "0x2e0x2e",
    ]);
  const slashes = [
    "/",
    "%2f",
    "%2F",
    "%5c",
    "\\",
    "%255c",
    "%252f",
    "//",
    "/./",
  ]
    .concat(["%c0%af", "%e0%80%af", "%c1%9c", "/%00/", "%u2215"]);
  for (const dot of dots) {
    for (const slash of slashes) {
      for (const prefix of ["/", "/sub/"]) {
        for (const depth of [1, 2, 6]) {
          yield `${prefix}${`${dot}${slash}`.repeat(depth)}secret.txt`;
        }
      }
    }
  }
  const absolute = `${outside.replaceAll("\\", "/")}/secret.txt`;
  for (const file of [absolute, "/etc/passwd", "C:/Windows/win.ini"]) {
    yield* ["", "/", "//", "/%2f", "/\\", "/%5c", "/file://", "http://a"]
      .map((prefix) => `${prefix}${file}`);
  }
  yield* [
    "/.hidden",
    "/%2ehidden",
    "/sub/../.hidden",
    "/.",
    "/..",
    "/.git/HEAD",
  ];
  yield* ["/out.txt", "/out/secret.txt", "/out/", "/loop", "/sub/chain.txt"];
  yield* [
    "/index.html%00.txt",
    "/%00",
    "/index.html%00",
    "/secret.txt%00.html",
  ];
  yield* ["/index.html::$DATA", "/con", "/aux.txt", "/nul", "/lpt1", "/~root"];
  yield* [`/${"a".repeat(300)}`, `/${"a/".repeat(3000)}`, "/fifo", "/%", "/%a"];
  yield* ["/%zz", "/%ff", "/%ed%a0%80", "*", "..", "secret.txt", "?", "#"];
}

tests.add(
  "web_server: hundreds of hostile paths get nothing from outside",
  async () => {
    await using site = await startSite();
    const { root, folder, port } = site;
    if (!noLinks) {
      await Deno.symlink("../secret.txt", join(root, "out.txt"));
      await Deno.symlink(folder, join(root, "out"));
      await Deno.symlink("loop", join(root, "loop"));
      await Deno.symlink("../out.txt", join(root, "sub", "chain.txt"));
      await Deno.symlink("sub/index.html", join(root, "inside.html"));
      await Deno.symlink(".hidden", join(root, "shown.txt"));
      const fifo = new Deno.Command("mkfifo", { args: [join(root, "fifo")] });
      assert((await fifo.output()).success);
    }
    const paths = [...hostilePaths(folder), "/shown.txt"];
    assert(paths.length > 1000);
    let done = 0;
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (let path = paths[done++]; path !== undefined; path = paths[done++]) {
        const answer = await ask(port, path);
        assertMatch(answer, /^HTTP\/1.1 (400|404) /, path);
        assert(!/SECRET|root:/.test(answer), path);
      }
    }));
    // What is malformed is 400, what is only not to be had is 404.
    for (
      const [status, paths] of [
        [400, [
          "/%",
          "/%a",
          "/%zz",
          "/%ff",
          "/%00",
          "/a%5cb",
          "/a\\b",
          "/%c0%ae",
        ]],
        [404, [
          "/.hidden",
          "/%2ehidden",
          "/../secret.txt",
          "/sub/..%2f",
          "//a",
        ]],
      ] as const
    ) {
      for (const path of paths) {
        assertMatch(
          await ask(port, path),
          new RegExp(`^HTTP/1.1 ${status} `),
          path,
        );
      }
    }
    if (noLinks) return;
    assertMatch(await ask(port, "/inside.html"), /<p>sub<\/p>/);

    // Asked for, then moved out, with a link in its place.
    const page = join(root, "sub", "index.html");
    await Deno.utime(page, new Date(0), new Date(0));
    assertMatch(await ask(port, "/sub/"), / 200 OK/);
    await Deno.rename(join(root, "sub"), join(folder, "sub"));
    await Deno.symlink(join(folder, "sub"), join(root, "sub"));
    assertMatch(await ask(port, "/sub/index.html"), / 404 /);
  },
);

tests.add(
  "web_server: what is not HTTP, or too long, does not stop it",
  async () => {
    await using site = await startSite();
    for (
      const data of [
        "\r\n\r\n",
        "\x16\x03\x01\x02\x00",
        "GET\r\n\r\n",
        `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(2_000_000)}\r\n\r\n`,
      ]
    ) {
      using peer = await TcpPeer.connect(site.port);
      await peer.send(data).catch(() => {}); // it may be cut off at once
      await peer.connection.closeWrite().catch(() => {});
      assert(!(await peer.rest()).includes("200 OK"));
    }
    const slow = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const peer = await TcpPeer.connect(site.port);
        await peer.send("G");
        return peer;
      }),
    );
    await assertGets(site.url("/"), {}, 200, "<p>start</p>\n");
    for (const peer of slow) peer[Symbol.dispose]();
  },
);

tests.add(
  "web_server: only --exit-on-close lets a request end it",
  async () => {
    await using site = await startSite();
    for (let i = 0; i < 2; i++) {
      assertMatch(
        await ask(site.port, "/"),
        / 200 OK/,
      );
    }

    await using started = await startServer("web:server");
    using idle = await TcpPeer.connect(started.port);
    await idle.send("GET /test.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    await idle.assertReplies("HTTP/1.1 200 OK");
    using peer = await TcpPeer.connect(started.port);
    // As the Python client writes it.
    await peer.send(
      "GET /index.html HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: Close\r\n\r\n",
    );
    assertMatch(await peer.rest(), /^HTTP\/1.0 200 OK\r\n[^]*<\/html>\n$/);
    await assertExits(started.server, 0);
    assert(started.server.stdout.endsWith(
      "GET /index.html 200\nClose request received. Server is closing...\n",
    ));
  },
);

/** Starts a client that asks for /x once, and answers it with these bytes. */
async function answerWith(answer: string | Uint8Array): Promise<Program> {
  using listener = new TcpListener();
  const { port } = listener;
  const client = await start("web:client", ["--port", `${port}`, "/x"]);
  await client.type("n");
  await client.endInput();
  using peer = await listener.accept();
  await peer.assertReplies(
    `GET /x HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Close\r\n\r\n`,
  );
  const bytes = typeof answer === "string"
    ? new TextEncoder().encode(answer)
    : answer;
  if (bytes.length < 300) {
    for (const byte of bytes) await peer.send(Uint8Array.of(byte));
  } else await peer.send(bytes).catch(() => {});
  await peer.connection.closeWrite().catch(() => {});
  await client.ended;
  return client;
}

/** Answers, and what the client prints of them. */
const ANSWERS: [what: string, answer: string, output: string][] = [
  [
    "like Python's",
    "HTTP/1.0 200 OK\n\nhello\nthere",
    "HTTP/1.0 200 OK\n\nhello\nthere\n",
  ],
  [
    "with a length",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
    "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello\n",
  ],
  [
    "in chunks",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
    '5;a="b"\r\nhello\r\n3\r\n!\r\n\r\n0\r\nTrailer: x\r\n\r\n',
    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nhello!\n\n",
  ],
  [
    "after 103",
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 204 No Content\n\n\n",
  ],
  [
    "304 with a length",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    "HTTP/1.1 304 Not Modified\nContent-Length: 99\n\n\n",
  ],
  [
    "with control characters",
    "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n\x1b[2Jé\x9b\ta\r\nb",
    "HTTP/1.0 200 OK\nContent-Type: text/plain\n\n\ufffd[2Jé\ufffd\ta\nb\n",
  ],
  [
    "whose fields are folded",
    "HTTP/1.1 200 OK\r\nA: b\r\n  c\r\nContent-Length:\r\n\t 5\r\n\r\nhello!",
    "HTTP/1.1 200 OK\nA: b c\nContent-Length: 5\n\nhello\n",
  ],
  [
    "with U+2028 and U+202E in a field, and no reason",
    "HTTP/1.1 200\r\nX: a\u2028b\u202e\r\nContent-length:2\r\n\r\nab",
    "HTTP/1.1 200\nX: a\ufffdb\ufffd\nContent-length:2\n\nab\n",
  ],
  [
    "with U+2028 before the length",
    "HTTP/1.1 200 a\u2028b\r\ncontent-LENGTH: \t2 \t\r\n\r\nabc",
    "HTTP/1.1 200 a\ufffdb\ncontent-LENGTH: \ufffd\n\nab\n".replace(
      "\ufffd\n\nab",
      "\t2 \t\n\nab",
    ),
  ],
  [
    "with the same length twice",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1 , 1\r\n\r\nab",
    "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 1 , 1\n\na\n",
  ],
  [
    "in chunks, whose length does not count, with bare LF",
    "HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: Chunked\n\n" +
    "00A ;x\n0123456789\n0\nA: b\nC: d\n\nmore",
    "HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: Chunked\n\n0123456789\n",
  ],
  [
    "in a coding that ends with the connection",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, x\r\n\r\n1\r\na",
    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked, x\n\n1\na\n",
  ],
  [
    "after 100 and 103 with a length",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n" +
    "Content-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n\n",
  ],
];

tests.add("web_client: answers of all kinds, byte by byte", async () => {
  using listener = new TcpListener();
  const args = ["--port", `${listener.port}`, "/x"];
  await using client = await start("web:client", args);
  let shown = AGAIN;
  for (const [what, answer, output] of ANSWERS) {
    await answerPrompt(client, AGAIN, "y");
    using peer = await listener.accept();
    peer.connection.setNoDelay();
    await peer.assertReplies("GET /x HTTP/1.1\r\n");
    for (const byte of new TextEncoder().encode(answer)) {
      await peer.send(Uint8Array.of(byte));
    }
    await peer.connection.closeWrite();
    shown += output + AGAIN;
    const done = () => client.asking && client.stdout.length >= shown.length;
    await client.until(done, `show an answer ${what}`, PATIENCE_MS);
    assertEquals(client.stdout, shown, what);
  }
  await client.endInput();
  await client.ended;
});

for (
  const [what, answer, complaint] of [
    [
      "a body that ends early",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
      /ended early/,
    ],
    [
      "a chunk that ends early",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
      /ended early/,
    ],
    [
      "chunks without an end",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      /left too early/,
    ],
    [
      "a chunk without a size",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
      /size/,
    ],
    [
      "two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      /Length/,
    ],
    [
      "a length that is none",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
      /Length/,
    ],
    ...[
      ["an empty length", "Content-Length:\r\n"],
      ["a length with a sign", "Content-Length: +2\r\n"],
      ["a length with a unit", "Content-Length: 2 bytes\r\n"],
      ["a length in hexadecimal", "Content-Length: 0x2\r\n"],
      ["an endless length", `Content-Length: ${"9".repeat(400)}\r\n`],
      ["a list of lengths", "Content-Length: 2, 3\r\n"],
    ].map(([what = "", line]) =>
      [what, `HTTP/1.1 200 OK\r\n${line}\r\nab`, /Length/] as const
    ),
    ...[
      ["a blank before the colon", "Content-Length : 2\r\n"],
      ["a field without a name", ": 2\r\n"],
      ["a field without a colon", "Content-Length\r\n"],
      ["a blank in a name", "Content Length: 2\r\n"],
    ].map(([what = "", line]) =>
      [what, `HTTP/1.1 200 OK\r\n${line}\r\nab`, /name/] as const
    ),
    [
      "a CR in a field",
      "HTTP/1.1 200 OK\r\nA: b\rContent-Length: 1\r\n\r\nab",
      /CR/,
    ],
    ["a NUL in a field", "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\nab", /NUL/],
    [
      "a chunk longer than its size",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
      /longer than its size/,
    ],
    [
      "a chunk with a negative size",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
      /size/,
    ],
    [
      "a huge chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff\r\na",
      /size/,
    ],
    ...[
      "HTTP/1.1 200X OK",
      "HTTP/1.1 20 OK",
      "HTTP/1.1  200 OK",
      "HTTP/2 200 OK",
      "HTTP/1.1 099 OK",
      "http/1.1 200 OK",
      " HTTP/1.1 200 OK",
      "200 OK",
    ].map((line) =>
      [`the status line "${line}"`, `${line}\r\n\r\nab`, /HTTP/] as const
    ),
    ["nothing", "", /without a word/],
    ["half a head", "HTTP/1.1 200 OK\r\nA: b", /too early/],
    ["what is not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", /HTTP/],
    [
      "an endless head",
      `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(99_999)}`,
      /64 KiB/,
    ],
    ["an endless line", "a".repeat(999_999), /64 KiB/],
  ] as const
) {
  tests.add(`web_client: ${what} is reported`, async () => {
    await using client = await answerWith(answer);
    await assertExits(client, 1);
    assertComplaint(client, complaint);
    if (/early$/.test(what)) assertMatch(client.stdout, /\n\nhello\n$/);
  });
}

tests.add("web_client: a long body is printed whole", async () => {
  const body = "0123456789\r\n".repeat(300_000);
  await using client = await answerWith(`HTTP/1.1 200 OK\r\n\r\n${body}`);
  await assertExits(client, 0);
  const lines = body.replaceAll("\r", "");
  assertEquals(client.stdout.length, AGAIN.length + 17 + lines.length + 1);
  assert(client.stdout.endsWith(`OK\n\n${lines}\n`));
});

const sized = (text: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

/** Types a link, and whether to go on. */
async function choose(client: Program, link: string, again: string) {
  await answerPrompt(client, LINK, link);
  await answerPrompt(client, AGAIN, again);
}

tests.add(
  "web_client: reconnects when the kept connection was closed",
  async () => {
    using listener = new TcpListener();
    const { port } = listener;
    await using client = await start("web:client", ["--port", `${port}`]);
    const request = (path: string, wish: string) =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      `Connection: ${wish}\r\n\r\n`;
    await choose(client, " a b?é#part ", " Yes");
    {
      using peer = await listener.accept();
      await peer.assertReplies(request("/a%20b?%C3%A9", "Keep-Alive"));
      await peer.send(sized("one"));
      await choose(client, `http://127.0.0.1:${port}/two`, "y");
      await peer.assertReplies(request("/two", "Keep-Alive"));
      await peer.send(sized("two"));
      await assertPrints(client, "two\n");
    }
    await choose(client, "three", "Y");
    {
      // Closes when the question has come, without an answer.
      using peer = await listener.accept();
      await peer.assertReplies(request("/three", "Keep-Alive"));
      await peer.send(sized("three"));
      await choose(client, "/four", "no");
      await peer.assertReplies(request("/four", "Close"));
    }
    using peer = await listener.accept();
    await peer.assertReplies(request("/four", "Close"));
    await peer.send(sized("four"));
    await assertExits(client, 0);
    assert(client.stdout.endsWith("\n\nfour\n"));
  },
);

tests.add(
  "web_client: reconnects when the kept connection was reset",
  async () => {
    const sockets: Socket[] = [];
    await using server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.once("data", () => socket.write(sized(`${sockets.length}`)));
    });
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", resolve)
    );
    const address = server.address();
    assert(address !== null && typeof address === "object");
    const args = ["--port", `${address.port}`];
    await using client = await start("web:client", args);
    await choose(client, "/one", "y");
    await answerPrompt(client, LINK, "/two"); // it has got its first answer
    sockets[0]?.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 300)); // for the reset
    await answerPrompt(client, AGAIN, "n");
    await assertExits(client, 0);
    assert(client.stdout.endsWith("\n\n2\n"), client.stdout);
  },
);

tests.add("web_client: does not ask again after half an answer", async () => {
  using listener = new TcpListener();
  await using client = await start("web:client", [
    "--port",
    `${listener.port}`,
  ]);
  const request = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\n` +
    "Connection: Keep-Alive\r\n\r\n";
  await choose(client, "/one", "y");
  {
    using peer = await listener.accept();
    await peer.assertReplies(request("/one"));
    await peer.send(sized("one"));
    await choose(client, "/two", "y");
    await peer.assertReplies(request("/two"));
    await peer.send("HTTP/1.1 200 O");
    await peer.connection.closeWrite();
    await assertExits(client, 1);
  }
  assertComplaint(client, /left too early/);
});

for (
  const [what, unasked, kept] of [
    ["a response", sized("unasked"), false],
    ["a 408 and the end", "HTTP/1.1 408 Request Timeout\r\n\r\n", false],
    ["a byte", "x", false],
    ["an empty line", "\r\n", false],
    ["nothing", "", true],
  ] as const
) {
  for (const when of ["with the answer", "later"]) {
    tests.add(
      `web_client: ${what} that nobody asked for, ${when}, is no answer`,
      async () => {
        using listener = new TcpListener();
        const args = ["--port", `${listener.port}`];
        await using client = await start("web:client", args);
        await choose(client, "/one", "y");
        using first = await listener.accept();
        await first.assertReplies("GET /one ");
        await first.send(sized("one") + (when === "later" ? "" : unasked));
        await answerPrompt(client, LINK, "/two");
        if (when === "later" && unasked !== "") {
          await first.send(unasked);
          if (what.includes("end")) await first.connection.closeWrite();
        }
        // The client reads on: what we sent is there before the question.
        await new Promise((resolve) => setTimeout(resolve, 300));
        await answerPrompt(client, AGAIN, "n");
        using second = kept ? undefined : await listener.accept();
        if (second) {
          await second.assertReplies("GET /two ");
          assertMatch(await first.rest(), /: Keep-Alive\r\n\r\n$/); // and the end
        } else {
          const rest =
            `HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\nConnection: `;
          await first.assertReplies(`${rest}Keep-Alive\r\n\r\nGET /two `);
        }
        await (second ?? first).send(sized("two"));
        await assertExits(client, 0);
        assert(!/unasked|408/.test(client.stdout), client.stdout);
        assert(client.stdout.endsWith("\n\ntwo\n"));
      },
    );
  }
}

for (
  const [what, head, kept] of [
    ["HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", true],
    [
      "1.1, close",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n",
      false,
    ],
    [
      "1.1, x-close",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x-close\r\n",
      true,
    ],
    ["1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n", false],
    [
      "1.0, Keep-Alive",
      "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n",
      true,
    ],
    ["204", "HTTP/1.1 204 No Content\r\n", true],
    ["304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n", true],
  ] as const
) {
  tests.add(
    `web_client: ${what} ${kept ? "keeps" : "ends"} the connection`,
    async () => {
      using listener = new TcpListener();
      const args = ["--port", `${listener.port}`];
      await using client = await start("web:client", args);
      await choose(client, "/one", "y");
      using first = await listener.accept();
      await first.assertReplies("GET /one ");
      await first.send(`${head}\r\n`);
      await choose(client, "/two", "n");
      if (!kept) {
        using second = await listener.accept();
        await second.assertReplies("GET /two ");
        await second.send(sized("two"));
      } else {
        const rest =
          `HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\nConnection: `;
        await first.assertReplies(
          `${rest}Keep-Alive\r\n\r\nGET /two ${rest}Close`,
        );
        await first.send(sized("two"));
      }
      await assertExits(client, 0);
      assert(client.stdout.endsWith("\n\ntwo\n"), client.stdout);
    },
  );
}

tests.add("web_client: links, as arguments", async () => {
  const links = {
    ...{ "007": "/007", "test.txt": "/test.txt", "0x10": "/0x10", "": "/" },
    ...{ "/a?b#c": "/a?b", "//a": "//a", "/%41": "/%41" },
    "/😀": "/%F0%9F%98%80",
  };
  for (const [link, path] of Object.entries(links)) {
    using listener = new TcpListener();
    const args = ["--port", `${listener.port}`, link];
    await using client = await start("web:client", args);
    await client.endInput();
    using peer = await listener.accept();
    await peer.assertReplies(`GET ${path} HTTP/1.1\r\n`);
    await peer.send(sized("ok"));
    await assertExits(client, 0);
  }
  for (const args of [["--_=5"], ["-5"], ["/a", "/b"], ["--host", "0.0.0.0"]]) {
    await assertFails("web:client", args, 2, /Usage: /);
  }
});

tests.add("web_client: an image is not printed", async () => {
  const image = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x1a, 0xff);
  const head = new TextEncoder().encode(
    "HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n",
  );
  await using client = await answerWith(new Uint8Array([...head, ...image]));
  await assertExits(client, 0);
  assertMatch(client.stdout, /\(6 bytes that are not text\)\n$/);
});

tests.add(
  "web_server: a root without permission, and one that is missing",
  async () => {
    await assertFails("web:server", ["--root", "tests"], 1, /--allow-read/);
    await using alone = await startAlone(SCRIPT, ["--port", "0"]);
    const [, port] = await assertPrints(alone, /port (\d+) /);
    await assertGets(`http://127.0.0.1:${port}/`, {}, 404, "File Not Found");
    assertMatch(alone.stderr, /^There is no folder public .*\n$/);
  },
);

tests.add(needs(["python3"], {
  name: "web: each with one that talks as the original does",
  async fn() {
    const python = (...args: string[]) =>
      new Program(
        "python",
        ["tests/peers/web.py", ...args],
        {},
        ROOT,
        find("python3"),
      );
    await using server = python("server", "0");
    const [, port = ""] = await assertPrints(server, /port (\d+) /);
    await using client = await start("web:client", ["--port", port]);
    await choose(client, "/test.txt", "y");
    await choose(client, "/nothing.html", "y");
    await assertPrints(client, /200 OK\n[^]*This is test.txt, /);
    await assertPrints(client, "\n\nFile Not Found\n");
    await choose(client, "/test.txt", "n"); // ends it, without an answer
    await assertExits(client, 1);
    assertComplaint(client, /without a word/);
    await assertExits(server, 0);

    await using started = await startServer("web:server");
    const ask = async (link: string, wish: string) => {
      await using other = python("client", `${started.port}`, link, wish);
      await assertExits(other, 0);
      return other.stdout;
    };
    assertMatch(await ask("/test.txt", "Keep-Alive"), /200 OK[^]*plain text/);
    assertMatch(await ask("test.txt", "Keep-Alive"), / 400 /);
    assertMatch(await ask("/nothing.html", "Close"), / 404 Not Found/);
    await assertExits(started.server, 0);
  },
}));

tests.add(needs(["chromium"], {
  name: "public: in Chromium, 1280 and 360 wide",
  async fn() {
    await using site = await startServer("web:server");
    const origin = `http://127.0.0.1:${site.port}/`;
    const visit = ["tests/web_browser.ts", origin, "1280x800", "360x740"];
    const command = ["run", "--allow-all", ...visit];
    await using browser = new Program("browser", command);
    assertEquals(await browser.exits(120_000), 0, browser.stderr);
    const seen = ["opened", "followed the links, and back", "reloaded"];
    const lines = [...seen, "sent the form", "done", ""].join("\n");
    assertEquals(browser.stdout, lines.repeat(2).replaceAll("\n\n", "\n"));
    await assertPrints(site.server, "GET / 304\n");
  },
}));

tests.run("web");
