import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  answerPrompt,
  assertComplaint,
  assertExits,
  assertFails,
  assertPrints,
  Program,
  start,
  startAlone,
  startServer,
  TcpListener,
  TcpPeer,
  unusedPort,
} from "./assertions.ts";
import { find, needs } from "./needs.ts";

const SCRIPT = "webclientserver/web_server.ts";
const LINK = "Enter the link (e.g., /index.html): ";
const AGAIN = "Do you want to run the program again? (y/n): ";
const noLinks = Deno.build.os === "windows";

/** A root beside a secret, and a server of it that no request can end. */
async function startSite() {
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

Deno.test("web: the pair, two requests on one connection, then both end", async () => {
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
});

Deno.test("web_server: names and types", async () => {
  await using site = await startSite();
  const { url } = site;
  const html = { "content-type": "text/html; charset=utf-8" };
  await assertGets(url("/"), {}, 200, "<p>start</p>\n", html);
  await assertGets(url("/index.html?a=b"), {}, 200, "<p>start</p>\n", html);
  await assertGets(url("/sub/"), {}, 200, "<p>sub</p>\n", html);
  await assertGets(url("/sub"), {}, 200, "<p>sub</p>\n", html);
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
  for (const none of ["/none", "/empty/", "/empty", "/index.html/"]) {
    await assertGets(url(none), {}, 404, "File Not Found");
  }
  const allow = { allow: "GET, HEAD" };
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    await assertGets(url("/"), { method }, 405, "Method Not Allowed", allow);
  }
  const { length } = "<p>start</p>\n";
  const head = { ...html, "content-length": `${length}` };
  await assertGets(url("/"), { method: "HEAD" }, 200, "", head);
});

Deno.test("web_server: one response in 101 has padding, and is right", async () => {
  await using site = await startSite();
  const padded: number[] = [];
  for (let count = 1; count <= 210; count++) {
    const response = await fetch(site.url("/"));
    assertEquals(await response.text(), "<p>start</p>\n");
    const padding = response.headers.get("x-padding");
    if (padding?.length === 2048) padded.push(count);
    else assertEquals(padding, null);
  }
  assertEquals(padded, [101, 202]);
});

