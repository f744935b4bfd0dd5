/** What the lab draws: the model and the drawing here, the view itself in a browser. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Item } from "../../launch/lab/messages.ts";
import {
  cellAt,
  httpOf,
  linesOf,
  rowOf,
} from "../../launch/lab/page/view/bytes.ts";
import { drawingOf, heightOf } from "../../launch/lab/page/view/diagram.ts";
import { compare, History, toSvg } from "../../launch/lab/page/view/mod.ts";
import { BAND, Median, Scale } from "../../launch/lab/page/view/scale.ts";
import { Search, search } from "../../launch/lab/page/view/search.ts";
import { type Shape, toText } from "../../launch/lab/page/view/svg.ts";
import { sentence } from "../../launch/lab/page/view/words.ts";
import {
  brokered,
  everything,
  flood,
  line,
  link,
  overTcp,
  program,
  run,
  wire,
} from "./feed.ts";
import { needs } from "../needs.ts";

const START = [run("client", "server"), link("client", "server")];
const FRAME = { width: 1000, gutter: 72, right: 12, character: 7.8, now: 0 };

function historyOf(...items: Item[]): History {
  const history = new History();
  history.add(items);
  return history;
}

/** What is said in order, one sentence each. */
function sentences(history: History): string[] {
  return history.entries.map((entry) => sentence(entry, history));
}

Deno.test("lab view: a history knows the state of a run", () => {
  const history = historyOf(...START, program(1, "server", "listening"));
  const changes: number[] = [];
  const stop = history.subscribe(({ items }) => changes.push(items.length));
  assertEquals(history.roles, ["client", "server"]);
  assertEquals(history.state("server")?.state, "listening");
  assertEquals(history.state("client"), undefined);
  assertEquals(history.prompt("client"), null);
  history.add([
    { kind: "asks", at: 2, role: "client", prompt: "Say: " },
    wire(1, { says: "hello", fate: "under way" }),
  ]);
  assertEquals(history.prompt("client"), "Say: ");
  assertEquals(history.event(1)?.fate, "under way");
  history.add([wire(1, { says: "hello", delivered: 9_000 })]);
  assertEquals(history.event(1)?.delivered, 9_000);
  assertEquals(history.entries.length, 2);
  history.add([{ kind: "asks", at: 3, role: "client", prompt: null }]);
  assertEquals(history.prompt("client"), null);
  assertEquals(changes, [2, 1, 1]);
  stop();
  history.add([run("broker")]);
  assertEquals(history.roles, ["broker"]);
  assertEquals(history.entries, []);
  assertEquals(history.event(1), undefined);
  assertEquals(history.items.length, 1);
  assertEquals(changes, [2, 1, 1]);
});

Deno.test("lab view: events stand in the order of time, lines where the timeline put them", () => {
  const history = historyOf(
    ...START,
    wire(2, { says: "b", sent: 2_000 }),
    // A piece is reported when it arrives, with the time when it was sent.
    wire(1, { says: "a", sent: 1_000, delivered: 3_000 }),
    // The timeline knows that this line came before #3.
    line(5_000, "client", "before"),
    wire(3, { says: "c", sent: 4_900 }),
    line(4_800, "server", "after"),
  );
  assertEquals(sentences(history), [
    "#1 client → server, 1 byte: a",
    "#2 client → server, 1 byte: b",
    "client prints: before",
    "#3 client → server, 1 byte: c",
    "server prints: after",
  ]);
  const times = history.entries.map(({ at }) => at);
  assertEquals(times, times.toSorted((a, b) => a - b));
});

Deno.test("lab view: events that are no longer kept leave nothing behind", () => {
  const history = historyOf(...START);
  for (let first = 1; first < 40_000; first += 500) {
    history.add(flood(500, first));
    if (first > 2_000) history.add([{ kind: "dropped", upTo: first - 1_500 }]);
  }
  assertEquals(history.event(38_001), undefined);
  assertEquals(history.event(38_002)?.number, 38_002);
  assertEquals(history.entries.length, 40_000 - 38_001);
  assert(history.items.length < 12_000, `${history.items.length} items`);
  const scale = new Scale(history);
  assert(scale.knots.length < 4_200, `${scale.knots.length} knots`);
});

