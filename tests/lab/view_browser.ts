/**
 * Looks at what the lab draws in a real browser; run by `view_test.ts`, as a
 * program of its own because playwright-core wants every permission.
 *
 *     deno run --allow-all tests/lab/view_browser.ts PART [FOLDER]
 *
 * Prints a line for each thing that it saw, in order, and "done" at the end; fails at
 * the first that is not as it should be. `pictures` leaves pictures in the folder.
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import type { Item } from "../../launch/lab/messages.ts";
import { History } from "../../launch/lab/page/view/history.ts";
import {
  arrived,
  brokered,
  everything,
  flood,
  line,
  link,
  overTcp,
  run,
  wire,
} from "./feed.ts";
import { viewPage } from "./view_page.ts";
import { launchChromium } from "../chromium.ts";

const [part = "", pictures] = Deno.args;
const html = await viewPage();
await using browser = await launchChromium();
const complaints: string[] = [];

/** A page with a run. */
async function open(
  items: Item[],
  size = { width: 1280, height: 900 },
  colorScheme: "light" | "dark" = "light",
): Promise<Page> {
  const page = await browser.newPage({ viewport: size, colorScheme });
  page.on("console", (message) => complaints.push(message.text()));
  page.on(
    "pageerror",
    (error) => complaints.push(error.stack ?? error.message),
  );
  await page.setContent(html);
  await page.evaluate(`start(${JSON.stringify(items)})`);
  await settled(page);
  return page;
}

function assertNear(
  own: number,
  wanted: number,
  by: number,
  what: string,
): void {
  assert(Math.abs(own - wanted) <= by, `${what}: ${own}, not ${wanted}`);
}

/** Resolves when what was asked for is drawn. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
  );
}

async function add(page: Page, items: Item[]): Promise<void> {
  await page.evaluate(`past.add(${JSON.stringify(items)})`);
  await settled(page);
}

/** What there is of each event: its lines' first and last points, in the page. */
interface Drawn {
  number: number;
  classes: string[];
  lines: [x1: number, y1: number, x2: number, y2: number][];
  crosses: [x: number, y: number][];
  text: string;
}

async function drawn(page: Page): Promise<Drawn[]> {
  return await page.evaluate(() => {
    const at = (path: SVGPathElement, end: boolean) => {
      const matrix = path.getScreenCTM();
      const point = path.getPointAtLength(end ? path.getTotalLength() : 0);
      const { x, y } = point.matrixTransform(matrix ?? undefined);
      return [x, y] as const;
    };
    return [...document.querySelectorAll<SVGElement>("[data-key^=e]")].map(
      (element) => ({
        number: Number(element.dataset["key"]?.slice(1)),
        classes: [...element.classList],
        lines: [...element.querySelectorAll<SVGPathElement>("path.lv-line")]
          .map((
            path,
          ): [number, number, number, number] => [
            ...at(path, false),
            ...at(path, true),
          ]),
        crosses: [...element.querySelectorAll(".lv-cross")].map(
          (cross): [number, number] => {
            const { x, y, width, height } = cross.getBoundingClientRect();
            return [x + width / 2, y + height / 2];
          },
        ),
        text: element.querySelector(".lv-label")?.textContent ?? "",
      }),
    );
  });
}

const elements = async (page: Page): Promise<number> =>
  await page.evaluate("document.querySelectorAll('#view *').length");

