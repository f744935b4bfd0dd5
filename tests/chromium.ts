/** A real browser for tests; a program of its own starts it, because playwright-core wants every permission. */
import { type Browser, chromium } from "npm:playwright-core@1.65.1";
import { find } from "./needs.ts";

/** Starts Chromium, which asks nothing of the outside world. */
export async function launchChromium(): Promise<Browser> {
  return await chromium.launch({
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
}
