import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { maskNats, NatsLines } from "../launch/wire/nats_lines.ts";
import { PcapngWriter } from "../launch/wire/pcapng.ts";
import { play } from "../launch/wire/play.ts";
import type { WireEvent } from "../launch/wire/relay.ts";
import {
  BadRun,
  eventLine,
  headerLine,
  readRun,
  type RunHeader,
  type SavedEvent,
  SavedRunWriter,
} from "../launch/wire/saved_run.ts";
import { TcpListener, UdpPeer } from "./assertions.ts";
import { find, needs } from "./needs.ts";

const HEADER: RunHeader = {
  start: Date.UTC(2026, 10, 25),
  task: "deno task http",
  net: "down.loss=#1",
  seed: 7,
  programs: { server: "http/http_server.ts" },
  links: [
    {
      ...{ name: "server", client: "client", transport: "tcp" },
      ...{ listen: "127.0.0.1:8080", target: "127.0.0.1:40000" },
    },
    {
      ...{ name: "udp", client: "client", transport: "udp" },
      ...{ listen: "127.0.0.1:12345", target: "127.0.0.1:40001" },
    },
  ],
  versions: { deno: "2.9.6" },
};

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** An event; what is not said is what is usual. */
function event(number: number, more: Partial<SavedEvent>): SavedEvent {
  return {
    ...{ number, kind: "message", link: "server", connection: 1 },
    ...{ from: "client", bytes: new Uint8Array(), sent: number * 1000 },
    ...{ delivered: number * 1000 + 10, fate: "delivered", marks: [] },
    ...{ causes: [], of: null, text: "" },
    ...more,
  };
}

const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHi";

/** A run with something of everything. */
const EVENTS: SavedEvent[] = [
  event(1, { kind: "connect" }),
  event(2, { bytes: bytesOf(REQUEST) }),
  event(3, {
    ...{ from: "server", bytes: bytesOf(ANSWER), marks: ["late"] },
    causes: ["delay=5ms"],
  }),
  event(4, { from: "server", kind: "end" }),
  event(5, { kind: "end" }),
  event(6, {
    ...{ kind: "datagram", link: "udp", bytes: new Uint8Array([255, 0]) },
    ...{ fate: "lost", delivered: null, causes: ["loss=#1"] },
  }),
  event(7, { kind: "datagram", link: "udp", bytes: bytesOf("ü") }),
  event(8, {
    ...{ kind: "datagram", link: "udp", bytes: bytesOf("ü") },
    ...{ marks: ["again"], of: 7, causes: ["duplicate=#2"] },
  }),
  event(9, { kind: "condition", connection: 0, text: "now: no conditions" }),
];