Deno.test("lab view: every entry is a sentence", () => {
  assertEquals(sentences(historyOf(...everything())), [
    "server starts",
    "server prints: Listening on 127.0.0.1 port 12345.",
    "server listens",
    "client starts",
    "#1 network (link to server): each way 100 ms later, 1 of 5 datagrams lost",
    "client asks “Say:”, typed: Hello, world!",
    "#2 client → server, 13 bytes: Hello, world!, 100 ms late (up.delay=100ms)",
    "server prints: 127.0.0.1:5000 says Hello, world!",
    "#3 server → client, 5 bytes: HELLO, lost (down.loss=#1)",
    "#4 client → server, 14 bytes: Are you there?, 50 ms late (up.delay=50ms)",
    "#5 client → server, 14 bytes: Are you there?, again of #4, 90 ms late (up.duplicate=#2)",
    "#6 client → server, 15 bytes: first, but slow, 200 ms late, overtaken (up.reorder=#4)",
    "#7 client → server, 16 bytes: second, but fast, 100 ms late",
    "#8 server → client, 35 bytes: Jö 你好 👩‍🚀 <b>bold</b>\\n, 100 ms late, one bit wrong (down.corrupt=#2)",
    "client reports: What is that?",
    "#9 client → server, 16 bytes: held for a while, was held",
    "#10 client → server, 18 bytes: changed on its way, changed at the relay, was held",
    "#11 a stranger → server, 15 bytes: from a stranger, made at the relay",
    "The client has waited for 2 s.",
    "#12 client → server, 11 bytes: still waits, held",
    "#13 server → client, 9 bytes: under way, under way",
    "client ended with status 1",
  ]);
});

// ------------------------------------------------------------------- scale

Deno.test("lab view: the median of many numbers, nearly", () => {
  const median = new Median();
  assertEquals(median.value, 0);
  for (let i = 1; i <= 1001; i++) median.add(i);
  assert(Math.abs(median.value - 501) < 40, `${median.value}`);
});

/** Each place of a scale: when, and where. */
function places(scale: Scale): { at: number; y: number }[] {
  return scale.knots.map(({ at, y }) => ({ at, y }));
}

function assertMonotone(scale: Scale): void {
  const all = places(scale);
  for (let i = 1; i < all.length; i++) {
    const before = all[i - 1], own = all[i];
    assert(before && own && before.at <= own.at, "not in the order of time");
    assert(
      before.y <= own.y,
      `${before.at} µs at ${before.y}, ${own.at} µs at ${own.y}`,
    );
  }
}

Deno.test("lab view: the median delivery is a slope that one can see, and linear", () => {
  for (const delay of [2_000, 50_000, 400_000]) {
    const items = [...START];
    for (let i = 1; i <= 40; i++) {
      items.push(
        wire(i, {
          sent: i * delay * 3,
          delivered: i * delay * 3 + delay,
          marks: ["late"],
        }),
      );
    }
    const history = historyOf(...items);
    const scale = new Scale(history);
    assertMonotone(scale);
    const slopes = history.entries.map((entry) =>
      (scale.arrivalOf(entry) ?? 0) - scale.startOf(entry)
    );
    assert(Math.min(...slopes) >= 12, `${delay}: ${slopes}`);
    assert(
      Math.max(...slopes) - Math.min(...slopes) < 1,
      `${delay}: ${slopes}`,
    );
  }
});

