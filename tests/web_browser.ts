/**
 * Visits the pages of `public/` in a real browser, as a learner would; run by
 * `web_test.ts`, as a program of its own because playwright-core wants every
 * permission (it looks into /proc/sys, for one).
 *
 *     deno run --allow-all tests/web_browser.ts http://127.0.0.1:8080/ 1280x800 360x740
 *
 * With `--pictures=FOLDER` it leaves pictures of the pages there.
 *
 * Prints, for each size, a line for each thing that it saw, in order, and "done";
 * fails at the first that is not as it should be.
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { launchChromium } from "./chromium.ts";

const [origin = "", ...sizes] = Deno.args.filter((word) => !/^-/.test(word));
const pictures = /--pictures=(\S+)/.exec(Deno.args.join(" "))?.[1];
await using browser = await launchChromium();
for (const size of sizes) {
  const [width = 0, height = 0] = size.split("x").map(Number);
  await visit(width, height);
}

async function visit(width: number, height: number): Promise<void> {
  const viewport = { width, height };
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
  await assertFits();
  assertEquals(await page.locator("img").count(), 1);
  const broken = "[...document.images].filter((image) => !image.naturalWidth)";
  assertEquals(await measure(`${broken}.length`), 0);
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

  // By keyboard alone: to the form, through its fields, and send it.
  const press = async (key: string, times = 1) => {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  };
  await page.goto(origin);
  await press("Tab", 3);
  await press("Enter");
  await page.waitForURL(`${origin}form.html`);
  await assertFits();
  await press("Tab");
  await page.keyboard.type("J\u00f6 <b>");
  await press("Tab");
  await page.keyboard.type("one");
  await press("Enter");
  await page.keyboard.type("two");
  await page.setInputFiles("input[type=file]", {
    name: "a.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("in the file\n"),
  });
  await press("Tab", 2);
  const sent = page.waitForResponse((response) =>
    response.request().method() === "POST"
  );
  await press("Enter");
  assertEquals((await sent).status(), 200);
  await page.waitForSelector("h1:has-text('What your browser sent')");
  await assertFits();
  const text = await page.innerText("pre");
  assertMatch(
    text,
    /^POST \/form\.html\n[^]*\ncontent-type: multipart\/form-data; boundary=/,
  );
  assertMatch(text, /; name="name"\n\nJ\u00f6 <b>\n/);
  assertMatch(text, /; name="comment"\n\none\ntwo\n/);
  assertMatch(
    text,
    /; filename="a\.txt"\nContent-Type: text\/plain\n\nin the file\n/,
  );
  console.log("sent the form");
  await page.getByRole("link", { name: "Back" }).click();
  await page.waitForURL(`${origin}form.html`);
  assertEquals(complaints, [], "complaints, or requests to elsewhere");
  if (pictures) {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const name of ["index", "page2", "form"]) {
        await page.goto(`${origin}${name}.html`);
        const path = `${pictures}/${name}-${width}-${colorScheme}.png`;
        await page.screenshot({ path, fullPage: true });
      }
      await page.fill("#comment", "one\ntwo");
      await page.click("button");
      await page.waitForSelector("h1:has-text('What your browser sent')");
      const path = `${pictures}/sent-${width}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true });
    }
  }
  console.log("done");

  async function measure(code: string): Promise<number> {
    return Number(await page.evaluate(code));
  }

  async function assertFits(): Promise<void> {
    const wide = await measure("document.documentElement.scrollWidth");
    assert(wide <= await measure("innerWidth"), `${wide} wide`);
  }
}