// --------------------------------------------------- the drawing, event by event
async function drawing(): Promise<void> {
  const items = everything();
  const history = new History();
  history.add(items);
  const page = await open(items, { width: 1280, height: 1400 });
  await page.evaluate("shown.follow = false");
  await settled(page);
  const all = await drawn(page);
  const right = await page.evaluate(
    "parseFloat(document.querySelector('main').style.getPropertyValue('--gutter-right'))",
  ) as number;
  const room = 1280 - 72 - right;
  const client = 72 + room / 4, server = 72 + room * 3 / 4;
  const middle = (client + server) / 2;
  /** Each moment of the feed and where it is drawn. */
  const moments: [at: number, y: number][] = [];
  let count = 0;
  for (const { item } of history.entries) {
    if (item.kind !== "wire" || item.event.kind === "condition") continue;
    count++;
    const { number, from, sent, delivered, fate, marks } = item.event;
    const own = all.find((one) => one.number === number);
    assert(own, `#${number} is not drawn`);
    const start = from === "client" ? client : server;
    const end = from === "client" ? server : client;
    const isMade = marks.includes("again") || marks.includes("injected");
    const first = own.lines[0], last = own.lines.at(-1);
    assert(first && last, `#${number} has no line`);
    const near = (x: number, wanted: number) =>
      assertNear(x, wanted, 8, `#${number} from or to the wrong place`);
    near(first[0], isMade ? middle : start);
    if (!isMade) moments.push([sent, first[1]]);
    if (fate === "lost") {
      near(last[2], middle);
      assertEquals(own.crosses.length, 1, `#${number} has no ✕`);
      near(own.crosses[0]?.[0] ?? 0, middle);
    } else if (fate === "under way") near(last[2], middle);
    else {
      near(last[2], end);
      moments.push([delivered ?? 0, last[3]]);
      assertEquals(own.crosses, []);
    }
    assert(own.text.startsWith(`#${number}`), own.text);
  }
  assertEquals(all.filter(({ lines }) => lines.length > 0).length, count);
  assertEquals(count, 12);
  moments.sort(([a], [b]) => a - b);
  for (let i = 1; i < moments.length; i++) {
    const before = moments[i - 1], own = moments[i];
    if (!before || !own || before[0] === own[0]) continue;
    assert(before[1] < own[1] + 0.2, `${before} stands below ${own}`);
  }
  const slope = (number: number) => {
    const line = all.find((one) => one.number === number)?.lines[0];
    return line ? line[3] - line[1] : 0;
  };
  assert(slope(2) >= 12, `a delay of 100 ms is a slope of ${slope(2)} px`);
  // The overtaken one starts above and ends below the other: they cross.
  const [slow, fast] = [6, 7].map((number) =>
    all.find((one) => one.number === number)?.lines[0]
  );
  assert(slow && fast && slow[1] < fast[1] && slow[3] > fast[3], "no crossing");
  assertEquals(await page.locator(".lv-silence").allTextContents(), [
    "4.2 s nothing",
    "2.1 s nothing",
    "1.7 s nothing",
  ]);
  // A text from the wire is text.
  assertEquals(await page.locator("#view b").count(), 0);
  assert(
    all.find(({ number }) => number === 8)?.text.includes("<b>bold</b>\\n"),
  );
  console.log("drew each event where it was sent and where it arrived");

  // Silence opens on a click, and folds on the next.
  const sheet = () =>
    page.evaluate(
      "document.querySelector('.lv-sheet').offsetHeight",
    ) as Promise<number>;
  const folded = await sheet();
  await page.locator(".lv-silence").first().click();
  await settled(page);
  assert(await sheet() > folded + 100, "it did not open");
  await page.locator(".lv-silence").first().click();
  await settled(page);
  assertEquals(await sheet(), folded);
  console.log("opened a silence, and folded it");

  // One row an event.
  await page.getByRole("button", { name: "Rows" }).click();
  await settled(page);
  for (const { number, lines } of await drawn(page)) {
    for (const [, y1, , y2] of lines) {
      assertNear(y1, y2, 0.5, `#${number}`);
    }
  }
  await page.getByRole("button", { name: "List" }).click();
  await settled(page);
  const sentences = await page.locator(".lv-item-text").allTextContents();
  assertEquals(sentences.length, history.entries.length);
  assertEquals(
    sentences[8],
    "#3 server → client, 5 bytes: HELLO, lost (down.loss=#1)",
  );
  assertEquals(await page.locator("#view b").count(), 0);
  console.log("showed rows, and the list");
  await page.close();
}

