/**
 * Visits the lab's page in a real browser, as a newcomer would; run by
 * `page_test.ts`, as a program of its own because playwright-core wants every
 * permission.
 *
 *     deno run --allow-all tests/lab/page_browser.ts "http://127.0.0.1:8888/?key=…" [FOLDER]
 *
 * With a folder it leaves pictures there. Several pages visit one lab at the same
 * time. Prints a line for each thing that one of them saw, and "done" at the end; fails
 * at the first that is not as it should be.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import axe from "npm:axe-core@4.14.1";
import type { Locator, Page } from "npm:playwright-core@1.65.1";
import { CONTROLS } from "../../launch/lab/page/conditions_form.ts";
import { launchChromium } from "../chromium.ts";
import { find } from "../needs.ts";

const [address = "", pictures] = Deno.args;
await using browser = await launchChromium();

/** A page, and what visitors do there. */
class Visitor {
  readonly page: Page;
  readonly width: number;
  readonly #name: string;
  readonly #complaints: string[] = [];

  private constructor(page: Page, width: number, name: string) {
    this.page = page;
    this.width = width;
    this.#name = name;
    page.setDefaultTimeout(60_000);
    page.on("console", (message) => {
      // Chromium itself: what is typed over coloured text in an editor keeps its style.
      const isOwn = /^Applying inline style violates/.test(message.text());
      if (!isOwn) this.#complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.#complaints.push(`${error.stack}`));
    page.on("request", (request) => {
      const { origin } = new URL(address);
      const { protocol } = new URL(request.url());
      const isOwn = request.url().startsWith(origin);
      if (!isOwn && protocol !== "data:" && protocol !== "blob:") {
        this.#complaints.push(request.url());
      }
    });
  }

  static async come(
    width: number,
    height: number,
    scheme: "light" | "dark",
    name = `${width} wide`,
  ): Promise<Visitor> {
    const page = await browser.newPage({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: "reduce",
    });
    const visitor = new Visitor(page, width, name);
    await page.goto(address);
    await page.locator(".choice").nth(11).waitFor();
    return visitor;
  }

  async leave(): Promise<void> {
    assertEquals(this.#complaints, [], "complaints, or requests to elsewhere");
    await this.page.close();
  }

  tells(text: string): void {
    console.log(`${this.#name}: ${text}`);
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  field(role: string): Locator {
    return this.page.getByRole("textbox", { name: new RegExp(`^${role} `) });
  }

  head(role: string): Locator {
    return this.page.getByRole("region", { name: `Program ${role}` });
  }

  /** Something in the diagram or the list. */
  drawn(text: string | RegExp): Locator {
    return this.page.locator(".lv-scroll [data-key]").filter({ hasText: text })
      .first();
  }

  async choose(example: string): Promise<void> {
    await this.page.locator(".choice").filter({
      has: this.page.getByText(example, { exact: true }),
    }).first().click();
    await this.button("Start").waitFor();
  }

  /** Types into a program when it asks. */
  async type(role: string, line: string): Promise<void> {
    await this.field(role).fill(line);
    await this.field(role).press("Enter");
  }

  /** Opens a panel; whether it was open. */
  async tab(name: string, open = true): Promise<boolean> {
    const tab = this.page.getByRole("tab", { name: new RegExp(`^${name}`) });
    const isOpen = await tab.getAttribute("aria-selected") === "true";
    if (open && !isOpen) await tab.click();
    return isOpen;
  }

  /** Waits until a program's line has the focus. */
  async isFocused(role: string): Promise<void> {
    const id = await this.field(role).getAttribute("id");
    await this.page.waitForFunction(`document.activeElement.id === "${id}"`);
  }

  /** The page fits, and axe finds nothing serious; leaves a picture. */
  async assertGood(state: string): Promise<void> {
    if (pictures) {
      const path = `${pictures}/${state}-${this.width}.png`;
      await this.page.screenshot({ path });
    }
    const wide = Number(
      await this.page.evaluate("document.documentElement.scrollWidth"),
    );
    assert(wide <= this.width, `${state} is ${wide} px wide`);
    // What axe looks at is the same at each width, but for the colours.
    if (this.width < 560 && !/hold|network|program/.test(state)) return;
    await this.page.evaluate(axe.source);
    const serious = await this.page.evaluate(`
      axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
        violations.filter(({ impact }) => impact === "serious" || impact === "critical")
          .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html)))
    `);
    assertEquals(serious, [], `axe at ${state}, ${this.#name}`);
  }
}

/** One page at a time edits a script: two would be asked which copy is to stay. */
let editing: Promise<unknown> = Promise.resolve();

/** A visit to all parts of the page. */
async function tour(
  width: number,
  height: number,
  scheme: "light" | "dark",
): Promise<void> {
  const visitor = await Visitor.come(width, height, scheme);
  const { page } = visitor;
  const isPhone = width < 560;
  const { button, field, head } = {
    button: visitor.button.bind(visitor),
    field: visitor.field.bind(visitor),
    head: visitor.head.bind(visitor),
  };

  // Two clicks to the first arrow.
  assertEquals(await page.locator(".choice").count(), 12);
  await visitor.assertGood("choose");
  await visitor.choose("tcp:chat");
  await visitor.assertGood("idle");
  await button("Start").click();
  await visitor.drawn(/connects?\b/).waitFor();
  visitor.tells("started with two clicks");

  // The line that is asked for is typed without a click, on both sides.
  await field("client").waitFor();
  await visitor.isFocused("client");
  await page.keyboard.type("Hello, server!");
  await page.keyboard.press("Enter");
  await field("server").waitFor();
  await visitor.isFocused("server");
  await head("server").getByText("asks you").waitFor({
    state: isPhone && await visitor.tab("Guide", false)
      ? "attached"
      : "visible",
  });
  await page.keyboard.type("Hello, client!");
  await page.keyboard.press("Enter");
  await visitor.drawn("Server: Hello, client!").waitFor();
  visitor.tells("typed on both sides");

  // h in a field is a letter; elsewhere it holds the wire, and n lets go.
  await field("client").fill("held");
  await field("client").press("h");
  assertEquals(await field("client").inputValue(), "heldh");
  await page.locator(".lv-scroll").focus();
  await page.keyboard.press("h");
  await page.getByRole("switch", { name: /^Hold/ }).waitFor();
  await field("client").press("Enter");
  await page.getByText("1 waits").first().waitFor();
  await visitor.assertGood("hold");
  assertEquals(await button("Drop").count(), 0, "offered for a stream");
  await page.locator(".lv-scroll").focus();
  await page.keyboard.press("n");
  await visitor.drawn("Client: heldh").waitFor();
  await page.keyboard.press("h");
  await page.getByRole("switch", { name: /^Hold/, checked: false }).waitFor();
  visitor.tells("held and let go");

  // The network: out of range says why, a preset is told and can be copied.
  await visitor.tab("Network");
  const delay = page.getByRole("textbox", { name: "Delay" });
  await delay.fill("-3");
  await delay.press("Enter");
  await page.getByText("Delay goes from 0 to 60,000 ms").first().waitFor();
  await delay.fill("40");
  await delay.press("Enter");
  await page.getByText("Each way 40 ms, so an answer comes 80 ms later").first()
    .waitFor();
  assertMatch(
    `${await page.locator(".command code").textContent()}`,
    /^deno task tcp:chat --net delay=40ms --seed \d+$/,
  );
  const exactly = page.getByRole("textbox", { name: "Exactly which" });
  await exactly.fill("loss=#1");
  await exactly.press("Enter");
  await page.getByText("TCP repairs loss").first().waitFor();
  await button("terrible").click();
  await page.locator(".command").getByText("terrible").waitFor({
    state: "attached",
  });
  await visitor.assertGood("network");
  // Whatever stands above, the tabs are in sight, and can be reached.
  const tabs = await page.getByRole("tablist", { name: "Tools" }).boundingBox();
  assert(tabs && tabs.y + tabs.height <= height, "the tabs are cut off");
  await visitor.tab("Hold");
  await visitor.tab("Network");
  await button("Calm").click();
  await page.locator(".command").waitFor({ state: "detached" });
  visitor.tells("disturbed the network");

  // A reload goes on with the same run.
  await page.reload();
  await field("server").waitFor();
  await visitor.drawn("Client: heldh").waitFor();
  visitor.tells("reloaded");

  await button("Stop").click();
  await button("Start again").waitFor();
  const before = editing;
  const edit = before.catch(() => {}).then(() => edited(visitor));
  editing = edit;
  await edit;

  await visitor.tab("Keep");
  await page.getByRole("link", { name: "JSON Lines" }).waitFor();
  await visitor.assertGood("keep");
  await visitor.tab("Bytes");
  await visitor.assertGood("bytes");
  await visitor.tab("Guide");
  await visitor.assertGood("guide");
  await page.locator(".lv-scroll").focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await visitor.assertGood("keys");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await button("Stop").click();
  await head("client").getByText(/^ended|^stopped/).waitFor({
    state: "attached",
  });
  visitor.tells("looked at all panels");

  // Back to the examples.
  await button("Examples").click();
  await page.locator(".choice").nth(11).waitFor();
  assertEquals(await page.locator(".choice").count(), 12);
  await visitor.leave();
}

/** An edited copy: saved while it is typed, checked, run, and thrown away. */
async function edited(visitor: Visitor): Promise<void> {
  const { page } = visitor;
  const button = visitor.button.bind(visitor);
  await visitor.tab("Program");
  const code = page.getByRole("textbox", { name: /^Your copy of/ });
  await code.waitFor();
  // A visit that failed may have left its copy.
  if (await button("Back to the original").isVisible()) {
    await button("Back to the original").click();
    await page.getByText("as the original", { exact: true }).waitFor();
  }
  await code.click();
  await page.keyboard.press("ControlOrMeta+Home");
  await page.keyboard.type("const wrong: number = true;\n");
  await page.getByText("saved", { exact: true }).waitFor();
  await button("Check").click();
  await page.getByRole("button", { name: "Line 1" }).waitFor();
  await visitor.assertGood("program");
  await page.getByRole("radio", { name: "Changes" }).check();
  await page.locator(".cm-changedLine").first().waitFor();
  await page.getByRole("radio", { name: "Your copy" }).check();
  await code.click();
  await page.keyboard.press("ControlOrMeta+Home");
  await page.keyboard.press("Shift+End");
  await page.keyboard.type('console.log("I am edited.");');
  await page.getByText("saved", { exact: true }).waitFor();
  await button("Run edited").click();
  await visitor.drawn("I am edited.").waitFor();
  await button("Back to the original").click();
  await button("Undo that").click();
  await page.getByText("saved", { exact: true }).waitFor();
  await button("Back to the original").click();
  await page.getByText("as the original", { exact: true }).waitFor();
  // Esc, then Tab leaves the editor.
  await code.click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assertEquals(
    await page.evaluate("document.activeElement.className === 'editor'"),
    false,
  );
  visitor.tells("edited");
}

/** What is typed into each example, in turn, and what is then drawn. */
const PLAYS: Record<string, { typed?: [string, string][]; seen: string }> = {
  "tcp": { seen: "Server says:" },
  "tcp:chat": {
    typed: [["client", "hi"], ["server", "ho"], ["client", "exit"]],
    seen: "The run is over.",
  },
  "udp": { seen: "Server says:" },
  "udp:chat": {
    typed: [["client", "hi"], ["server", "ho"], ["client", "exit"]],
    seen: "The run is over.",
  },
  "http": {
    typed: [["client", "/"], ["client", "n"]],
    seen: "</html>",
  },
  "http:threaded": {
    typed: [["client", "/"], ["client", "n"]],
    seen: "</html>",
  },
  "http:serve": {
    typed: [["client", "/"], ["client", "n"]],
    seen: "</html>",
  },
  "broker": {
    typed: [["client", "toupper:hi"], ["client", "exit"]],
    seen: "Closing",
  },
  "nats": {
    typed: [["client", "tolower:HI"], ["client", "exit"]],
    seen: "Closing",
  },
  "web": {
    typed: [["client", "/test.txt"], ["client", "n"]],
    seen: "The run is over.",
  },
  "incrementer": { typed: [["client", "c"]], seen: "number" },
  "library": { seen: "Response:" },
};

/** Plays every example. */
async function play(examples: string[]): Promise<void> {
  const visitor = await Visitor.come(1100, 900, "light", "examples");
  const { page } = visitor;
  for (const [index, example] of examples.entries()) {
    if (example === "nats" && !find("nats-server")) continue;
    if (index > 0) await visitor.button("Examples").click();
    await visitor.choose(example);
    await visitor.button("Start").click();
    const { typed = [], seen } = PLAYS[example] ?? { seen: "" };
    for (const [role, line] of typed) {
      await visitor.type(role, line);
      await visitor.drawn(line).waitFor();
    }
    await visitor.drawn(seen).waitFor();
    if (await visitor.button("Stop").isVisible()) {
      await visitor.button("Stop").click().catch(() => {}); // it ends by itself just now
    }
    await visitor.drawn("The run is over.").waitFor();
    assertEquals(
      await page.locator(".head .state.bad").allTextContents(),
      [],
      example,
    );
    visitor.tells(`played ${example}`);
  }
  await visitor.leave();
}

/** Sets each condition while programs run. */
async function disturb(example: "tcp:chat" | "udp:chat"): Promise<void> {
  const visitor = await Visitor.come(1100, 900, "dark", example);
  const { page } = visitor;
  const transport = example === "tcp:chat" ? "tcp" : "udp";
  await visitor.choose(example);
  await visitor.button("Start").click();
  await visitor.field("client").waitFor();
  await visitor.tab("Network");
  await page.locator(".sliders details summary").click();
  for (const control of CONTROLS) {
    if (!control.transports.includes(transport)) continue;
    // The last but one stop: far away from what a chat sends.
    const value = control.stops.at(control.name === "loss" ? 1 : -2) ?? 1;
    const field = page.getByRole("textbox", {
      name: control.title,
      exact: true,
    });
    await field.fill(`${value}`);
    await field.press("Enter");
    await page.locator(".command code").getByText(`${control.name}=`).waitFor();
    // The relay has it, and says so in its place.
    await page.locator(".lv-scroll title").filter({
      hasText: new RegExp(`now: .*${control.name}=`),
    }).first().waitFor({ state: "attached" });
  }
  visitor.tells("set each condition");
  await visitor.button("Calm").click();
  await page.locator(".command").waitFor({ state: "detached" });
  await visitor.button("Stop").click();
  await visitor.drawn("The run is over.").waitFor();
  await visitor.leave();
}

const names = Object.keys(PLAYS);
await Promise.all([
  tour(1280, 800, "light"),
  tour(768, 1000, "dark"),
  tour(360, 740, "light"),
  play(names.slice(0, 7)),
  play(names.slice(7)),
  disturb("tcp:chat").then(() => disturb("udp:chat")),
]);
console.log("done");
