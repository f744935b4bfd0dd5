/**
 * Visits the pages of `public/` in a real browser, as a learner would; run by
 * `web_test.ts`, as a program of its own because playwright-core wants every
 * permission (it looks into /proc/sys, for one).
 *
 *     deno run --allow-all tests/web_browser.ts http://127.0.0.1:8080/ 360 740
 *
 * Prints a line for each thing that it saw, in order, and "done" at the end;
 * fails at the first that is not as it should be.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { chromium } from "npm:playwright-core@1.65.1";
import { find } from "./needs.ts";

const [origin = "", width, height] = Deno.args;
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
const viewport = { width: Number(width), height: Number(height) };
const page = await browser.newPage({ viewport });
const complaints: string[] = [];
page.on("console", (message) => complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(error.message));
page.on("request", (request) => {
  if (!request.url().startsWith(origin)) complaints.push(request.url());
});
page.on("response", (response) => {
  if (response.status() >= 400) complaints.push(response.url());
});

assertEquals((await page.goto(origin))?.status(), 200);
await page.waitForFunction("!document.querySelector('#live').hidden");
await assertFits();
assertEquals(await page.locator("img").count(), 1);
const broken = "[...document.images].filter((image) => !image.naturalWidth)";
assertEquals(await measure(`${broken}.length`), 0);
const request = await page.locator("#request").innerText();
assert(request.startsWith(`GET / HTTP/1.1\nHost: ${new URL(origin).host}\n`));
const answer = await page.locator("#response").innerText();
assertMatch(answer, /^HTTP\/1\.1 200 OK\n[^]*content-type: text\/html; /);
console.log("opened");

await page.getByRole("link", { name: "page2.html" }).click();
await page.waitForURL(`${origin}page2.html`);
await assertFits();
await page.getByRole("link", { name: "index.html" }).click();
await page.waitForURL(`${origin}index.html`);
await page.goBack();
await page.waitForURL(`${origin}page2.html`);
await page.goBack();
await page.waitForURL(origin);
await page.getByRole("link", { name: "test.txt" }).click();
await page.waitForURL(`${origin}test.txt`);
assertMatch(await page.innerText("body"), /^This is test\.txt, /);
await page.goBack();
await page.waitForURL(origin);
console.log("followed the links, and back");

await page.reload();
console.log("reloaded");
assertEquals(complaints, [], "complaints, or requests to elsewhere");

// Without its script the page shows an example instead.
await page.route("**/*.js", (route) => route.fulfill({ body: "" }));
await page.goto(`${origin}index.html`);
const example = await page.locator("#request").innerText();
assert(example.startsWith("GET /index.html HTTP/1.1\n"), example);
console.log("done");

async function measure(code: string): Promise<number> {
  return Number(await page.evaluate(code));
}

async function assertFits(): Promise<void> {
  const wide = await measure("document.documentElement.scrollWidth");
  assert(wide <= await measure("innerWidth"), `${wide} wide`);
}