// ------------------------------------------------------------------ 20,000 events
async function manyEvents(): Promise<void> {
  const page = await open([run("client", "server"), link("client", "server")]);
  // As the lab sends them: at most one message for each frame; here they come
  // as fast as frames go, 70 events in each.
  const batches = [];
  const all = flood(20_000);
  for (let i = 0; i < all.length; i += 132) {
    batches.push(all.slice(i, i + 132));
  }
  await page.evaluate(`globalThis.batches = ${JSON.stringify(batches)}`);
  const result = await page.evaluate(`(async () => {
    const tasks = [], frames = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ entryTypes: ["longtask"] });
    let most = 0, before = performance.now();
    const began = before;
    for (const batch of batches) {
      past.add(batch);
      await new Promise((done) => requestAnimationFrame(done));
      const now = performance.now();
      frames.push(now - before);
      before = now;
      if (frames.length % 10 === 0) most = Math.max(most, document.querySelectorAll("#view *").length);
    }
    return { longest: Math.max(0, ...tasks), frame: Math.max(...frames), most, took: performance.now() - began };
  })()`) as { longest: number; frame: number; most: number; took: number };
  const say =
    `20,000 events in ${
      result.took.toFixed(0)
    } ms: ${result.most} elements at most, ` +
    `longest task ${result.longest.toFixed(0)} ms, longest frame ${
      result.frame.toFixed(0)
    } ms`;
  console.error(say);
  assert(result.most < 1_500, say);
  // A busy machine takes longer than the 250 ms of a quiet one.
  assert(result.longest < 2_000, say);
  await settled(page);
  assert(
    (await drawn(page)).some(({ number }) => number === 20_000),
    "the end is not in sight",
  );
  console.log("drew 20,000 events to the end");

  // Through all of it, from the end to the beginning.
  const scrolled = await page.evaluate(`(async () => {
    const scroller = document.querySelector(".lv-scroll");
    let most = 0, empty = 0, longest = 0;
    for (let i = 60; i >= 0; i--) {
      scroller.scrollTop = scroller.scrollHeight * i / 60;
      const before = performance.now();
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      longest = Math.max(longest, performance.now() - before);
      most = Math.max(most, document.querySelectorAll("#view *").length);
      if (document.querySelectorAll("[data-key^=e]").length < 10) empty++;
    }
    return { most, empty, longest };
  })()`) as { most: number; empty: number; longest: number };
  console.error(`scrolled: ${JSON.stringify(scrolled)}`);
  assert(scrolled.most < 1_500, `${scrolled.most} elements`);
  assertEquals(scrolled.empty, 0);
  assertEquals(
    await page.getByRole("switch", { name: "Follow" }).getAttribute(
      "aria-checked",
    ),
    "false",
  );
  assert(
    (await drawn(page)).some(({ number }) => number === 1),
    "the beginning is not in sight",
  );
  console.log("scrolled through 20,000 events");

  // While the reader looks at the beginning, what comes does not move it.
  const place = () => page.locator("[data-key=e5]").boundingBox();
  const before = await place();
  await add(
    page,
    Array.from({ length: 19 }, (_, i) => arrived(19_981 + i)).filter((item) =>
      item.kind === "wire" && item.event.number % 10 !== 3
    ),
  );
  await add(page, flood(500, 20_001));
  assertEquals(await place(), before);
  assertEquals(await page.locator(".lv-more").textContent(), "500 new below");

  // A search finds what is far away.
  await page.keyboard.press("/");
  await page.getByRole("searchbox").fill("datagram 1777");
  await page.waitForFunction(
    "document.querySelector('.lv-count').textContent === '11'",
  );
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await settled(page);
  assertEquals(await page.evaluate("shown.focused"), 17_770);
  assertEquals(await page.locator(".lv-count").textContent(), "2 of 11");
  assert(await page.locator("[data-key=e17770]").isVisible());
  await page.keyboard.press("Shift+Enter");
  assertEquals(await page.evaluate("shown.focused"), 1_777);
  console.log("searched in 20,000 events");

  // The list is windowed, too.
  await page.getByRole("button", { name: "List" }).click();
  await settled(page);
  assert(await elements(page) < 1_500, `${await elements(page)} elements`);
  await page.keyboard.press("Tab");
  await page.close();
}

