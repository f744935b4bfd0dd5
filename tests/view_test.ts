/** The order in which things are shown, and how the view shows them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Reaper } from "../launch/programs/reaper_client.ts";
import { Timeline } from "../launch/show/timeline.ts";
import type { Detail, Presenter } from "../launch/show/presenter.ts";
import { fateOf } from "../launch/show/presenter.ts";
import { replay } from "../launch/show/replay.ts";
import { width } from "../launch/show/text.ts";
import { View } from "../launch/show/view.ts";
import type { WireEvent } from "../launch/wire/relay.ts";
import {
  assertExits,
  PATIENCE_MS,
  Program,
  sideBySide,
  UNCOUNTED,
  within,
} from "./assertions.ts";
import {
  event,
  FLAGS,
  launcher,
  launchHere,
  LINK,
  PAIR,
  wire,
} from "./launches.ts";
import { takeTurn } from "./turn.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What a timeline shows, a word for each thing; `seen` resolves when it is enough. */
class Words implements Presenter {
  readonly words: string[] = [];
  readonly #wanted: number;
  readonly #all = Promise.withResolvers<void>();

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  get seen(): Promise<string[]> {
    const all = this.#all.promise.then(() => this.words);
    return within(PATIENCE_MS, all, `${this.#wanted} things`);
  }

  begin(): void {}
  link = () => this.#put("link");
  line = ({ text }: { text: string }) => this.#put(text);
  wire = (_: unknown, { kind, number, fate }: WireEvent, detail: Detail) =>
    this.#put(
      `${kind} ${number}${fate === "delivered" ? "" : ` ${fate}`}` +
        (detail.isUpdate ? " again" : ""),
    );
  ended = ({ role }: { role: string }) => this.#put(`${role} ends`);
  note = (text: string) => this.#put(text);
  end = () => this.#put("end");

  #put(word: string): void {
    this.words.push(word);
    if (this.words.length >= this.#wanted) this.#all.resolve();
  }
}

const say = (role: string, text: string) => ({
  role,
  text,
  stream: "stdout" as const,
  typed: undefined,
});

Deno.test("timeline: a line that comes together with a message was printed first", async () => {
  const words = new Words(3);
  const timeline = new Timeline({ presenter: words });
  timeline.wire(LINK, event({ number: 1, from: "server" }));
  timeline.line(say("server", "printed"));
  timeline.line(say("client", "got it"));
  assertEquals(await words.seen, ["printed", "message 1", "got it"]);
});

