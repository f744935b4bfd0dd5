/**
 * Takes the picture of the lab for the root README again, in Chromium, from a real
 * run: two people chat over a slow network that doubles a datagram.
 *
 *     deno run --allow-all tests/lab/redraw.ts
 */
import { join } from "@std/path";
import { ROOT } from "../../launch/programs/program.ts";
import { launchChromium } from "../chromium.ts";
import { Lab } from "./client.ts";

const PICTURE = "launch/drawings/lab.png";

await using lab = await Lab.start();
await using browser = await launchChromium();
const page = await browser.newPage({
  viewport: { width: 1080, height: 690 },
  deviceScaleFactor: 1.25,
  colorScheme: "light",
  reducedMotion: "reduce",
});
page.setDefaultTimeout(60_000);
await page.goto(lab.address);
await page.locator(".choice").filter({
  has: page.getByText("udp:chat", { exact: true }),
}).first().click();
await page.getByRole("tab", { name: "Network" }).click();
// Far enough that each slope can be seen.
const delay = page.getByRole("textbox", { name: "Delay" });
await delay.fill("100");
await delay.press("Enter");
await page.locator(".command").waitFor();
const exactly = page.getByRole("textbox", { name: "Exactly which" });
await exactly.fill("up.duplicate=#2");
await exactly.press("Enter");
await page.locator(".command").getByText("duplicate").waitFor();
await page.getByRole("button", { name: "Start", exact: true }).click();
for (
  const [role, line] of [
    ["client", "Hello! Is anybody there?"],
    ["server", "Yes. Who are you?"],
    ["client", "Your neighbour."],
  ]
) {
  const field = page.getByRole("textbox", { name: new RegExp(`^${role} `) });
  await field.fill(`${line}`);
  await field.press("Enter");
}
await page.getByText("Client: Your neighbour.").first().waitFor();
const field = page.getByRole("textbox", { name: /^server / });
await field.fill("Nice to meet you!");
await page.mouse.move(0, 0);
await page.screenshot({ path: join(ROOT, PICTURE) });
console.log(`${PICTURE}: ${(await Deno.stat(join(ROOT, PICTURE))).size} bytes`);
