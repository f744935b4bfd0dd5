/**
 * Takes the picture of the lab for the root README again, from a real run in
 * Chromium: a broker whose first question to a server is lost.
 *
 *     deno run --allow-all tests/redraw_lab.ts
 */
import { join } from "@std/path";
import { chromium } from "npm:playwright-core@1.65.1";
import { ROOT } from "../launch/programs/program.ts";
import { CHROMIUM } from "./lab_page_browser.ts";
import { Lab } from "./lab_client.ts";
