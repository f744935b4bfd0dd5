import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LinkName } from "../launch/wire/conditions/conditions.ts";
import { HELP } from "../launch/wire/conditions/help.ts";
import { BadCondition, parseNet } from "../launch/wire/conditions/parse.ts";
import { PRESETS } from "../launch/wire/conditions/presets.ts";
import { Counts } from "../launch/wire/counts.ts";
import { Direction, type Stop } from "../launch/wire/direction.ts";
import { Lane } from "../launch/wire/lane.ts";
import { Link } from "../launch/wire/link.ts";
import {
  type Kind,
  type Recorder,
  Recording,
  type Side,
  type Transport,
  type WireEvent,
} from "../launch/wire/relay.ts";
import { PATIENCE_MS } from "./assertions.ts";
import { event } from "./launches.ts";

const UDP: LinkName[] = [{ name: "server", transport: "udp" }];
const TCP: LinkName[] = [{ name: "server", transport: "tcp" }];
const BROKER: LinkName[] = ["broker", "toupper", "tolower"].map((name) => ({
  name,
  transport: "udp",
}));

/** A queue under conditions, and all that is reported and handed on. */
interface Bench {
  lane: Lane;
  events: WireEvent[];
  counts: Counts;
  /** What was handed on, in order, and when (µs). */
  out: { kind: Kind; text: string; bytes: Uint8Array; at: number }[];
  stops: Stop[];
  /** Resolves when the queue is empty. */
  drained(): Promise<void>;
}