// ---------------------------------------------------------------------- by keys
async function keys(): Promise<void> {
  const page = await open(everything());
  const active = async () => {
    await settled(page);
    return await page.evaluate(`(() => {
      const id = document.activeElement.getAttribute("aria-activedescendant");
      const element = id && document.getElementById(id);
      return element ? element.querySelector("title")?.textContent ?? element.textContent : null;
    })()`) as string | null;
  };
  // Bar, then the diagram: one tab stop.
  await page.locator(".lv-step").last().focus();
  await page.keyboard.press("Tab");
  assertEquals(
    await page.evaluate("document.activeElement.className"),
    "lv-scroll",
  );
  assertEquals(await active(), null);
  await page.keyboard.press("ArrowUp");
  assertEquals(
    await active(),
    "#13 server → client, 9 bytes: under way, under way",
  );
  assertEquals(await page.evaluate("shown.follow"), false);
  await page.keyboard.press("ArrowUp");
  assertEquals(
    await active(),
    "#12 client → server, 11 bytes: still waits, held",
  );
  await page.keyboard.press("Enter");
  assertEquals(await page.evaluate("opened"), [12]);
  await page.keyboard.press("Home");
  assertEquals(
    await active(),
    "#1 network (link to server): each way 100 ms later, 1 of 5 datagrams lost",
  );
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assertEquals(
    await active(),
    "#3 server → client, 5 bytes: HELLO, lost (down.loss=#1)",
  );
  // What comes moves nothing, and takes no focus.
  const top = await page.evaluate(
    "document.querySelector('.lv-scroll').scrollTop",
  );
  await add(
    page,
    Array.from(
      { length: 200 },
      (_, i) => wire(100 + i, { says: "more", sent: 9_100_000 + i }),
    ),
  );
  assertEquals(
    await page.evaluate("document.querySelector('.lv-scroll').scrollTop"),
    top,
  );
  assertEquals(
    await active(),
    "#3 server → client, 5 bytes: HELLO, lost (down.loss=#1)",
  );
  // The focus stays with the event, also when it is out of sight.
  await page.evaluate("document.querySelector('.lv-scroll').scrollTop = 1e6");
  assertEquals(
    await active(),
    "#3 server → client, 5 bytes: HELLO, lost (down.loss=#1)",
  );
  await page.keyboard.press("ArrowDown");
  assertEquals(
    await active(),
    "#4 client → server, 14 bytes: Are you there?, 50 ms late (up.delay=50ms)",
  );
  // The silence before it opens by a key, too.
  await page.keyboard.press("ArrowRight");
  await settled(page);
  assertEquals(await page.locator(".lv-is-open").count(), 1);
  await page.keyboard.press("ArrowLeft");
  await settled(page);
  assertEquals(await page.locator(".lv-is-open").count(), 0);
  await page.keyboard.press("Escape");
  assertEquals(await active(), null);
  await page.keyboard.press("End");
  await settled(page);
  assertEquals(await page.evaluate("shown.follow"), true);
  await add(page, [
    wire(400, { says: "the last", sent: 9_200_000 }),
    wire(401, { says: "lost", sent: 9_200_001, fate: "lost" }),
  ]);
  assert(await page.locator("[data-key='e401']").isVisible());
  await page.waitForFunction(
    "document.querySelector('[role=status]').textContent !== ''",
    undefined,
    { timeout: 30_000 },
  );
  assertEquals(
    await page.locator("[role=status]").textContent(),
    "2 more, 1 lost",
  );
  // A view that gets another height goes on following.
  for (const height of [700, 900]) {
    await page.setViewportSize({ width: 1280, height });
    await settled(page);
    await settled(page);
    assertEquals(await page.evaluate("shown.follow"), true);
    assert(await page.locator("[data-key='e401']").isVisible());
  }
  // The wheel goes away from the end, and that shows.
  await page.mouse.move(600, 500);
  await page.mouse.wheel(0, -600);
  await page.waitForFunction("shown.follow === false");
  assertEquals(
    await page.getByRole("switch", { name: "Follow" }).getAttribute(
      "aria-checked",
    ),
    "false",
  );
  await page.keyboard.press("/");
  assertEquals(await page.evaluate("document.activeElement.type"), "search");
  await page.keyboard.type("nowhere");
  await page.waitForFunction(
    "document.querySelector('.lv-count').textContent === 'none'",
  );
  await page.keyboard.press("Escape");
  assertEquals(
    await page.evaluate("document.activeElement.className"),
    "lv-scroll",
  );
  // A click opens the bytes.
  await page.locator("[data-key='e401'] .lv-hit").click();
  assertEquals(await page.evaluate("opened"), [12, 401]);
  console.log("went by keys");
  await page.close();
}