Deno.test("web_server: Range", async () => {
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
  const sent = await assertGets(url, {}, 200, text);
  for (
    const [version, status, body] of [
      [sent.get("etag"), 206, "0123"],
      [sent.get("last-modified"), 206, "0123"],
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
  await assertGets(site.url("/empty.txt"), {}, 200, "", {
    "content-length": "0",
  });
});

Deno.test("web_server: 304 when the browser has it", async () => {
  await using site = await startSite();
  const file = join(site.root, "index.html"), url = site.url("/");
  await Deno.utime(file, new Date(), new Date("2024-05-06T07:08:09.500Z"));
  const body = "<p>start</p>\n";
  const sent = await assertGets(url, {}, 200, body, {
    "last-modified": "Mon, 06 May 2024 07:08:09 GMT",
  });
  const etag = sent.get("etag") ?? "";
  for (
    const [status, conditions] of [
      [304, { "if-modified-since": "Mon, 06 May 2024 07:08:09 GMT" }],
      [304, { "if-modified-since": "Monday, 06-May-24 07:08:09 GMT" }],
      [304, { "if-modified-since": "Mon May  6 07:08:09 2024" }],
      [304, { "if-modified-since": "Tue, 07 May 2024 07:08:09 GMT" }],
      [200, { "if-modified-since": "Mon, 06 May 2024 07:08:08 GMT" }],
      [200, { "if-modified-since": "2030-01-01" }],
      [200, { "if-modified-since": "tomorrow" }],
      [304, { "if-none-match": etag }],
      [304, { "if-none-match": `"x", W/${etag}` }],
      [304, { "if-none-match": "*" }],
      [200, {
        "if-none-match": '"x"',
        "if-modified-since": "Mon, 06 May 2024 07:08:09 GMT",
      }],
      [304, { "if-none-match": etag, range: "bytes=0-1" }],
    ] as [number, Record<string, string>][]
  ) {
    const expected = status === 200 ? body : "";
    await assertGets(url, { headers: conditions }, status, expected, { etag });
  }
});

Deno.test("web_server: a changed file is served changed at once", async () => {
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

Deno.test("web_server: a file replaced under load is whole each time", async () => {
  await using site = await startSite();
  const replace = async (name: string, length: number, letter: string) => {
    const file = join(site.root, `${name}.txt`);
    await Deno.writeTextFile(`${file}.new`, letter.repeat(length));
    await Deno.rename(`${file}.new`, file);
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
  for (let round = 0; round < 40; round++) {
    const letter = "abcd"[round % 4] ?? "";
    await replace("small", round % 2 ? 5_000 : 6_000, letter);
    await replace("large", round % 2 ? 3_000_000 : 3_500_000, letter);
  }
  done = true;
  await Promise.all(load);
  assert(seen.size > 2, [...seen].join());
});

Deno.test("web_server: files of many sizes, byte for byte, to 20 at once", async () => {
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
    9_999_999,
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
  await Promise.all(Array.from({ length: 20 }, async () => {
    for (const { url, hash } of files) {
      const bytes = await (await fetch(url)).bytes();
      assertEquals(await digest(bytes), hash, url);
    }
  }));
});

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

Deno.test(needs(["mkfifo"], {
  name: "web_server: hundreds of hostile paths get nothing from outside",
  ignore: noLinks,
  async fn() {
    await using site = await startSite();
    const { root, folder, port } = site;
    await Deno.symlink("../secret.txt", join(root, "out.txt"));
    await Deno.symlink(folder, join(root, "out"));
    await Deno.symlink("loop", join(root, "loop"));
    await Deno.symlink("../out.txt", join(root, "sub", "chain.txt"));
    await Deno.symlink("sub/index.html", join(root, "inside.html"));
    const fifo = new Deno.Command(find("mkfifo") ?? "", {
      args: [join(root, "fifo")],
    });
    assert((await fifo.output()).success);
    const paths = [...hostilePaths(folder)];
    assert(paths.length > 1000);
    let done = 0;
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (let path = paths[done++]; path !== undefined; path = paths[done++]) {
        const answer = await ask(port, path);
        assertMatch(answer, /^HTTP\/1.1 (400|404) /, path);
        assert(!/SECRET|root:/.test(answer), path);
      }
    }));
    assertMatch(await ask(port, "/inside.html"), /<p>sub<\/p>/);

    // Cached, then moved out, with a link in its place.
    const page = join(root, "sub", "index.html");
    await Deno.utime(page, new Date(0), new Date(0));
    assertMatch(await ask(port, "/sub/"), / 200 OK/);
    await Deno.rename(join(root, "sub"), join(folder, "sub"));
    await Deno.symlink(join(folder, "sub"), join(root, "sub"));
    assertMatch(await ask(port, "/sub/index.html"), / 404 /);
  },
}));

Deno.test("web_server: what is not HTTP, or too long, does not stop it", async () => {
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
});

Deno.test("web_server: only --exit-on-close lets a request end it", async () => {
  await using site = await startSite();
  for (let i = 0; i < 2; i++) assertMatch(await ask(site.port, "/"), / 200 OK/);

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
});

Deno.test("web_server: its log cannot be forged", async () => {
  await using site = await startSite();
  await ask(site.port, "/\u009b2J\u0085é%0aGET");
  await assertPrints(site.server, "GET /%C2%9B2J%C2%85%C3%A9%0aGET 404\n");
});

/** Answers one request after the other with these bytes, then leaves. */
async function answerWith(
  answers: (string | Uint8Array)[],
  args: string[],
  typed: string,
): Promise<{ client: Program; requests: string[] }> {
  using listener = new TcpListener();
  const client = await start("web:client", [
    "--port",
    `${listener.port}`,
    ...args,
  ]);
  for (const line of typed.split("|")) await client.type(line);
  await client.endInput();
  const requests: string[] = [];
  for (const answer of answers) {
    using peer = await listener.accept();
    const head = `GET /x HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\n`;
    await peer.assertReplies(head);
    requests.push(head);
    const bytes = typeof answer === "string"
      ? new TextEncoder().encode(answer)
      : answer;
    if (bytes.length < 300) {
      for (const byte of bytes) await peer.send(Uint8Array.of(byte));
    } else await peer.send(bytes).catch(() => {});
    await peer.connection.closeWrite().catch(() => {});
    await client.ended;
  }
  return { client, requests };
}

for (
  const [what, answer, output] of [
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
      "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nhello!\r\n\n",
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
      "HTTP/1.0 200 OK\nContent-Type: text/plain\n\n\\x1b[2Jé\\x9b\ta\r\nb\n",
    ],
  ] as const
) {
  Deno.test(`web_client: an answer ${what}, byte by byte`, async () => {
    const { client } = await answerWith([answer], ["/x"], "n");
    await using _ = client;
    await assertExits(client, 0);
    assertEquals(client.stdout, AGAIN + output);
  });
}

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
    ["nothing", "", /without a word/],
    ["half a head", "HTTP/1.1 200 OK\r\nA: b", /too early/],
    ["what is not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", /HTTP/],
    [
      "an endless head",
      `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(99_999)}`,
      /64 KiB/,
    ],
    ["an endless line", "a".repeat(999_999), /64 KiB/],
    [
      "a huge body",
      `HTTP/1.1 200 OK\r\n\r\n${"a".repeat(11_000_000)}`,
      /10 MiB/,
    ],
  ] as const
) {
  Deno.test(`web_client: ${what} is reported`, async () => {
    const { client } = await answerWith([answer], ["/x"], "n");
    await using _ = client;
    await assertExits(client, 1);
    assertComplaint(client, complaint);
    if (/early$/.test(what)) assertMatch(client.stdout, /\n\nhello\n$/);
  });
}