Deno.test("timeline: a line that comes later than a message was printed later", async () => {
  const words = new Words(2);
  const timeline = new Timeline({ presenter: words });
  timeline.wire(LINK, event({ number: 1, from: "server" }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  timeline.line(say("server", "sent"));
  assertEquals(await words.seen, ["message 1", "sent"]);
});

Deno.test("timeline: what the receiver prints never comes before the message", async () => {
  const words = new Words(3);
  const timeline = new Timeline({ presenter: words });
  timeline.wire(LINK, event({ number: 1, kind: "connect" }));
  timeline.wire(LINK, event({ number: 2, from: "client" }));
  timeline.line(say("server", "got it"));
  assertEquals(await words.seen, ["connect 1", "message 2", "got it"]);
});

Deno.test("timeline: the last line of a program's life comes after its last message", async () => {
  const words = new Words(5);
  const timeline = new Timeline({ presenter: words });
  timeline.wire(LINK, event({ number: 1, from: "client" }));
  timeline.wire(LINK, event({ number: 2, kind: "end", from: "server" }));
  timeline.line(say("server", "Client left"));
  timeline.line(say("server", "Server closed."));
  timeline.ended({ role: "server", code: 0, signal: null, stopped: false });
  assertEquals(await words.seen, [
    "message 1",
    "Client left",
    "end 2",
    "Server closed.",
    "server ends",
  ]);
});

Deno.test("timeline: what was under way is shown once more, unless nothing lies between", async () => {
  const words = new Words(5);
  const timeline = new Timeline({ presenter: words });
  const way = { fate: "under way", delivered: null } as const;
  timeline.wire(LINK, event({ number: 1, ...way }));
  timeline.wire(LINK, event({ number: 1, delivered: 9 }));
  timeline.wire(LINK, event({ number: 2, ...way }));
  timeline.line(say("server", "waits"));
  timeline.wire(LINK, event({ number: 2, fate: "lost", delivered: null }));
  timeline.wire(LINK, event({ number: 3, ...way, marks: ["piece"] }));
  timeline.wire(LINK, event({ number: 3, marks: ["piece"] }));
  assertEquals((await words.seen).toSorted(), [
    "message 1",
    "message 2 lost again",
    "message 2 under way",
    "message 3",
    "waits",
  ]);
});

Deno.test("timeline: totals count every message of a direction", () => {
  let totals = "";
  const presenter = new Words(1);
  presenter.end = ((all: { directions: unknown }) => {
    totals = JSON.stringify(all.directions);
  }) as () => void;
  const timeline = new Timeline({ presenter });
  timeline.wire(LINK, event({ number: 1, kind: "connect" }));
  timeline.wire(LINK, event({ number: 2, bytes: bytes("ab") }));
  timeline.wire(LINK, event({ number: 3, bytes: bytes("cde") }));
  timeline.wire(LINK, event({ number: 4, from: "server", bytes: bytes("x") }));
  timeline.end({ counts: [], repeat: "" });
  assertEquals(JSON.parse(totals), [
    { from: "client", to: "server", transport: "tcp", messages: 2, bytes: 5 },
    { from: "server", to: "client", transport: "tcp", messages: 1, bytes: 1 },
  ]);
});

Deno.test("timeline: of a long message only its beginning is kept, unless all is wanted", () => {
  for (const [whole, kept] of [[false, 4_096], [true, 10_000]] as const) {
    let seen = "";
    const presenter = new Words(1);
    presenter.wire = (_, event, { size }) =>
      seen = `${(event as WireEvent).bytes.length} of ${size}`;
    const timeline = new Timeline({ presenter, whole });
    timeline.wire(LINK, event({ bytes: new Uint8Array(10_000) }));
    timeline.end({ counts: [], repeat: "" });
    assertEquals(seen, `${kept} of 10000`);
  }
});

Deno.test("timeline: 20,000 events do not hold others up, and all are shown", async () => {
  const words = new Words(20_000);
  const timeline = new Timeline({ presenter: words });
  let turns = 0;
  const timer = setInterval(() => turns++, 1); // due as soon as it gets a turn
  for (let number = 1; number <= 20_000; number++) {
    timeline.wire(LINK, event({ number }));
  }
  const shown = await words.seen;
  clearInterval(timer);
  assert(turns >= 1, "nothing else got a turn");
  const events = shown.filter((word) => word.startsWith("message"));
  assertEquals(events[0], "message 1");
  assertEquals(new Set(events).size, events.length);
  timeline.end({ counts: [], repeat: "" });
  const all = words.words.filter((word) => word.startsWith("message"));
  assertEquals(all.length, 20_000);
});

Deno.test("timeline: what comes without a pause is shown nevertheless", async () => {
  const words = new Words(1);
  const timeline = new Timeline({ presenter: words });
  let number = 0;
  const timer = setInterval(
    () => timeline.wire(LINK, event({ number: ++number })),
    5,
  );
  try {
    await words.seen;
  } finally {
    clearInterval(timer);
    timeline.end({ counts: [], repeat: "" });
  }
});

Deno.test("timeline: when it is far behind, it says how far", async () => {
  const words = new Words(3_001);
  const { wire } = words;
  words.wire = (...args) => {
    const end = performance.now() + (args[1].number > 16 ? 0 : 1);
    while (performance.now() < end); // slow as a terminal that scrolls
    wire(...args);
  };
  const timeline = new Timeline({ presenter: words });
  for (let number = 1; number <= 3_000; number++) {
    timeline.wire(LINK, event({ number }));
  }
  const shown = await words.seen;
  assert(shown.includes("This picture is 2,984 events behind."));
  timeline.end({ counts: [], repeat: "" });
  timeline.wire(LINK, event({ number: 4_000 }));
  timeline.line(say("server", "too late"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(words.words.at(-1), "end");
});

Deno.test("replay: a saved run in its order; what was late when it left, and when it came", () => {
  const words = new Words(4);
  let totals = "";
  words.end = (...args: unknown[]) => void (totals = JSON.stringify(args));
  const links = [{
    ...{ name: "server", client: "client", transport: "udp" as const },
    ...{ listen: "127.0.0.1:8080", target: "127.0.0.1:40000" },
  }];
  const header = {
    ...{ start: 0, task: "", net: "", seed: 0, versions: {}, links },
    programs: { client: "a.ts", server: "b.ts" },
  };
  const datagram = { kind: "datagram", bytes: bytes("abc") } as const;
  const late = { sent: 1_000, delivered: 300_000, marks: ["late"] } as const;
  const events = [
    event({ ...datagram, number: 1, ...late }),
    event({ ...datagram, number: 3, sent: 9_000, delivered: 9_000 }),
    event({ ...datagram, number: 2, sent: 8_000, delivered: 8_000 }),
  ];
  replay({ header, events }, words, "run.jsonl");
  assertEquals(words.words, [
    "link",
    ...["datagram 1 under way", "datagram 2", "datagram 3"],
    "datagram 1 again",
  ]);
  const direction = { from: "client", to: "server", transport: "udp" };
  assertEquals(JSON.parse(totals), [{
    ...{ ms: 300, counts: [], repeat: "" },
    directions: [{ ...direction, messages: 3, bytes: 9 }],
  }]);
});

Deno.test("wire view: what the network did, in words", () => {
  const words = (some: Partial<WireEvent>) => fateOf(event(some)).join();
  assertEquals(words({}), "");
  assertEquals(
    words({ fate: "lost", delivered: null, causes: ["down.loss=#1"] }),
    "✕ lost (down.loss=#1)",
  );
  assertEquals(
    words({ marks: ["again"], of: 4, causes: ["duplicate=5%"] }),
    "again #4 (duplicate=5%)",
  );
  assertEquals(
    words({ marks: ["late"], sent: 1_000, delivered: 201_000 }),
    "late by 200 ms",
  );
  assertEquals(words({ marks: ["piece"], of: 2 }), "piece of #2");
  assertEquals(words({ marks: ["piece"] }), "first piece");
  assertEquals(words({ marks: ["glued"], of: 2 }), "glued to #2");
  assertEquals(
    words({ marks: ["late"], fate: "under way", delivered: null }),
    "under way",
  );
  assertEquals(words({ marks: ["corrupted"] }), "one bit wrong");
  assertEquals(words({ kind: "reset", causes: ["reset=9B"] }), "(reset=9B)");
  assertEquals(words({ marks: ["overtaken"] }), "overtaken");
  assertEquals(words({ fate: "under way", delivered: null }), "under way");
});

/** The rows that a view makes of events between two programs. */
function rowsOf(
  show: (view: View) => void,
  columns = 100,
  options: { hex?: boolean; caption?: boolean; invites?: boolean } = {},
): string[] {
  const rows: string[] = [];
  const view = new View({
    columns: () => columns,
    rows: () => 24,
    print: (more) => void rows.push(...more),
  }, { colours: false, ...options });
  view.begin(PAIR, ["1 of 5 lost"]);
  show(view);
  return rows;
}

/** One arrow of an event. */
function arrowOf(some: Partial<WireEvent>, isUpdate = false): string {
  const odd = event(some);
  const detail = { size: odd.bytes.length, isUpdate };
  return rowsOf((view) => view.wire(LINK, odd, detail, 1234)).slice(7)
    .join("\n");
}

Deno.test("wire view: an arrow's number, time, text, size and fate", () => {
  const hello = { number: 12, bytes: bytes("hello") };
  assertMatch(
    arrowOf(hello),
    /^ {2}12 {3}1\.234 {2}│─+ hello {2}5 bytes ─+►│$/,
  );
  assertMatch(
    arrowOf({ ...hello, from: "server" }),
    /│◄─+ hello {2}5 bytes ─+│$/,
  );
  const lost = { fate: "lost", delivered: null, causes: ["loss=#1"] } as const;
  assertMatch(
    arrowOf({ ...hello, ...lost }),
    /│─+ hello {2}5 bytes ─+ ✕ lost \(loss=#1\) │$/,
  );
  assertMatch(
    arrowOf({ ...hello, ...lost, from: "server" }),
    /│ ✕ lost \(loss=#1\) ─+ hello {2}5 bytes ─+│$/,
  );
  const way = { fate: "under way", delivered: null } as const;
  assertMatch(arrowOf({ ...hello, ...way }), /under way ─*┈ +│$/);
  assertMatch(
    arrowOf({ ...hello, marks: ["late"], delivered: 3_000_000 }, true),
    /hello {2}#12 arrives 3,000 ms later ─+►│$/,
  );
  assertMatch(arrowOf({ kind: "end" }), /┄ sends no more \(FIN\) ┄+►│$/);
  assertMatch(arrowOf({ kind: "reset" }), /┄ reset \(RST\) ┄/);
  assertMatch(
    arrowOf({ kind: "refused", from: "server", text: "no one there" }),
    /refused \(RST\): no one there/,
  );
  assertMatch(
    arrowOf({ kind: "connect", connection: 2 }),
    /connect · connection 2/,
  );
  assertMatch(
    arrowOf({ kind: "trouble", text: "no files" }),
    /relay: no files/,
  );
  assertMatch(arrowOf({ kind: "condition", text: "loss" }), /network: loss/);
});

Deno.test("wire view: what is long takes few rows, and the names come again", () => {
  const text = "word ".repeat(600).trim();
  const said = rowsOf((view) => view.line(say("client", text), 0)).slice(7);
  assertEquals(said.length, 3);
  assertMatch(said.join("\n"), /… 2,999 bytes/);
  const sent = arrowOf({ bytes: bytes(text) }).split("\n");
  assertEquals(sent.length, 13); // twelve, and the arrow
  assertMatch(sent.at(-2) ?? "", /…/);
  const many = rowsOf((view) => {
    for (let i = 0; i < 30; i++) view.line(say("client", `${i}`), 0);
  });
  assertEquals(many.filter((row) => /client +server$/.test(row)).length, 2);
});

Deno.test("wire view: a hex dump is whole, also where it is narrow", () => {
  const sent = Uint8Array.from({ length: 32 }, (_, i) => i + 64);
  const some = event({ bytes: sent });
  for (const columns of [40, 80, 200]) {
    const rows = rowsOf(
      (view) => view.wire(LINK, some, { size: 32, isUpdate: false }, 0),
      columns,
      { hex: true },
    ).join(" ");
    const pairs = rows.match(/\b[4-5][0-9a-f](?= )/g) ?? [];
    assertEquals(pairs.join(""), sent.toHex(), rows);
    assertMatch(rows, /XYZ/);
  }
});

Deno.test("wire view: how programs end", () => {
  const ended = (
    code: number,
    stopped: boolean,
    signal: string | null = null,
  ) =>
    rowsOf((view) => view.ended({ role: "client", code, signal, stopped }, 0))
      .at(-1)?.trim().replace(/\s+│$/, "");
  assertEquals(ended(0, false), "0.000  ■");
  assertEquals(ended(143, true), "0.000  ■ stopped");
  assertEquals(ended(3, false), "0.000  ■ ended with status 3");
  assertEquals(ended(137, false, "SIGKILL"), "0.000  ■ ended by SIGKILL");
});

Deno.test("wire view: sentence, captions, counts and the command that repeats", () => {
  const rows = rowsOf(
    (view) => {
      view.link(LINK);
      view.end({
        ms: 1500,
        directions: [],
        counts: ["client → server: 5 sent, 4 delivered"],
        repeat: "deno task udp --seed 7",
      });
    },
    100,
    { caption: true, invites: true },
  ).join("\n");
  for (
    const part of [
      "Look at both.",
      "Network: 1 of 5 lost",
      "relay: TCP port 12345 → 40000",
      "in the picture, too, at 127.0.0.1:12345.",
      "client → server: 5 sent, 4 delivered",
      "Again: deno task udp --seed 7",
      "1.5 s in all",
    ]
  ) assert(rows.includes(part), `no ${part} in ${rows}`);
});

Deno.test("wire view: only what is wrong is red", () => {
  const isRed = (code: number, stopped: boolean) => {
    const rows: string[] = [];
    const screen = { columns: () => 100, rows: () => 24 };
    const print = (more: string[]) => void rows.push(...more);
    const view = new View({ ...screen, print }, { colours: true });
    view.begin(PAIR, []);
    view.ended({ role: "client", code, signal: null, stopped }, 0);
    return rows.join("").includes("\x1b[0;1;31m");
  };
  assertEquals(
    [isRed(0, false), isRed(143, true), isRed(3, false)],
    [false, false, true],
  );
});

Deno.test("wire view: what the network did stands instead of the totals", () => {
  const totals = (counts: string[]) =>
    rowsOf((view) =>
      view.end({
        ms: 1,
        directions: [{
          ...{ from: "client", to: "server", transport: "tcp" },
          ...{ messages: 7, bytes: 8 },
        }],
        counts,
        repeat: "",
      })
    ).join("\n");
  assertMatch(totals([]), /7 messages, 8 bytes/);
  assert(!totals(["1 sent"]).includes("7 messages"));
  assertMatch(totals(["1 sent"]), /1 sent/);
});

Deno.test("wire view: says once where a browser may go", () => {
  const rows = rowsOf(
    (view) => {
      view.link(LINK);
      view.link({ ...LINK, name: "other" });
    },
    100,
    { invites: true },
  );
  const text = rows.join("\n");
  assertEquals(text.match(/Your own client or browser/g)?.length, 1, text);
  assertMatch(text, /at 127\.0\.0\.1:12345\./);
  assert(!rowsOf((view) => view.link(LINK)).join("").includes("Your own"));
});

Deno.test("wire view: names and commands stay apart, however long they are", () => {
  const own = "python3 a/very/long/path/to/my_program.py --port {port} 你好";
  const names = ["client", "broker", "nats", "toupper", "tolower"];
  for (const count of [2, 4, 5]) {
    for (const columns of [40, 80, 120, 200]) {
      for (const choice of [0, 1, 2, 2 ** count - 1]) {
        const members = names.slice(0, count).map((name, i) => ({
          name,
          title: choice >> i & 1 ? own : `${name}.ts`,
        }));
        const rows: string[] = [];
        const view = new View({
          columns: () => columns,
          rows: () => 24,
          print: (more) => void rows.push(...more),
        }, { colours: false });
        view.begin({ name: "x", summary: "", look: "", members }, []);
        const [said = "", titles = ""] = rows.slice(-3);
        const parts = titles.trim().split(/ {2,}/);
        assertEquals(said.trim().split(/ {2,}/), names.slice(0, count));
        assertEquals(parts.length, count, titles);
        for (const [i, part] of parts.entries()) {
          assert(
            part.startsWith(
              choice >> i & 1 ? "pyt" : (names[i] ?? "?").slice(0, 3),
            ),
            titles,
          );
        }
        assert(width(titles) <= columns, titles);
      }
    }
  }
});

Deno.test("wire view: columns of a terminal", () => {
  const cases: [string, number][] = [
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 1],
    ["你好", 4],
    ["👩‍🚀", 2],
    ["👋", 2],
    ["🇩🇪", 2],
    ["❤", 1],
    ["❤\ufe0f", 2],
    ["각", 2],
    ["\u1100\u1161\u11a8", 2],
    ["Ａ", 2],
    ["ｱ", 1],
    ["─►✕…␣", 5],
    ["\u200d", 0],
    ["", 0],
  ];
  for (const [text, columns] of cases) assertEquals(width(text), columns, text);
});

/** What a few conditions do to an example, and what the view says of it. */
const NETS: [
  example: string,
  net: string,
  script: string,
  fails: boolean,
  shows: RegExp,
][] = [
  ["udp", "down.loss=#1", "", true, /✕ lost \(down\.loss=#1\)[^]*1 lost/],
  ["udp", "loss=100%", "", true, /✕ lost \(loss=100%\)[^]*ended with status 1/],
  ["udp", "duplicate=#1", "", false, /again #\d/],
  ["udp", "size=5B", "", true, /✕ lost[^]*size=5B/],
  ["udp", "reorder=100%", "", false, /Server says: Hello from server!/],
  ["tcp", "cut=8B", "", false, /first piece[^]*piece of #/],
  ["tcp", "delay=100ms", "", false, /arrives 1\d\d ms later/],
  ["tcp", "reset=5B", "", true, /RST[^]*reset=5B/],
  ["tcp", "up.stall=10B", "", false, /nothing passes any more[^]*✕ lost/],
  [
    "tcp:chat",
    "cut=1B",
    "Hi 👋|ü 你好 🚀|exit",
    false,
    /Client: Hi 👋 [^]*Server: ü 你好 🚀 /,
  ],
  ["http", "down.reset=40B", "/|n", true, /RST[^]*down\.reset=40B/],
  [
    "web",
    "down.cut=70B",
    "/test.txt|n",
    false,
    /HTTP\/1\.1 200[^]*first piece/,
  ],
  ["library", "cut=2B", "", false, /Response: Hello Client!/],
  [
    "broker",
    "toupper:delay=3s",
    "toupper:a|exit",
    false,
    /under way[^]*toupper → broker: (\d+) datagrams sent, \1 delivered/,
  ],
  [
    "broker",
    "toupper:down.loss=#1",
    "toupper:a|exit",
    false,
    /✕ lost[^]*Converted text: A/,
  ],
];
Deno.test({
  name: "wire view: what conditions do to an example",
  ...UNCOUNTED,
  async fn(t) {
    await using reaper = new Reaper();
    const steps = NETS.map(([example, net, script, fails, shows]) => ({
      name: `${example} --net ${net}`,
      async fn() {
        const options = { net, seed: "7", script };
        const { text, wrong } = await launchHere(example, reaper, options);
        assertMatch(
          wrong,
          fails ? /^(\S+ ended with status 1(, |$))+$/ : /^$/,
          text,
        );
        assertMatch(text, /^Network: /m);
        assertMatch(text, shows);
        assertMatch(text, /Again: deno task \S+ --net \S+ --seed 7\n/);
        assert(!/--seed 7 [^]*--seed/.test(text), "two seeds");
        assertMatch(text, /→ \S+: \d+ \w+ sent, \d+ delivered/);
      },
    }));
    await sideBySide(t, 3, steps);
  },
});

Deno.test("wire view: deno task NAME --net CONDITIONS", async () => {
  await using launch = launcher(
    "udp",
    ...["--net", "loss=#1", "--net", "delay=1ms", "--seed", "7"],
  );
  await assertExits(launch, 1);
  assertMatch(launch.stdout, /^Network: /m);
  assertMatch(launch.stdout, /✕ lost \(loss=#1\)/);
  const again =
    /Again: deno task udp --port 0 --net "?loss=#1"? --net delay=1ms --seed 7\s/;
  assertMatch(launch.stdout, again);
  assertMatch(launch.stderr, /^udp:client ended with status 1.*\n$/);
});

Deno.test("wire view: TCP cannot lose, and says so", async () => {
  await using launch = launcher("tcp", "--net", "loss=20%");
  await assertExits(launch, 2);
  assertMatch(launch.stderr, /^[^\n]*delay[^\n]*stall[^\n]*\n$/);
  await using relay = wire("tcp", "0", "9", "--net", "loss=20%");
  await assertExits(relay, 2);
});

Deno.test("wire view: the relay has the usual port if that is free", async () => {
  using _turn = await takeTurn();
  {
    using taken = takeOrNot(12345);
    await using launch = launcher("tcp", "--port", "12345");
    await assertExits(launch, taken ? 1 : 0);
    await using other = new Program("tcp", [...FLAGS, "launch/main.ts", "tcp"]);
    await assertExits(other, 0);
    assertMatch(other.stdout, /relay: TCP port (?!12345 )\d+ → \d+/);
    if (!taken) return;
    assertMatch(launch.stderr, /^Cannot listen on 127.0.0.1:12345: [^\n]+\n$/);
  }
  await using usual = new Program("tcp", [...FLAGS, "launch/main.ts", "tcp"]);
  await assertExits(usual, 0);
  assertMatch(usual.stdout, /relay: TCP port 12345 → \d+/);
  await using chosen = launcher("udp", "--port", "0");
  await assertExits(chosen, 0);
  assertMatch(chosen.stdout, /relay: UDP port (?!0 )\d+ → \d+/);
});

function takeOrNot(port: number): Deno.TcpListener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch {
    return undefined; // somebody else has it: as good
  }
}

Deno.test({
  name: "wire view: nothing to type, and an empty script, end well",
  ...UNCOUNTED,
  async fn(t) {
    const steps = [["--script", ""], []].flatMap((args) =>
      ["web", "tcp:chat", "broker"].map((example) => ({
        name: `${example} ${args[0] ?? "without a line"}`,
        async fn() {
          await using launch = launcher(example, ...args);
          await launch.endInput();
          await assertExits(launch, 0);
        },
      }))
    );
    await sideBySide(t, 3, steps);
  },
});