Deno.test("lab view: a silence is a band, opens, and folds again", () => {
  const items = [...START];
  for (let i = 1; i <= 20; i++) items.push(wire(i, { sent: i * 1_000 }));
  items.push(wire(21, { sent: 4_220_000 }));
  const history = historyOf(...items);
  const scale = new Scale(history);
  const knot = scale.knots.find(({ silence }) => silence > 0);
  assertEquals(knot?.entry.number, 21);
  assertEquals(knot?.silence, 4_200_000);
  const [before, after] = [20, 21].map((number) => {
    const entry = history.entryOf(number);
    return entry ? scale.startOf(entry) : 0;
  });
  const folded = (after ?? 0) - (before ?? 0);
  assert(folded <= 30 + BAND && folded >= BAND, `${folded}`);
  scale.toggle(knot?.order ?? 0);
  assertMonotone(scale);
  const open = scale.startOf(history.entries.at(-1) ?? fail()) - (before ?? 0);
  assert(open > 300, `${open}`);
  scale.toggle(knot?.order ?? 0);
  assertEquals(scale.startOf(history.entries.at(-1) ?? fail()), after);
  // What comes later does not fold what was not a silence, or the other way.
  history.add([wire(22, { sent: 4_221_000 })]);
  assertEquals(scale.knots.filter(({ silence }) => silence > 0).length, 1);
});

function fail(): never {
  throw new Error("It is not there");
}

Deno.test("lab view: a second that is like the others is no silence", () => {
  const items = [...START];
  for (let i = 1; i <= 30; i++) items.push(wire(i, { sent: i * 1_500_000 }));
  const scale = new Scale(historyOf(...items));
  assertEquals(scale.knots.filter(({ silence }) => silence > 0), []);
});

Deno.test("lab view: batches make the same places as all at once", () => {
  for (
    const items of [everything(), overTcp(), brokered(), [
      ...START,
      ...flood(3_000),
    ]]
  ) {
    const history = new History(), scale = new Scale(history);
    history.subscribe((change) => scale.update(change));
    const all = historyOf(...items);
    // Reported twice, as they are while the run goes on, in batches of 7.
    for (let i = 0; i < items.length; i += 7) {
      history.add(items.slice(i, i + 7));
    }
    assertEquals(sentences(history), sentences(all));
    assertMonotone(scale);
    const times = (scale: Scale) =>
      scale.knots.map(({ at, arrives }) => `${at} ${arrives}`);
    assertEquals(times(scale), times(new Scale(all)));
    scale.spacing = "rows";
    assertMonotone(scale);
    const rows = history.entries.map((entry) => scale.startOf(entry));
    assertEquals(rows, rows.map((_, i) => (rows[0] ?? 0) + i * 30));
  }
});

Deno.test("lab view: adding to 20,000 events costs as much as adding to few", () => {
  const history = historyOf(...START), scale = new Scale(history);
  history.subscribe((change) => scale.update(change));
  const costs: number[] = [];
  for (let first = 1; first < 20_000; first += 40) {
    const start = performance.now();
    history.add(flood(40, first));
    costs.push(performance.now() - start);
  }
  const sum = (from: number, to: number) =>
    costs.slice(from, to).reduce((a, b) => a + b, 0);
  // The first and the last fifth; a slow machine is slow in both.
  const early = sum(100, 200), late = sum(400, 500);
  console.log(`first ${early.toFixed(0)} ms, last ${late.toFixed(0)} ms`);
  assert(late < early * 8 + 100, `${early} ms, then ${late} ms`);
  assertMonotone(scale);
});

// ----------------------------------------------------------------- drawing

/** All shapes of a drawing, and their texts. */
function shapesOf(items: Item[]): Map<string, Shape> {
  const history = historyOf(...items);
  const scale = new Scale(history, (entry) => heightOf(entry, history, FRAME));
  const drawn = drawingOf(history, scale, FRAME, 0, scale.height, true);
  return new Map(drawn.map(({ key, draw }) => [key, draw()]));
}

function wordsOf(shape: Shape | undefined): string {
  return shape?.children.map((child) =>
    typeof child === "string" ? child : wordsOf(child)
  ).join(" ").replace(/ +/g, " ").trim() ?? "";
}

function classesOf(shape: Shape): string[] {
  const inside = shape.children.flatMap((child) =>
    typeof child === "string" ? [] : classesOf(child)
  );
  return [`${shape.attributes["class"] ?? ""}`, ...inside];
}