Deno.test("web_client: reconnects when the kept connection was closed", async () => {
  using listener = new TcpListener();
  await using client = await start("web:client", [
    "--port",
    `${listener.port}`,
  ]);
  const request = (path: string, wish: string) =>
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\n` +
    `Connection: ${wish}\r\n\r\n`;
  const answer = (text: string) =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  await answerPrompt(client, LINK, " a b?é#part ");
  await answerPrompt(client, AGAIN, " Yes");
  {
    using peer = await listener.accept();
    await peer.assertReplies(request("/a%20b?%C3%A9", "keep-alive"));
    await peer.send(answer("one"));
    await answerPrompt(client, LINK, `http://127.0.0.1:${listener.port}/two`);
    await answerPrompt(client, AGAIN, "y");
    await peer.assertReplies(request("/two", "keep-alive"));
    await peer.send(answer("two"));
    await assertPrints(client, "two\n");
  }
  await answerPrompt(client, LINK, "/three");
  await answerPrompt(client, AGAIN, "no");
  using peer = await listener.accept();
  await peer.assertReplies(request("/three", "close"));
  await peer.send(answer("three"));
  await assertExits(client, 0);
  assert(client.stdout.endsWith("\n\nthree\n"));
});

Deno.test("web_client: an image is not printed", async () => {
  const image = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x1a, 0xff);
  const head = new TextEncoder().encode(
    "HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n",
  );
  const { client } = await answerWith(
    [new Uint8Array([...head, ...image])],
    ["/x"],
    "n",
  );
  await using _ = client;
  await assertExits(client, 0);
  assertMatch(client.stdout, /\(6 bytes that are not text\)\n$/);
});

Deno.test("web: wrong use, no permission, no folder, nobody there", async () => {
  for (const task of ["web:server", "web:client"]) {
    for (const args of [["--port", "abc"], ["--port", ""], ["--bogus"]]) {
      await assertFails(task, args, 2, /Usage: \w+\.ts .*\n$/);
    }
    await using help = await start(task, ["--help"]);
    await assertExits(help, 0);
    assertMatch(help.stdout, /^Usage: .*\n$/);
  }
  await assertFails("web:client", ["/a", "/b"], 2, /Usage: /);
  await assertFails("web:server", ["/a"], 2, /Usage: /);
  await assertFails("web:server", ["--root", "tests"], 1, /--allow-read/);
  await using server = await startServer("web:server");
  const port = `${server.port}`;
  await assertFails("web:server", ["--port", port], 1, /another --port\.\n$/);
  await using client = await start("web:client", ["--port", `${unusedPort()}`]);
  await client.endInput();
  await assertExits(client, 0); // nothing was asked for
  await using alone = await start("web:client", [
    "--port",
    `${unusedPort()}`,
    "/",
  ]);
  await alone.endInput();
  await assertExits(alone, 1);
  assertComplaint(alone, /refused.* Is the server running\?\n$/);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `web_server: ${signal} ends it in good order`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using site = await startSite();
      using _idle = await TcpPeer.connect(site.port);
      await assertGets(site.url("/"), {}, 200, "<p>start</p>\n");
      site.server.kill(signal);
      await assertExits(site.server, 0);
      assert(site.server.stdout.endsWith("GET / 200\n"));
    },
  });
}

Deno.test("web: each script runs alone in an empty folder", async () => {
  await using server = await startAlone(SCRIPT, ["--port", "0"]);
  const [, port] = await assertPrints(server, /port (\d+) /);
  await using client = await startAlone("webclientserver/web_client.ts", [
    "--port",
    `${port}`,
    "/",
  ]);
  await client.endInput();
  await assertExits(client, 0);
  assertMatch(client.stdout, /File Not Found\n$/);
  assertMatch(server.stderr, /^There is no folder public .*\n$/);
});

for (const [width, height] of [[1280, 800], [360, 740]]) {
  Deno.test(needs(["chromium"], {
    name: `public: in Chromium, ${width} wide`,
    async fn() {
      await using site = await startServer("web:server");
      const origin = `http://127.0.0.1:${site.port}/`;
      const visit = "tests/web_browser.ts";
      await using browser = new Program("browser", [
        "run",
        "--allow-all",
        visit,
        origin,
        `${width}`,
        `${height}`,
      ]);
      await browser.prints("followed the links", { ms: 60_000 });
      await assertPrints(browser, "reloaded\n");
      await assertPrints(site.server, "GET / 304\n");
      assertEquals(await browser.exits(60_000), 0, browser.stderr);
    },
  }));
}