/** Gives a folder for files to a function, and removes it. */
async function inFolder(
  use: (file: (name: string) => string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "saved-" });
  try {
    await use((name) => join(folder, name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("saved run: what is written is read again", () =>
  inFolder(async (file) => {
    const path = file("run.jsonl");
    {
      using writer = new SavedRunWriter(path, HEADER);
      for (const one of EVENTS) writer.take(one);
    }
    const { header, events } = await readRun(path);
    assertEquals(header, HEADER);
    assertEquals(events, EVENTS);
    const [first, second, third] = (await Deno.readTextFile(path)).split("\n");
    assertMatch(first ?? "", /^\{"format":1,.*"start":"2026-11-25T00:00:00/);
    assertEquals(JSON.parse(second ?? ""), {
      ...{ number: 1, kind: "connect", link: "server", connection: 1 },
      ...{ from: "client", sent: 1000, delivered: 1010, fate: "delivered" },
    });
    assertEquals(JSON.parse(third ?? "").utf8, REQUEST);
    assertEquals(
      JSON.parse(eventLine(EVENTS[5] ?? event(0, {}))).utf8,
      undefined,
    );
  }));

Deno.test("saved run: a message larger than all buffers is written whole", () =>
  inFolder(async (file) => {
    const path = file("run.jsonl");
    const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 7);
    const events = [event(1, { bytes }), event(2, { bytes: bytesOf("ü") })];
    {
      using writer = new SavedRunWriter(path, HEADER);
      for (const one of events) writer.take(one);
    }
    assertEquals((await readRun(path)).events, events);
  }));

Deno.test("saved run: the last report of an event counts", () =>
  inFolder(async (file) => {
    const path = file("run.jsonl");
    const done = event(1, { kind: "datagram", marks: ["late"] });
    const lines = [
      headerLine(HEADER),
      eventLine({ ...done, fate: "under way", delivered: null }),
      eventLine(event(2, {})),
      eventLine(done),
    ];
    await Deno.writeTextFile(path, lines.join("\n") + "\n");
    const { events } = await readRun(path);
    assertEquals(events, [done, event(2, {})]);
  }));

Deno.test("saved run: killed in the middle of a line, it is read up to there", () =>
  inFolder(async (file) => {
    const path = file("run.jsonl");
    const whole = [HEADER].map(headerLine).concat(EVENTS.map(eventLine));
    const text = whole.join("\n") + "\n";
    const before = text.lastIndexOf("\n", text.length - 2) + 1;
    for (const length of [before, before + 1, before + 40, text.length - 2]) {
      await Deno.writeTextFile(path, text.slice(0, length));
      assertEquals((await readRun(path)).events, EVENTS.slice(0, -1));
    }
  }));

Deno.test("saved run: unknown fields are kept, a newer format is refused", () =>
  inFolder(async (file) => {
    const path = file("run.jsonl");
    const line = { ...JSON.parse(eventLine(event(1, {}))), colour: "blue" };
    const header = { ...JSON.parse(headerLine(HEADER)), weather: [1] };
    await Deno.writeTextFile(
      path,
      `${JSON.stringify(header)}\n${JSON.stringify(line)}\n`,
    );
    const run = await readRun(path);
    assertEquals(run.header.more, { weather: [1] });
    assertEquals(run.events[0]?.more, { colour: "blue" });
    assertEquals(JSON.parse(headerLine(run.header)), header);
    assertEquals(JSON.parse(run.events.map(eventLine)[0] ?? ""), line);

    const wrong: [string, RegExp][] = [
      ['{"format":2}\n', /has format 2, and this program reads up to 1/],
      ["{}\n", /no saved run/],
      ["", /is empty/],
      ["hello\n", /:1: this line is no JSON/],
      [`${headerLine(HEADER)}\nhello\n`, /:2: this line is no JSON/],
      [`${headerLine(HEADER)}\n{"number":1}\n`, /:2: this line is no event/],
      [`${headerLine(HEADER)}\n[]\n`, /:2: this line is no object/],
    ];
    for (const [text, complaint] of wrong) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(() => readRun(path), BadRun);
      assertMatch(error.message, complaint);
    }
  }));

Deno.test("saved run: passwords of NATS are masked", () => {
  const connect =
    'CONNECT {"user":"a","pass":"s3cret","auth_token":"t0ken"}\r\n';
  const masked = maskNats(bytesOf(connect));
  assertEquals(
    new TextDecoder().decode(masked),
    'CONNECT {"user":"a","pass":"******","auth_token":"*****"}\r\n',
  );
  const small = maskNats(bytesOf(connect.replace("CONNECT", "connect")));
  assertEquals(small.slice(7), masked.slice(7));
  const line = eventLine(event(1, { bytes: bytesOf(connect) }));
  assert(!/s3cret|t0ken/.test(line));
  const bytes = JSON.parse(line).bytes;
  assert(
    !new TextDecoder().decode(Uint8Array.fromBase64(bytes)).includes("s3c"),
  );
  const other = bytesOf('PUB a 19\r\n{"pass":"not masked"}\r\n');
  assertEquals(maskNats(other), other);
});

Deno.test("NATS: its protocol is split into lines, however it is cut", () => {
  const text = 'INFO {"x":1}\r\n+OK\r\nPUB a.b 5\r\nhe\r\nl\r\n' +
    "MSG a 1 0\r\n\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nping\r\n" +
    'CONNECT {"pass":"a\\"b","lang":"x"}\r\n-ERR \'no\'\r\nGET / HTTP/1.1\r\n';
  const expected = [
    ["INFO", 'INFO {"x":1}', null],
    ["+OK", "+OK", null],
    ["PUB", "PUB a.b 5", "he\r\nl"],
    ["MSG", "MSG a 1 0", ""],
    ["HPUB", "HPUB a 12 14", "NATS/1.0\r\n\r\nhi"],
    ["PING", "ping", null],
    ["CONNECT", 'CONNECT {"pass":"***","lang":"x"}', null],
    ["-ERR", "-ERR 'no'", null],
    ["", "GET / HTTP/1.1", null],
  ];
  for (const size of [1, 2, 7, 1000]) {
    const lines = new NatsLines();
    const bytes = bytesOf(text);
    const result = [];
    for (let i = 0; i < bytes.length; i += size) {
      result.push(...lines.push(bytes.subarray(i, i + size)));
    }
    assertEquals(
      result.map(({ op, text, payload }) => [
        ...[op, text, payload && new TextDecoder().decode(payload)],
      ]),
      expected,
    );
  }
});

Deno.test("saved run: played again, each message once and in order", async () => {
  using listener = new TcpListener();
  const events = [
    ...EVENTS.slice(0, 2),
    event(3, { bytes: bytesOf("second"), sent: 60_000 }),
    event(4, { bytes: bytesOf("copy"), marks: ["injected"] }),
    event(5, { kind: "end", sent: 70_000 }),
  ];
  const start = performance.now();
  const playing = play({ header: HEADER, events }, {
    hostname: "127.0.0.1",
    port: listener.port,
  });
  using server = await listener.accept();
  await server.assertReplies(`${REQUEST}second`);
  await server.assertCloses();
  assert(performance.now() - start >= 55, "without the pauses of the run");
  await server.send("answer");
  server[Symbol.dispose]();
  assertEquals(await playing, {
    ...{ connections: 1, messages: 2, bytesSent: REQUEST.length + 6 },
    ...{ bytesReceived: 6, troubles: [] },
  });
  await assertRejects(
    () => play({ header: HEADER, events: [] }, { hostname: "x", port: 1 }),
    Error,
    "nothing to play",
  );
  const signal = AbortSignal.abort(new Error("Ctrl-C"));
  const nobody = { hostname: "127.0.0.1", port: 9 };
  await assertRejects(
    () => play({ header: HEADER, events }, nobody, { signal }),
    Error,
    "Ctrl-C",
  );
});

Deno.test("saved run: datagrams played again, lost ones too, copies not", async () => {
  using server = new UdpPeer();
  const playing = play({ header: HEADER, events: EVENTS }, {
    hostname: "127.0.0.1",
    port: server.port,
  }, { link: "udp" });
  const first = await server.receive();
  assertEquals(first.bytes, new Uint8Array([255, 0]));
  await server.assertReceives("ü");
  await server.send("back", first.port);
  assertEquals(await playing, {
    ...{ connections: 1, messages: 2, bytesSent: 4, bytesReceived: 4 },
    troubles: [],
  });
});

/** What tshark says of a run. */
async function tshark(path: string, ...args: string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(
    find("tshark") ?? "tshark",
    { args: ["-r", path, ...args] },
  ).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

function save(path: string, events: WireEvent[]): void {
  using writer = new PcapngWriter(path, HEADER);
  for (const one of events) writer.take(one);
}

Deno.test(needs(["tshark"], {
  name: "saved run: Wireshark dissects it, follows its streams, lists comments",
  fn: () =>
    inFolder(async (file) => {
      const path = file("run.pcapng");
      const big = new Uint8Array(200_000).fill(65);
      save(path, [
        ...EVENTS,
        event(10, { kind: "connect", connection: 2 }),
        event(11, { bytes: big, connection: 2 }),
        event(12, { kind: "reset", connection: 2, causes: ["reset=1KB"] }),
        event(13, { kind: "connect", connection: 3 }),
        event(14, {
          ...{ kind: "refused", from: "server", connection: 3 },
          text: "refused by 127.0.0.1:9",
        }),
      ]);
      const names = [
        ...["frame.interface_name", "tcp.len", "udp.length", "tcp.flags.reset"],
        ...["http.request.method", "frame.comment", "tcp.checksum.status"],
        ...["udp.checksum.status", "ip.checksum.status", "tcp.analysis.flags"],
      ];
      const protocols = ["tcp", "udp", "ip"];
      const table = await tshark(
        path,
        ...protocols.flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]),
        ...["-T", "fields", ...names.flatMap((name) => ["-e", name])],
      );
      const packets = table.trimEnd().split("\n").map((line) => {
        const values = line.split("\t");
        return Object.fromEntries(
          names.map((name, i) => [name, values[i] ?? ""]),
        );
      });
      const all = (name: string) => packets.flatMap((one) => one[name] || []);
      assertEquals(all("http.request.method"), ["GET", "GET"]); // both sides
      const has = (text: string) =>
        assert(all("frame.comment").some((one) => one.includes(text)), text);
      has("event 6: lost at the relay (loss=#1)");
      has("event 8: again, a copy of event 7 (duplicate=#2)");
      has("event 3: late (delay=5ms)");
      has("event 12: made by the relay (reset=1KB)");
      has("refused by 127.0.0.1:9");
      has("made up");
      // Both interfaces have the whole stream, in pieces that IPv4 can carry.
      for (const side of ["client side", "server side"]) {
        const sizes = packets.filter((one) =>
          one["frame.interface_name"] === side
        )
          .map((one) => Number(one["tcp.len"])).filter((size) => size > 1000);
        assertEquals(sizes, [65_495, 65_495, 65_495, 3515]);
      }
      const udp = packets.filter((one) => one["udp.length"]);
      assertEquals(udp.map((one) => one["frame.interface_name"]), [
        ...["client side"], // lost
        ...["client side", "server side"],
        ...["server side"], // the copy
      ]);
      const resets = all("tcp.flags.reset").filter((one) => /1|True/.test(one));
      assertEquals(resets.length, 3); // the refusal is on the client's side alone
      for (const name of protocols) {
        const wrong = all(`${name}.checksum.status`).filter((one) =>
          one !== "1"
        );
        assertEquals(wrong, [], name); // 1 is good
      }
      assertEquals(all("tcp.analysis.flags"), []); // nothing lost or repeated
      const follow = await tshark(path, "-q", "-z", "follow,tcp,ascii,0");
      assert(follow.includes("Host: x"), follow);
      assert(follow.includes("HTTP/1.1 200 OK"), follow);
    }),
}));

Deno.test(needs(["tshark"], {
  name: "saved run: where the link is IPv6, so are the packets",
  fn: () =>
    inFolder(async (file) => {
      const path = file("run.pcapng");
      const links = HEADER.links.map((link) => ({
        ...link,
        listen: "[::1]:8080",
        target: "[fd00::2:8]:40000",
      }));
      {
        using writer = new PcapngWriter(path, { ...HEADER, links });
        for (const one of EVENTS) writer.take(one);
      }
      const names = ["ipv6.dst", "http.request.method"];
      const protocols = ["tcp", "udp"];
      const status = protocols.map((name) => `${name}.checksum.status`);
      const table = await tshark(
        path,
        ...protocols.flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]),
        ...["-T", "fields"],
        ...[...names, ...status].flatMap((name) => ["-e", name]),
      );
      const rows = table.trimEnd().split("\n").map((line) => line.split("\t"));
      assertEquals(
        new Set(rows.map(([to]) => to)),
        new Set(["::1", "fd00::2:8"]),
      );
      assertEquals(rows.filter(([, method]) => method === "GET").length, 2);
      for (const [, , tcp, udp] of rows) assertEquals(`${tcp}${udp}`, "1");
    }),
}));