Deno.test("lab view: each kind and fate has a form of its own", () => {
  const shapes = new Map<string, Shape>([
    ...Array.from(
      shapesOf(everything()),
      ([key, shape]) => [`u${key}`, shape] as const,
    ),
    ...Array.from(
      shapesOf(overTcp()),
      ([key, shape]) => [`t${key}`, shape] as const,
    ),
  ]);
  const has = (key: string, name: string) => {
    const shape = shapes.get(key);
    assert(shape, `${key} is not drawn`);
    const classes = classesOf(shape).flatMap((list) => list.split(" "));
    assert(classes.includes(name), `${key} has no ${name}: ${classes}`);
  };
  for (
    const [key, name] of [
      ["ue2", "lv-datagram"],
      ["ue3", "lv-cross"],
      ["ue5", "lv-sign"],
      ["ue8", "lv-zigzag"],
      ["ue9", "lv-wait"],
      ["ue10", "lv-sign"],
      ["ue11", "lv-sign"],
      ["ue12", "lv-pause"],
      ["ue13", "lv-dots"],
      ["te1", "lv-control"],
      ["te3", "lv-tick"],
      ["te6", "lv-tick"],
      ["te10", "lv-cross"],
      ["te11", "lv-cross"],
    ] as const
  ) has(key, name);
  assertEquals(wordsOf(shapes.get("te1")), "0.060 #1 connect");
  assertStringIncludes(wordsOf(shapes.get("te7")), "sends no more (FIN)");
  assertStringIncludes(wordsOf(shapes.get("te10")), "reset (RST)");
  assertStringIncludes(wordsOf(shapes.get("ue1")), "each way 100 ms later");
  assertEquals(
    wordsOf(shapes.get("ue3")),
    "0.203 #3 HELLO 5 bytes lost (down.loss=#1)",
  );
});

Deno.test("lab view: texts from outside are text in the file", () => {
  const evil = "</text><script>alert(1)</script>&\u202e\u0000";
  const items: Item[] = [
    run("client", "server"),
    link("client", "server"),
    line(1, "client", evil, evil),
    line(2, "client", evil, null, "stderr"),
    wire(1, { says: evil, causes: [evil], text: evil }),
    wire(2, { kind: "condition", text: evil }),
    { kind: "note", at: 3, text: evil },
    { kind: "over", at: 4, counts: [evil], failure: evil },
  ];
  const file = toSvg(historyOf(...items));
  assert(!/<script/i.test(file));
  assert(!file.includes("\u0000") && !file.includes("\u202e"));
  assertStringIncludes(file, "&lt;script&gt;");
  assertMatch(
    file,
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*>\n<title>udp: /,
  );
  assertEquals(
    toText({ tag: "a", attributes: { b: '"<' }, children: ["<&\ud800"] }),
    '<a b="&quot;&lt;">&lt;&amp;\ufffd</a>',
  );
});

Deno.test("lab view: long lines break, longer ones are cut", () => {
  const text = "word ".repeat(60).trim();
  const shape = shapesOf([
    ...START,
    line(1, "client", `${text}>typed`, "typed"),
  ]).get("i1");
  const words = wordsOf(shape);
  assert(words.startsWith("word word") && words.endsWith("…"), words);
  const short = shapesOf([...START, line(1, "client", "Say: a b c", "a b c")])
    .get("i1");
  const [, said] = short?.children ?? [];
  assertEquals(
    typeof said === "string"
      ? []
      : said?.children.map((child) =>
        typeof child === "string"
          ? child
          : [child.attributes["class"], ...child.children]
      ),
    [[undefined, "Say: "], ["lv-typed", "a b c"]],
  );
});

// ------------------------------------------------------------------ search

Deno.test("lab view: a search finds bytes, lines, notes and fates", () => {
  const history = historyOf(...everything());
  const found = (text: string) =>
    search(history, text).map((entry) => sentence(entry, history));
  assertEquals(found("hello, WORLD").length, 3);
  assertEquals(found("<b>bold</b>\\n").length, 1);
  assertEquals(found("你好").length, 1);
  assertEquals(found("lost"), [
    "#1 network (link to server): each way 100 ms later, 1 of 5 datagrams lost",
    "#3 server → client, 5 bytes: HELLO, lost (down.loss=#1)",
  ]);
  assertEquals(found("has waited"), ["The client has waited for 2 s."]);
  assertEquals(found(""), []);
  assertEquals(found("nowhere"), []);
});