async function bench(
  net: string,
  transport: Transport,
  { seed = 7, from = "client", link = "server", recorder }: {
    seed?: number;
    from?: Side;
    link?: string;
    recorder?: Recorder;
  } = {},
): Promise<Bench> {
  const links = [{ name: link, transport }];
  const { up, down } = (await parseNet([net], { links, seed })).of({
    name: link,
    transport,
  });
  const direction = new Direction(link, from);
  direction.set(from === "client" ? up : down, seed);
  const events: WireEvent[] = [], counts = new Counts();
  const out: Bench["out"] = [], stops: Stop[] = [];
  recorder ??= new Recording((event) => {
    events.push(event);
    counts.take(event);
  });
  const clock = recorder;
  const lane: Lane = new Lane({
    ...{ link, from, direction, recorder, ordered: transport === "tcp" },
    out(kind, _, bytes) {
      const text = new TextDecoder().decode(bytes);
      out.push({ kind, text, bytes: bytes.slice(), at: clock.now() });
      return true;
    },
    stop(stop) {
      stops.push(stop);
      if (stop.then === "stall") lane.stall(stop.cause);
      else lane.close();
    },
  });
  lane.watchTime();
  return {
    ...{ lane, events, counts, out, stops },
    async drained() {
      const end = performance.now() + PATIENCE_MS;
      while (!lane.empty) {
        assert(performance.now() < end, "the queue does not get empty");
        await pause(2);
      }
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Sends datagrams "1", "2", … at once; returns what arrived, in order. */
async function sendAll(net: string, count: number): Promise<string[]> {
  const { lane, out, drained } = await bench(net, "udp");
  for (let i = 1; i <= count; i++) lane.take("datagram", 1, bytesOf(`${i}`));
  await drained();
  return out.map(({ text }) => text);
}

/** Which of so many datagrams are lost. */
async function lostOf(
  net: string,
  count: number,
  options: Parameters<typeof bench>[2] = {},
): Promise<number[]> {
  const { lane, events } = await bench(net, "udp", options);
  for (let i = 0; i < count; i++) lane.take("datagram", 1, new Uint8Array(1));
  return events.flatMap(({ fate }, i) => fate === "lost" ? [i + 1] : []);
}

Deno.test("conditions: by number, in turns, and so many of each", async () => {
  assertEquals(await lostOf("loss=#1", 5), [1]);
  assertEquals(await lostOf("loss=#3,#4", 9), [3, 4]);
  assertEquals(await lostOf("loss=every3", 9), [3, 6, 9]);
  assertEquals(await lostOf("loss=every1", 3), [1, 2, 3]);
  const lost = await lostOf("loss=2/5", 1000);
  for (let group = 0; group < 200; group++) {
    const inGroup = lost.filter((n) => Math.floor((n - 1) / 5) === group);
    assertEquals(inGroup.length, 2, `group ${group}`);
  }
  // The places are drawn: not the same in each group.
  assert(new Set(lost.map((n) => (n - 1) % 5)).size === 5);
  assertEquals(await lostOf("loss=5/5", 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("conditions: shares come out, alone and in runs", async () => {
  const count = 20_000;
  const within = (value: number, expected: number, deviations: number) =>
    assert(
      Math.abs(value - expected) <= deviations,
      `${value}, not ${expected} ± ${deviations}`,
    );
  for (const share of [0.01, 0.2, 0.5]) {
    const { length } = await lostOf(`loss=${share * 100}%`, count);
    // Six standard deviations: once in a billion seeds.
    within(length, count * share, 6 * Math.sqrt(count * share * (1 - share)));
  }
  assertEquals((await lostOf("loss=100%", 1000)).length, 1000);
  assertEquals((await lostOf("loss=0%", 1000)).length, 0);

  const lost = await lostOf("loss=5%x4", count);
  within(lost.length, count * 0.05, 500);
  const runs = lost.filter((n, i) => lost[i - 1] !== n - 1).length;
  const mean = lost.length / runs;
  assert(mean > 3.4 && mean < 4.6, `runs of ${mean}`);
  const single = await lostOf("loss=5%", count);
  const singles = single.filter((n, i) => single[i - 1] !== n - 1).length;
  assert(single.length / singles < 1.2);
});

Deno.test("conditions: the same seed decides the same, whatever happens elsewhere", async () => {
  const first = await lostOf("loss=20%", 2000);
  assertEquals(await lostOf("loss=20%", 2000), first);
  // One more datagram at the end, another condition, other bytes: no change.
  const more = await lostOf("loss=20% duplicate=10%", 2001);
  const { lane, events } = await bench("loss=20% jitter=1ms", "udp");
  for (let i = 0; i < 2000; i++) lane.take("datagram", 2, new Uint8Array(9));
  const lost = events.filter(({ fate }) => fate === "lost");
  assertEquals(lost.length, first.length);
  assert(more.length >= first.length);
  lane.close();
  // Another seed, direction, link or condition: something else.
  const others = [
    await lostOf("loss=20%", 2000, { seed: 8 }),
    await lostOf("loss=20%", 2000, { from: "server" }),
    await lostOf("loss=20%", 2000, { link: "toupper" }),
    await lostOf("loss=20.0%", 2000),
  ];
  for (const other of others) {
    assert(other.join() !== first.join());
    // They are independent: together about 1 of 25.
    const both = other.filter((n) => first.includes(n)).length;
    assert(both > 40 && both < 125, `${both} are the same`);
  }
  // `up.` changes who is concerned, not the chance.
  assertEquals(
    await lostOf("up.loss=20%", 2000),
    await lostOf("loss=20%", 2000),
  );
});

Deno.test("conditions: for a time", async () => {
  let now = 0, count = 0;
  const fates: string[] = [];
  const recorder: Recorder = {
    next: () => ++count,
    now: () => now,
    record: ({ fate }) => fates.push(fate),
  };
  const { lane } = await bench("loss=100%@5s..8s", "udp", { recorder });
  for (now of [0, 4_999_999, 5_000_000, 7_999_999, 8_000_000, 60_000_000]) {
    lane.take("datagram", 1, new Uint8Array(1));
  }
  assertEquals(fates, [
    ...["delivered", "delivered", "lost", "lost", "delivered", "delivered"],
  ]);
});

Deno.test("conditions: duplicate says again, and names the first", async () => {
  const { lane, events, out, counts } = await bench("duplicate=#2", "udp");
  for (const text of ["a", "b", "c"]) lane.take("datagram", 1, bytesOf(text));
  assertEquals(out.map(({ text }) => text), ["a", "b", "b", "c"]);
  assertEquals(
    events.map(({ number, of, marks, causes }) => [
      ...[number, of, marks.join(), causes.join()],
    ]),
    [
      [1, null, "", ""],
      [2, null, "", ""],
      [3, 2, "again", "duplicate=#2"],
      [4, null, "", ""],
    ],
  );
  assertEquals(counts.of("server", "client"), {
    ...{ link: "server", from: "client", thing: "datagram", sent: 3, bytes: 3 },
    ...{ delivered: 4, lost: 0, twice: 1, late: 0 },
  });
});

Deno.test("conditions: what is lost is not doubled, in whatever order they are typed", async () => {
  const { lane, events } = await bench("duplicate=#1 loss=#1", "udp");
  lane.take("datagram", 1, new Uint8Array(1));
  assertEquals(events.map(({ fate, causes }) => [fate, causes.join()]), [
    ["lost", "loss=#1"],
  ]);
});

Deno.test("conditions: what is lost is not doubled, and each loss has its cause", async () => {
  const { lane, events, counts } = await bench("loss=20% duplicate=5%", "udp");
  for (let i = 0; i < 20_000; i++) lane.take("datagram", 1, new Uint8Array(4));
  const count = counts.of("server", "client");
  assert(count);
  assertEquals(count.sent, 20_000);
  assertEquals(count.delivered, count.sent - count.lost + count.twice);
  assert(Math.abs(count.lost - 4000) < 340, `${count.lost} lost`);
  assert(Math.abs(count.twice - 800) < 170, `${count.twice} twice`);
  for (const { fate, causes, delivered, marks } of events) {
    const isLost = fate === "lost";
    assertEquals(causes.includes("loss=20%"), isLost);
    assertEquals(delivered === null, isLost);
    if (isLost) assertEquals(marks, []);
  }
});

Deno.test("conditions: 40,000 datagrams lost, doubled and late: each is accounted for", async () => {
  const { lane, events, counts, out, drained } = await bench(
    "loss=20% duplicate=5% jitter=30ms",
    "udp",
  );
  const sent = 40_000;
  for (let i = 1; i <= sent; i++) {
    lane.take("datagram", 1, bytesOf(`${i}`));
    if (i % 1000 === 0) await pause(1);
  }
  await drained();
  const count = counts.of("server", "client");
  assert(count);
  const { lost, twice, delivered } = count;
  // Six standard deviations.
  assert(Math.abs(lost - 8000) < 480, `${lost} lost`);
  assert(Math.abs(twice - 1600) < 240, `${twice} twice`);
  assertEquals([count.sent, delivered], [sent, sent - lost + twice]);
  assertEquals(out.length, delivered);
  const last = new Map(events.map((event) => [event.number, event]));
  assertEquals(last.size, sent + twice);
  const fates = Map.groupBy(last.values(), ({ fate }) => fate);
  assertEquals(fates.get("lost")?.length, lost);
  assertEquals(fates.get("under way"), undefined);
  // Each that was not lost arrived once, or twice.
  const arrived = Map.groupBy(out, ({ text }) => text);
  assertEquals(arrived.size, sent - lost);
  const doubled = [...arrived.values()].filter(({ length }) => length === 2);
  assertEquals(doubled.length, twice);
});

Deno.test("conditions: a delay holds nothing else up", async () => {
  const { lane, out, drained, events } = await bench("delay=150ms:#1", "udp");
  for (const text of ["slow", "fast"]) lane.take("datagram", 1, bytesOf(text));
  assertEquals(out.map(({ text }) => text), ["fast"]);
  await drained();
  assertEquals(out.map(({ text }) => text), ["fast", "slow"]);
  const reports = events.filter(({ number }) => number === 1);
  assertEquals(reports.map(({ fate }) => fate), ["under way", "delivered"]);
  const [under, done] = reports;
  assertEquals(under?.delivered, null);
  assert((done?.delivered ?? 0) - (done?.sent ?? 0) >= 150_000);
  assertEquals(done?.marks, ["late"]);
  assertEquals(done?.causes, ["delay=150ms:#1"]);
});

Deno.test("conditions: a stream keeps its order, its end too", async () => {
  const { lane, out, drained } = await bench("delay=100ms:#1", "tcp");
  lane.take("connect", 1);
  lane.take("message", 1, bytesOf("a"));
  lane.take("message", 1, bytesOf("b"));
  lane.take("end", 1);
  assertEquals(out.map(({ kind }) => kind), ["connect"]);
  await drained();
  assertEquals(
    out.map(({ kind, text }) => text || kind),
    ["connect", "a", "b", "end"],
  );
});

Deno.test("conditions: jitter stays around the delay, and never before it", async () => {
  let now = 0, count = 0;
  const recorder: Recorder = {
    next: () => ++count,
    now: () => now,
    record: () => {},
  };
  const arrived = async (net: string, times: number[]) => {
    now = 0;
    const { lane, out } = await bench(net, "udp", { recorder });
    for (let i = 0; i < 2000; i++) lane.take("datagram", 1, new Uint8Array(1));
    const counts = times.map((time) => {
      now = time;
      lane.run();
      return out.length;
    });
    lane.close();
    return counts;
  };
  const [before, quarter = 0, half = 0, all] = await arrived(
    "delay=40ms jitter=20ms",
    [19_999, 30_000, 40_000, 60_000],
  );
  assertEquals([before, all], [0, 2000]);
  assert(Math.abs(quarter - 500) < 120, `${quarter} of 2000 by 30 ms`);
  assert(Math.abs(half - 1000) < 140, `${half} of 2000 by 40 ms`);
  // Alone, it only makes later.
  const [some = 0, rest] = await arrived("jitter=20ms", [10_000, 20_000]);
  assert(Math.abs(some - 1000) < 140, `${some} of 2000 by 10 ms`);
  assertEquals(rest, 2000);
});

Deno.test("conditions: reorder lets the next one past, and only that", async () => {
  assertEquals(await sendAll("reorder=#2", 4), ["1", "3", "2", "4"]);
  const overtaken = await bench("reorder=#1", "udp");
  for (const text of ["a", "b"]) {
    overtaken.lane.take("datagram", 1, bytesOf(text));
  }
  const marks = overtaken.events.findLast(({ number }) => number === 1)?.marks;
  assert(marks?.includes("overtaken"), `${marks}`);
  const { lane, events, out, drained } = await bench("reorder=#1", "udp");
  lane.take("datagram", 1, bytesOf("alone"));
  assertEquals(out, []);
  await drained(); // nothing comes to overtake it: it goes all the same
  const done = events.at(-1);
  assertEquals(done?.fate, "delivered");
  assert((done?.delivered ?? 0) - (done?.sent ?? 0) >= 500_000);
  assertEquals(done?.marks.includes("overtaken"), false);
});

Deno.test("conditions: corrupt changes one bit, of one copy", async () => {
  const { lane, out, events } = await bench("corrupt=100%", "udp");
  const sent = new Uint8Array(100);
  lane.take("datagram", 1, sent);
  lane.take("datagram", 1, new Uint8Array());
  const bits = Array.from(out[0]?.bytes ?? []).reduce((sum, byte) => {
    return sum + byte.toString(2).replaceAll("0", "").length;
  }, 0);
  assertEquals(bits, 1);
  assertEquals(sent, new Uint8Array(100), "the sender's bytes");
  assertEquals(events[0]?.marks, ["corrupted"]);
  assertEquals(events[1]?.marks, []);
});

Deno.test("conditions: size and rate lose what is too much", async () => {
  const { lane, events } = await bench("size=512B", "udp");
  for (const length of [0, 511, 512, 513]) {
    lane.take("datagram", 1, new Uint8Array(length));
  }
  assertEquals(events.map(({ fate }) => fate), [
    ...["delivered", "delivered", "delivered", "lost"],
  ]);

  const slow = await bench("rate=10KB/s", "udp");
  for (let i = 0; i < 20; i++) {
    slow.lane.take("datagram", 1, new Uint8Array(1000));
  }
  // 100 ms each: what would wait for more than 1 s is lost.
  assertEquals(slow.counts.of("server", "client")?.lost, 9);
  await slow.drained();
  const times = slow.out.map(({ at }) => at);
  assertEquals(times.length, 11);
  assert((times.at(-1) ?? 0) - (slow.events[0]?.sent ?? 0) >= 1_100_000);
});

Deno.test("conditions: rate lets a stream wait, and loses nothing", async () => {
  const { lane, out, drained, events } = await bench("rate=50KB/s", "tcp");
  lane.take("message", 1, new Uint8Array(10_000));
  await drained();
  const sum = out.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assertEquals(sum, 10_000);
  const last = events.at(-1);
  assert((last?.delivered ?? 0) - (last?.sent ?? 0) >= 200_000);
  assert(out.length >= 4 && out.length <= 7, `${out.length} pieces`);
});

Deno.test("conditions: a stream that waits is read no further than 1 MiB", async () => {
  const { lane } = await bench("delay=60s", "tcp");
  for (let i = 0; i < 15; i++) lane.take("message", 1, new Uint8Array(65_536));
  assert(!lane.full);
  lane.take("message", 1, new Uint8Array(65_536));
  assert(lane.full);
  lane.close();
});

Deno.test("conditions: cut makes pieces that leave at least 5 ms apart", async () => {
  const { lane, out, drained, events, counts } = await bench("cut=3B", "tcp");
  lane.take("message", 1, bytesOf("0123456789"));
  lane.take("end", 1);
  await drained();
  assertEquals(out.map(({ text }) => text), ["012", "345", "678", "9", ""]);
  const done = events.filter(({ fate, kind }) =>
    fate === "delivered" && kind === "message"
  );
  assertEquals(done.map(({ of }) => of), [null, 1, 1, 1]);
  for (const { marks, causes } of done) {
    assert(marks.includes("piece"));
    assertEquals(causes, ["cut=3B"]);
  }
  const times = done.map(({ delivered }) => delivered ?? 0);
  for (const [i, time] of times.entries()) {
    if (i > 0) assert(time - (times[i - 1] ?? 0) >= 5_000);
  }
  assertEquals(counts.of("server", "client")?.bytes, 10);
});

Deno.test("conditions: glue sends what comes within its time in one piece", async () => {
  const { lane, out, drained, events } = await bench("glue=60ms", "tcp");
  lane.take("message", 1, bytesOf("one "));
  lane.take("message", 1, bytesOf("two"));
  assertEquals(out, []);
  await drained();
  assertEquals(out.map(({ text }) => text), ["one two"]);
  assertEquals(events.at(-1)?.marks.includes("glued"), true);
  assertEquals(events.at(-1)?.of, 1);
  lane.take("message", 1, bytesOf("later"));
  await drained();
  assertEquals(out.map(({ text }) => text), ["one two", "later"]);
  assertEquals(events.at(-1)?.marks.includes("glued"), false);
});

Deno.test("conditions: reset and stall after so many bytes, to the byte", async () => {
  for (const then of ["reset", "stall"] as const) {
    const { lane, out, stops, events } = await bench(`${then}=6B`, "tcp");
    lane.take("message", 1, bytesOf("0123"));
    assertEquals(stops, []);
    lane.take("message", 1, bytesOf("456789"));
    lane.take("message", 1, bytesOf("never"));
    assertEquals(out.map(({ text }) => text), ["0123", "45"]);
    assertEquals(stops, [{ cause: `${then}=6B`, then, both: true }]);
    lane.close();
    const lost = events.filter(({ fate }) => fate === "lost");
    assertEquals(
      new TextDecoder().decode(lost[0]?.bytes ?? new Uint8Array()),
      "6789",
    );
    assert(lost[0]?.causes.includes(`${then}=6B`));
    // What came later stays behind it, for the same cause.
    if (then === "stall") assert(lost[1]?.causes.includes("stall=6B"));
  }
  const exact = await bench("up.stall=4B", "tcp");
  exact.lane.take("message", 1, bytesOf("0123"));
  assertEquals(exact.out.length, 1);
  assertEquals(exact.stops[0]?.both, false);
});

Deno.test("conditions: reset and stall after a time", async () => {
  const { lane, out, stops } = await bench("stall=80ms", "tcp");
  lane.take("message", 1, bytesOf("in time"));
  assertEquals(out.length, 1);
  const end = performance.now() + PATIENCE_MS;
  while (stops.length === 0 && performance.now() < end) await pause(5);
  lane.take("message", 1, bytesOf("late"));
  assertEquals(out.map(({ text }) => text), ["in time"]);
  assertEquals(stops.length, 1);
  lane.close();
});

Deno.test("conditions: what comes later counts time and bytes from then on", async () => {
  let now = 0, count = 0;
  const recorder: Recorder = {
    next: () => ++count,
    now: () => now,
    record: () => {},
  };
  const link: LinkName = { name: "server", transport: "tcp" };
  const direction = new Direction("server", "client");
  const stops: string[] = [];
  const lane = new Lane({
    ...{ link: "server", from: "client", direction, recorder, ordered: true },
    out: () => true,
    stop: ({ cause }) => stops.push(cause),
  });
  lane.take("message", 1, new Uint8Array(9));
  const change = async (net: string) => {
    const { up } = (await parseNet([net], { links: [link] })).of(link);
    lane.countFrom(direction.set(up, 1));
    lane.run();
  };
  now = 60e6;
  await change("reset=10s");
  now = 69e6;
  lane.take("message", 1, new Uint8Array(5));
  assertEquals(stops, []);
  await change("reset=10s stall=5B");
  lane.take("message", 1, new Uint8Array(4));
  assertEquals(stops, []);
  now = 70e6;
  lane.run();
  assertEquals(stops, ["reset=10s"]);
  lane.close();
});

Deno.test("conditions: so many bytes wait for a delay; then datagrams are lost, and it is said", async () => {
  const { lane, events } = await bench("delay=60s", "udp");
  const bytes = new Uint8Array(65_507);
  for (let i = 0; i < 1040; i++) lane.take("datagram", 1, bytes); // 68 MB
  const lost = events.filter(({ causes }) => causes.includes("relay"));
  // 64 MiB, of which each takes a little more than its bytes.
  assertEquals(lost.length, 1040 - Math.floor(64 * 1024 ** 2 / 65_763));
  const said = events.filter(({ kind }) => kind === "trouble");
  assertEquals(said.map(({ text }) => text), [
    "The relay keeps at most 64 MiB under way; it loses the rest.",
  ]);
  lane.close();
});

Deno.test("conditions: a trouble of the relay's own is told once a second at most", () => {
  let now = 0, told = 0;
  const recorder: Recorder = {
    next: () => 1,
    now: () => now,
    record: () => told++,
  };
  const target = { hostname: "127.0.0.1", port: 9 };
  const link = new Link({ link: "server", target, recorder }, () => []);
  for (now of [0, 500_000, 999_999]) link.trouble("no files");
  assertEquals(told, 1);
  link.trouble("no memory");
  now = 1_000_000;
  link.trouble("no files");
  assertEquals(told, 3);
});

Deno.test("conditions: what is made at the relay was sent by nobody", () => {
  const counts = new Counts();
  counts.take(event({ bytes: bytesOf("a") }));
  counts.take(event({ number: 2, bytes: bytesOf("bc"), marks: ["injected"] }));
  const { sent, bytes, delivered } = counts.of("server", "client") ?? {};
  assertEquals([sent, bytes, delivered], [1, 1, 2]);
});

Deno.test("conditions: what 0 says changes nothing", async () => {
  for (const net of ["loss=0%", "delay=0ms jitter=0s", "duplicate=0/5"]) {
    const network = await parseNet([net], { links: UDP });
    assertEquals(network.of({ name: "server", transport: "udp" }).up, [], net);
    assertEquals(network.sentences(), []);
  }
  const { up } = (await parseNet(["cut=0B glue=0ms rate=0B/s stall=0B"], {
    links: TCP,
  })).of({ name: "server", transport: "tcp" });
  assertEquals(up.map(({ text }) => text), ["stall=0B"]); // at once
});

Deno.test("conditions: whom they are for", async () => {
  const net = await parseNet(["toupper:down.loss=#1 up.delay=3s", "size=1KB"], {
    links: BROKER,
    seed: 3,
  });
  const texts = (name: string) => {
    const { up, down } = net.of({ name, transport: "udp" });
    return [up, down].map((all) => all.map(({ text }) => text).join(" "));
  };
  assertEquals(texts("toupper"), [
    "up.delay=3s size=1KB",
    "down.loss=#1 size=1KB",
  ]);
  assertEquals(texts("broker"), ["up.delay=3s size=1KB", "size=1KB"]);
  assertEquals(net.options, [
    "--net",
    "toupper:down.loss=#1 up.delay=3s size=1KB",
    "--seed",
    "3",
  ]);
});

Deno.test("conditions: units, times and files", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(
      file,
      "# a bad day\nloss=#1,#2  # counted\nsize=1KiB\n",
    );
    const texts = [
      `@${file}`,
      "rate=1.5MB/s delay=1.5s@..2s jitter=20us:every2",
    ];
    const { up } = (await parseNet(texts, { links: UDP })).of({
      name: "server",
      transport: "udp",
    });
    assertEquals(up.map(({ name, amount, phase }) => [name, amount, phase]), [
      ["loss", 0, null],
      ["size", 1024, null],
      ["rate", 1_500_000, null],
      ["delay", 1_500_000, { from: 0, to: 2_000_000 }],
      ["jitter", 20, null],
    ]);
    await Deno.writeTextFile(file, `@${file}`);
    await assertRejects(
      () => parseNet([`@${file}`], { links: UDP }),
      BadCondition,
      "files name files 5 deep",
    );
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("conditions: each wrong one is told in one line that helps", async () => {
  const wrong: [string, LinkName[], RegExp][] = [
    ["loss=20", UDP, /20 has no unit.*loss=20%/],
    ["loss=101%", UDP, /more than 100 %/],
    ["loss=#0", UDP, /the first one is #1/],
    ["loss=6/5", UDP, /6 are more than 5/],
    ["loss=0/0", UDP, /0 of 0/],
    ["loss=5%x0", UDP, /runs are of 1 or more/],
    ["loss=every0", UDP, /every1 is the least/],
    ["loss=some", UDP, /some says not which/],
    ["loss", UDP, /says not how much.*loss=20%/],
    ["los=20%", UDP, /unknown condition "los".*loss.*wifi/],
    ["constructor=1", UDP, /unknown condition/],
    ["delay=100", UDP, /100 has no unit.*ms or s.*delay=100ms/],
    ["delay=10KB", UDP, /10KB is not an amount/],
    ["delay=-5ms", UDP, /is not an amount/],
    ["delay=3s:often", UDP, /often says not which/],
    ["rate=10KB", UDP, /is not an amount.*KB\/s/],
    ["size=2", UDP, /has no unit.*B, KB or MB/],
    ["loss=20%@8s..5s", UDP, /is no time/],
    ["loss=20%@5s", UDP, /is no time/],
    ["loss=20%@..", UDP, /is no time/],
    ["loss=20%@1s..2s@3s..4s", UDP, /more than one @/],
    ["nobody:loss=20%", UDP, /no link to "nobody".*There is: server/],
    ["left.loss=20%", UDP, /is no condition/],
    ["wifi=3", UDP, /wifi takes no value/],
    ["reset=1KB#2", TCP, /reset takes no #2/],
    ["loss=20%", TCP, /TCP repairs loss below.*delay=.*stall=/],
    ["server:duplicate=#1", TCP, /is TCP, and duplicate is for UDP/],
    ["cut=3B", UDP, /is UDP, and cut is for TCP/],
    ["@/nowhere/at-all", UDP, /Cannot read the conditions in/],
  ];
  for (const [net, links, complaint] of wrong) {
    const error = await assertRejects(
      () => parseNet([net], { links }),
      BadCondition,
    );
    assert(complaint.test(error.message), error.message);
    assert(!error.message.includes("\n"));
  }
  await assertRejects(
    () => parseNet([], { links: UDP, seed: 1.5 }),
    BadCondition,
  );
  await assertRejects(
    () => parseNet([], { links: UDP, seed: -1 }),
    BadCondition,
  );
});

Deno.test("conditions: a sentence says the effect before", async () => {
  const says = async (net: string, links: LinkName[], ...expected: string[]) =>
    assertEquals((await parseNet([net], { links })).sentences(), expected, net);
  await says(
    "delay=100ms jitter=50ms loss=20%",
    UDP,
    "each way 100 ± 50 ms, so an answer comes 200 ms later; 1 of 5 datagrams " +
      "lost each way, so a question gets its answer 64 times of 100",
  );
  await says(
    "up.delay=1s",
    TCP,
    "from the client 1 s, so an answer comes 1 s later",
  );
  await says(
    "down.loss=#1",
    UDP,
    "datagram #1 lost from the server",
  );
  await says(
    "down.loss=50%",
    UDP,
    "1 of 2 datagrams lost from the server, so a question gets its answer " +
      "50 times of 100",
  );
  await says(
    "duplicate=100% corrupt=#1,#2 up.reorder=1/5 down.duplicate=every1",
    UDP,
    "all datagrams arrive twice each way; datagrams #1, #2 have a wrong bit " +
      "each way; 1 of each 5 datagrams is overtaken by the next one from the " +
      "client; every datagram arrives twice from the server",
  );
  await says(
    "loss=100%",
    UDP,
    "all datagrams lost each way, so a question gets its answer never",
  );
  await says(
    "cut=3B",
    TCP,
    "each message in pieces of at most 3 bytes, 5 ms apart each way",
  );
  await says(
    "toupper:delay=3s",
    BROKER,
    "toupper: each way 3 s, so an answer comes 6 s later",
  );
  await says(
    "jitter=30ms",
    UDP,
    "each way 0 ms to 30 ms, so an answer comes 30 ms later",
  );
});

Deno.test("conditions: presets are what their names promise", async () => {
  const roundTrip = async (name: string, transport: Transport) => {
    const link: LinkName = { name: "server", transport };
    const { up, down } = (await parseNet([name], { links: [link] })).of(link);
    assert(up.length > 0 && up.length === down.length, name);
    const sum = [...up, ...down].filter(({ name }) => name === "delay")
      .reduce((sum, { amount }) => sum + amount, 0);
    return sum / 1000;
  };
  const expected: Record<string, [number, number]> = {
    wifi: [2, 20],
    mobile: [30, 100],
    satellite: [600, 700],
    terrible: [400, 1000],
    "slow-motion": [2000, 2000],
  };
  assertEquals(Object.keys(PRESETS), Object.keys(expected));
  for (const [name, [least, most]] of Object.entries(expected)) {
    for (const transport of ["udp", "tcp"] as const) {
      const ms = await roundTrip(name, transport);
      assert(ms >= least && ms <= most, `${name}: ${ms} ms`);
    }
    assert(HELP.some((line) => line.includes(name)));
  }
  for (const line of HELP) assert(line.length <= 80, line);
});

Deno.test("conditions: change while bytes flow; what stays goes on counting", async () => {
  const link: LinkName = { name: "server", transport: "udp" };
  const of = async (net: string) =>
    (await parseNet([net], { links: [link], seed: 1 })).of(link).up;
  const direction = new Direction("server", "client");
  const fates: string[] = [];
  const recorder = new Recording(({ fate }) => fates.push(fate));
  const lane = new Lane({
    ...{ link: "server", from: "client", direction, recorder, ordered: false },
    out: () => true,
  });
  const send = () => lane.take("datagram", 1, new Uint8Array(1));
  direction.set(await of("loss=#3"), 1);
  send();
  send();
  direction.set(await of("loss=#3 size=100B"), 1);
  send(); // the third for loss=#3
  direction.set(await of("loss=#1"), 1); // counts from now on
  send();
  direction.set([], 1);
  send();
  assertEquals(fates, [
    ...["delivered", "delivered", "lost", "lost", "delivered"],
  ]);
});
