/**
 * Visits the lab's page in a real browser, as a newcomer would; run by
 * `lab_page_test.ts`, as a program of its own because playwright-core wants every
 * permission.
 *
 *     deno run --allow-all tests/lab_page_browser.ts "http://127.0.0.1:8888/?key=…" 1280 800 light
 *
 * With a folder as a fifth argument it leaves pictures there. Prints a line for
 * each thing that it saw, in order, and "done" at the end; fails at the first that
 * is not as it should be.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import axe from "npm:axe-core@4.14.1";
import { chromium } from "npm:playwright-core@1.65.1";
import { find } from "./needs.ts";

const [address = "", width, height, scheme, pictures] = Deno.args;
await using browser = await chromium.launch({
  executablePath: find("chromium") ?? "",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const context = await browser.newContext({
  viewport: { width: Number(width), height: Number(height) },
  colorScheme: scheme === "dark" ? "dark" : "light",
  reducedMotion: "reduce",
});
const page = await context.newPage();
page.setDefaultTimeout(20_000);
const complaints: string[] = [];
page.on("console", (message) => {
  // Chromium itself: what is typed over coloured text in an editor keeps its style.
  const isOwn = /^Applying inline style violates/.test(message.text());
  if (!isOwn) complaints.push(message.text());
});
page.on("pageerror", (error) => complaints.push(`${error.stack}`));
page.on("request", (request) => {
  const { origin } = new URL(address);
  const { protocol } = new URL(request.url());
  if (!request.url().startsWith(origin) && protocol !== "data:") {
    complaints.push(request.url());
  }
});
const isPhone = Number(width) < 560;
const button = (name: string | RegExp) =>
  page.getByRole("button", { name, exact: true });
const field = (role: string) =>
  page.getByRole("textbox", { name: new RegExp(`^${role} `) });
const head = (role: string) =>
  page.getByRole("region", { name: `Program ${role}` });

// Two clicks to the first arrow.
await page.goto(address);
await page.locator(".choice").nth(11).waitFor();
assertEquals(await page.locator(".choice").count(), 12);
await assertGood("choose");
await page.getByRole("button", { name: /tcp:chat/ }).click();
await assertGood("idle");
await button("Start").click();
await page.locator(".lv-scroll [data-key]").filter({
  hasText: /connects?\b/,
}).first().waitFor();
console.log("started with two clicks");

// The line that is asked for is typed without a click, on both sides.
await field("client").waitFor();
await isFocused("client");
await page.keyboard.type("Hello, server!");
await page.keyboard.press("Enter");
await field("server").waitFor();
await isFocused("server");
await head("server").getByText("asks you").waitFor({
  state: isPhone && await tab("Guide", false) ? "attached" : "visible",
});
await page.keyboard.type("Hello, client!");
await page.keyboard.press("Enter");
await page.getByText("Server: Hello, client!").first().waitFor();
console.log("typed on both sides");

// h in a field is a letter; elsewhere it holds the wire, and n lets go.
await field("client").fill("held");
await field("client").press("h");
assertEquals(await field("client").inputValue(), "heldh");
await page.locator(".lv-scroll").focus();
await page.keyboard.press("h");
await page.getByRole("switch", { name: /^Hold/ }).waitFor();
await field("client").press("Enter");
await page.getByText("1 waits").first().waitFor();
await assertGood("hold");
assertEquals(await button("Drop").count(), 0, "offered for a stream");
await page.locator(".lv-scroll").focus();
await page.keyboard.press("n");
await page.getByText("Client: heldh").first().waitFor();
await page.keyboard.press("h");
await page.getByRole("switch", { name: /^Hold/, checked: false }).waitFor();
console.log("held and let go");

// The network: out of range says why, a preset is told and can be copied.
await tab("Network");
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
await assertGood("network");
await button("Calm").click();
await page.locator(".command").waitFor({ state: "detached" });
console.log("disturbed the network");

// A reload goes on with the same run.
await page.reload();
await field("server").waitFor();
await page.getByText("Client: heldh").first().waitFor();
console.log("reloaded");

// An edited copy: saved while it is typed, checked, run, and thrown away.
await button("Stop").click();
await button("Start again").waitFor();
await tab("Program");
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
await assertGood("program");
await page.getByRole("radio", { name: "Changes" }).check();
await page.locator(".cm-changedLine").first().waitFor();
await page.getByRole("radio", { name: "Your copy" }).check();
await code.click();
await page.keyboard.press("ControlOrMeta+Home");
await page.keyboard.press("Shift+End");
await page.keyboard.type('console.log("I am edited.");');
await page.getByText("saved", { exact: true }).waitFor();
await button("Run edited").click();
await page.getByText("I am edited.").first().waitFor();
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
console.log("edited");

await tab("Keep");
await page.getByRole("link", { name: "JSON Lines" }).waitFor();
await assertGood("keep");
await tab("Bytes");
await assertGood("bytes");
await tab("Guide");
await assertGood("guide");
await page.locator(".lv-scroll").focus();
await page.keyboard.press("?");
await page.getByRole("dialog").waitFor();
await assertGood("keys");
await page.keyboard.press("Escape");
await page.getByRole("dialog").waitFor({ state: "hidden" });
await button("Stop").click();
await head("client").getByText(/^ended/).waitFor({ state: "attached" });
console.log("looked at all panels");

// Back to the examples.
await button("Examples").click();
await page.locator(".choice").nth(11).waitFor();
assertEquals(await page.locator(".choice").count(), 12);
assertEquals(complaints, [], "complaints, or requests to elsewhere");
console.log("done");

/** Opens a panel; whether it had to. */
async function tab(name: string, open = true): Promise<boolean> {
  const tab = page.getByRole("tab", { name: new RegExp(`^${name}`) });
  const isOpen = await tab.getAttribute("aria-selected") === "true";
  if (open && !isOpen) await tab.click();
  return isOpen;
}

/** Waits until a program's line has the focus. */
async function isFocused(role: string): Promise<void> {
  const id = await field(role).getAttribute("id");
  await page.waitForFunction(`document.activeElement.id === "${id}"`);
}

/** The page fits, and axe finds nothing serious; leaves a picture. */
async function assertGood(state: string): Promise<void> {
  if (pictures) {
    const path = `${pictures}/${state}-${width}-${scheme}.png`;
    await page.screenshot({ path });
  }
  const wide = Number(
    await page.evaluate("document.documentElement.scrollWidth"),
  );
  assert(wide <= Number(width), `${state} is ${wide} px wide`);
  await page.evaluate(axe.source);
  const serious = await page.evaluate(`
    axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html)))
  `);
  assertEquals(serious, [], `axe at ${state}`);
}