Deno.test("lab view: a search goes on with what comes, and says what it cannot see", () => {
  const history = historyOf(...START, ...flood(1_000));
  const going = new Search(history, "datagram 99");
  while (!going.isDone) going.work(1);
  assertEquals(going.found.map(({ number }) => number), [
    99,
    ...Array.from({ length: 10 }, (_, i) => 990 + i),
  ]);
  assertEquals(going.isCut, false);
  history.subscribe(({ from }) => going.add(history.entries.slice(from)));
  history.add([wire(2_000, { says: `datagram 99${"x".repeat(2_000)}` })]);
  assertEquals(going.found.at(-1)?.number, 2_000);
  assertEquals(going.isCut, true);
  history.add([{ kind: "dropped", upTo: 994 }]);
  going.drop(history.entries[0]);
  assertEquals(going.found.map(({ number }) => number), [
    995,
    996,
    997,
    998,
    999,
    2_000,
  ]);
});

// ------------------------------------------------------------------- bytes

Deno.test("lab view: bytes of one character belong together", () => {
  const bytes = new TextEncoder().encode("aé你👩\n");
  assertEquals(
    rowOf(bytes, 0, 16).map(({ start, text }) => `${start}${text}`),
    [
      "0a",
      "1é",
      "1 ",
      "3你",
      "3 ",
      "3 ",
      "6👩",
      "6 ",
      "6 ",
      "6 ",
      "10·",
    ],
  );
  // A row that begins in the middle of a character.
  assertEquals(cellAt(bytes, 5), {
    start: 3,
    length: 3,
    text: " ",
    kind: "multi",
  });
  const wrong = new Uint8Array([
    0xff,
    0xc3,
    0x28,
    0xe2,
    0x82,
    0x80,
    0xed,
    0xa0,
    0x80,
    0xf0,
    0x9f,
  ]);
  assertEquals(rowOf(wrong, 0, 16).map(({ kind }) => kind), [
    "wrong",
    "wrong",
    "plain",
    "multi",
    "multi",
    "multi",
    "wrong",
    "wrong",
    "wrong",
    "wrong",
    "wrong",
  ]);
  // What would turn the direction of writing is not written.
  assertEquals(cellAt(new TextEncoder().encode("\u202e"), 0).text, "·");
  assertEquals(linesOf(new TextEncoder().encode("a\r\nb\t\u202e\n\nc")), [
    { text: "a", end: "\\r\\n" },
    { text: "b\\t\\u{202e}", end: "\\n" },
    { text: "", end: "\\n" },
    { text: "c", end: "" },
  ]);
});

Deno.test("lab view: the head of HTTP stands apart from its body", () => {
  const of = (text: string) => httpOf(new TextEncoder().encode(text));
  assertEquals(of("GET / HTTP/1.1\r\nHost: a\r\nX:  b \r\n\r\nbody"), {
    start: "GET / HTTP/1.1",
    headers: [["Host", "a"], ["X", "b"]],
    body: 35,
    isWhole: true,
  });
  assertEquals(of("HTTP/1.1 404 Not Found\nA: b")?.isWhole, false);
  assertEquals(of("HTTP/1.1 200\r\n\r\n")?.headers, []);
  for (const text of ["Hello", "GET", "get / HTTP/1.1", "GET / HTTP/2", ""]) {
    assertEquals(of(text), null);
  }
});

// ----------------------------------------------------------------- compare