// -------------------------------------------------------------------- inspector
async function inspector(): Promise<void> {
  const page = await open(everything());
  await page.evaluate(`(() => {
    const place = document.createElement("div");
    place.id = "inspector";
    document.body.replaceChildren(place);
    globalThis.went = [];
    globalThis.inspector = new view.Inspector(place, async (number) => {
      const bytes = new Uint8Array(2 ** 20).map((_, i) => 65 + i % 26);
      return { bytes, size: 10_000_000 };
    }, (number) => went.push(number));
  })()`);
  const show = (number: number) =>
    page.evaluate(`inspector.show(past.event(${number}), past)`);
  await show(8);
  assertEquals(
    await page.locator(".lv-says").textContent(),
    "Jö 你好 👩‍🚀 <b>bold</b>\\n\n",
  );
  assertEquals(await page.locator("#inspector b").count(), 0);
  assertEquals(await page.locator(".lv-hex .lv-multi").allTextContents(), [
    "c3 b6",
    "e4 bd a0",
    "e5",
    "a5 bd",
    "f0 9f 91 a9",
    "e2",
    "80 8d",
    "f0 9f 9a 80",
  ]);
  await show(5);
  await page.getByRole("button", { name: "again of #4" }).click();
  assertEquals(await page.evaluate("went"), [4]);
  await show(4);
  await page.getByRole("button", { name: "came again as #5" }).click();
  assertEquals(await page.evaluate("went"), [4, 5]);
  // A big one: what the lab sends is cut, what is in the page is a window.
  await add(page, [
    wire(50, { says: new Uint8Array(2_000), size: 10_000_000 }),
  ]);
  await show(50);
  await page.getByText("These are the first 1,048,576 bytes of 10,000,000.")
    .waitFor();
  assert(
    await page.evaluate(
      "document.querySelectorAll('#inspector *').length",
    ) as number < 1_000,
  );
  await page.evaluate("document.querySelector('.lv-bytes').scrollTop = 1e9");
  await page.getByText("0ffff0").waitFor();
  console.log("looked into events");
  await page.close();
}

// ------------------------------------------------------- narrow, and what it says
async function narrow(): Promise<void> {
  const page = await open(everything(), { width: 360, height: 740 });
  assertEquals(await page.locator(".lv-drawing").isVisible(), false);
  assert(await page.locator(".lv-item").count() > 10);
  assert(
    await page.evaluate("document.documentElement.scrollWidth") as number <=
      360,
  );
  assert(
    await page.evaluate(
      "document.querySelector('.lv-bar').scrollWidth",
    ) as number <= 360,
  );
  await page.setViewportSize({ width: 1280, height: 740 });
  await page.locator(".lv-drawing").waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.locator(".lv-drawing").waitFor({ state: "hidden" });
  console.log("is a list where it is narrow");
  await page.close();
}

// ------------------------------------------------------------- a file of its own
async function file(): Promise<void> {
  const page = await open(everything());
  const text = await page.evaluate("view.toSvg(past)") as string;
  if (pictures) await Deno.writeTextFile(`${pictures}/everything.svg`, text);
  const alone = await browser.newPage();
  await alone.goto(
    `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`,
  );
  assertEquals(await alone.evaluate("document.documentElement.tagName"), "svg");
  assertEquals(await alone.locator("parsererror").count(), 0);
  assert(await alone.locator("text=Hello, world!").count() > 0);
  console.log("made a file that a browser reads");
  await alone.close();
  await page.close();
}

async function takePictures(): Promise<void> {
  const runs = {
    everything: everything(),
    tcp: overTcp(),
    broker: brokered(),
    flood: [
      run("client", "server"),
      link("client", "server"),
      ...flood(400),
      line(401_000, "client", "Done."),
    ],
  };
  for (
    const [width, height] of [[1280, 900], [768, 900], [360, 740]] as const
  ) {
    for (const scheme of ["light", "dark"] as const) {
      for (const [name, items] of Object.entries(runs)) {
        const page = await open(items, { width, height }, scheme);
        if (name !== "flood") await page.evaluate("shown.follow = false");
        await settled(page);
        await page.screenshot({
          path: `${pictures}/${name}-${width}-${scheme}.png`,
        });
        await page.close();
      }
    }
  }
}
const parts: Record<string, () => Promise<void>> = {
  drawing,
  flood: manyEvents,
  keys,
  inspector,
  narrow,
  file,
  pictures: takePictures,
};
await parts[part]?.();
assertEquals(complaints, [], "complaints of the browser");
console.log("done");