Deno.test("lab view: two runs are equal whatever their times, and streams however they are cut", () => {
  const a = historyOf(
    ...START,
    wire(1, { says: "a", sent: 5 }),
    wire(2, { says: "b", from: "server" }),
  );
  const b = historyOf(
    ...START,
    wire(1, { says: "b", from: "server", delivered: 9_000, marks: ["late"] }),
    wire(2, { says: "a" }),
  );
  assertEquals(compare(a, b), null);
  const tcp = [run("client", "server"), link("client", "server", "tcp")];
  const message = { kind: "message" as const };
  const whole = historyOf(
    ...tcp,
    wire(1, { ...message, says: "hello" }),
    wire(2, { kind: "end" }),
  );
  const cut = historyOf(
    ...tcp,
    wire(1, { ...message, says: "he" }),
    wire(2, { ...message, says: "llo" }),
    wire(3, { kind: "end" }),
  );
  assertEquals(compare(whole, cut), null);
  const other = historyOf(
    ...tcp,
    wire(1, { ...message, says: "he" }),
    wire(2, { ...message, says: "l1o" }),
    wire(3, { kind: "end" }),
  );
  const found = compare(whole, other);
  assertEquals([found?.what, found?.a, found?.b], ["bytes", 1, 2]);
});

Deno.test("lab view: what a reset has lost is the first difference, not the reset", () => {
  const tcp = [run("client", "server"), link("client", "server", "tcp")];
  const from = "server" as const, kind = "message" as const;
  const good = historyOf(
    ...tcp,
    wire(1, { kind, from, says: "Hello", sent: 10 }),
    wire(2, { kind: "end", from, sent: 20 }),
  );
  const broken = historyOf(
    ...tcp,
    wire(1, { kind, from, says: "Hel", sent: 10 }),
    wire(3, { kind: "reset", from, sent: 10 }),
    wire(2, { kind, from, says: "lo", sent: 11, fate: "lost", of: 1 }),
  );
  assertEquals(compare(good, broken), {
    a: 1,
    b: 2,
    link: "server",
    from,
    what: "fate",
    text:
      "“lo” (2 bytes) from server arrives in the first run (#1) and is lost in the second (#2).",
  });
  assertEquals(
    compare(broken, good)?.text,
    "“lo” (2 bytes) from server is lost in the first run (#2) and arrives in the second (#1).",
  );
});

Deno.test("lab view: the first difference is found, and said", () => {
  const a = historyOf(
    ...START,
    wire(1, { says: "a" }),
    wire(2, { says: "b", fate: "lost" }),
    wire(3, { says: "c" }),
  );
  const b = historyOf(
    ...START,
    wire(1, { says: "a" }),
    wire(2, { says: "b" }),
    wire(3, { says: "x" }),
  );
  assertEquals(compare(a, b), {
    a: 2,
    b: 2,
    link: "server",
    from: "client",
    what: "fate",
    text:
      "“b” (1 byte) to server is lost in the first run (#2) and delivered in the second (#2).",
  });
  const less = historyOf(...START, wire(1, { says: "a" }));
  assertEquals(
    compare(less, b)?.text,
    "Only the second run has #2, “b” (1 byte), to server.",
  );
  const changed = historyOf(...START, wire(1, { says: "A" }));
  assertEquals(
    compare(less, changed)?.text,
    "To server, the first run has “a” (1 byte) (#1), the second “A” (1 byte) (#1).",
  );
});

// --------------------------------------------------------------- in a browser

/** What each part of `view_browser.ts` prints. */
const PARTS: Record<string, string[]> = {
  drawing: [
    "drew each event where it was sent and where it arrived",
    "opened a silence, and folded it",
    "showed rows, and the list",
  ],
  flood: [
    "drew 20,000 events to the end",
    "scrolled through 20,000 events",
    "searched in 20,000 events",
  ],
  keys: ["went by keys"],
  inspector: ["looked into events"],
  narrow: ["is a list where it is narrow"],
  file: ["made a file that a browser reads"],
};

for (const [part, seen] of Object.entries(PARTS)) {
  Deno.test(needs(["chromium"], {
    name: `lab view: in Chromium, ${part}`,
    async fn() {
      const browser = fromFileUrl(
        new URL("view_browser.ts", import.meta.url),
      );
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--allow-all", browser, part],
      }).output();
      const said = new TextDecoder().decode(stderr);
      assertEquals(code, 0, said);
      assertEquals(
        new TextDecoder().decode(stdout),
        [...seen, "done", ""].join("\n"),
      );
      console.log(said);
    },
  }));
}
