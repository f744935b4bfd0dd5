/** The lab's page, with the real lab, in a real browser. */
import { assert, assertEquals } from "@std/assert";
import { Program } from "../assertions.ts";
import { Lab } from "./client.ts";
import { needs } from "../needs.ts";
import { bundlePage } from "../../launch/lab/bundle.ts";
import {
  presetOf,
  readForm,
  whyNot,
  writeForm,
} from "../../launch/lab/page/conditions_form.ts";
import { fromHex, toHex, toText } from "../../launch/lab/page/bytes.ts";
import { Draft } from "../../launch/lab/page/drafts.ts";
import type { FromPage, Source } from "../../launch/lab/messages.ts";

Deno.test(needs(["chromium"], {
  name:
    "lab page: in Chromium: all panels at three widths, each example, each condition",
  async fn() {
    await using lab = await Lab.start();
    await using browser = new Program("browser", [
      "run",
      "--allow-all",
      "tests/lab/page_browser.ts",
      lab.address,
    ]);
    await browser.prints("done\n", { ms: 300_000 });
    assertEquals(await browser.exits(60_000), 0, browser.stderr);
  },
}));

Deno.test("lab page: what is sent is under 600 KB compressed", async () => {
  let size = 0;
  for (const { gzip } of (await bundlePage()).values()) size += gzip.length;
  console.log(`the lab's page: ${Math.round(size / 1000)} KB compressed`);
  assert(size < 600_000, `${size} bytes`);
});

Deno.test("lab page: sliders show conditions, and leave the others as typed", () => {
  const typed = "delay=1s up.loss=20% down.loss=#1 loss=5%x4 rate=2MB/s";
  const form = readForm(typed, "udp");
  assertEquals([...form.values], [
    ["both.delay", 1000],
    ["up.loss", 20],
    ["both.rate", 2000],
  ]);
  assertEquals(form.others, ["down.loss=#1", "loss=5%x4"]);
  assertEquals(
    writeForm(form),
    "delay=1000ms up.loss=20% rate=2000KB/s down.loss=#1 loss=5%x4",
  );
  form.values.set("both.delay", 0);
  assertEquals(
    writeForm(form),
    "up.loss=20% rate=2000KB/s down.loss=#1 loss=5%x4",
  );
});

Deno.test("lab page: a preset is known again, for both transports", () => {
  assertEquals(presetOf("", "tcp"), "");
  assertEquals(presetOf("slow-motion", "udp"), "slow-motion");
  assertEquals(presetOf("delay=1000ms", "udp"), "slow-motion");
  assertEquals(presetOf("terrible", "tcp"), "terrible");
  assertEquals(presetOf("terrible loss=#1", "udp"), null);
  assertEquals(presetOf("delay=3ms", "udp"), null);
});

Deno.test("lab page: conditions are refused before they are sent", async () => {
  const link = { name: "server", transport: "tcp" as const };
  assertEquals(await whyNot("cut=3B", link), "");
  assert((await whyNot("loss=#1", link)).includes("TCP repairs loss"));
  assert((await whyNot("delay=3", link)).includes("no unit"));
  assert((await whyNot("@/etc/passwd", link)).includes("terminal"));
});

Deno.test("lab page: bytes as text that can be typed, or as hex", () => {
  assertEquals(fromHex("48 69\n0a"), new Uint8Array([0x48, 0x69, 0x0a]));
  assertEquals(typeof fromHex("4"), "string");
  assertEquals(typeof fromHex("4g"), "string");
  assertEquals(toHex(new Uint8Array([0, 255])), "00 ff");
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(
    toText(bytes("GET / HTTP/1.1\r\n\r\n")),
    "GET / HTTP/1.1\r\n\r\n",
  );
  assertEquals(toText(bytes("a\r\nb\n")), null, "its line ends would change");
  assertEquals(toText(bytes("a\rb")), null);
  assertEquals(toText(new Uint8Array([0xff])), null);
  assertEquals(toText(bytes("\x1b[2J")), null);
});

/** A draft, and what it has sent. */
function drafted(): { draft: Draft; sent: FromPage[]; source: Source } {
  const sent: FromPage[] = [];
  const source: Source = {
    script: "udp/client.ts",
    original: "one",
    edited: null,
    version: 1,
    canUndo: false,
    errors: [],
  };
  const draft = new Draft(
    source,
    (message) => sent.push(message) > 0,
    () => {},
  );
  return { draft, sent, source };
}

Deno.test("lab page: edits are saved one after the other", () => {
  const { draft, sent, source } = drafted();
  draft.write("two");
  draft.save();
  draft.write("three");
  draft.save();
  assertEquals(sent.length, 1, "the second waits for the first");
  draft.take({ ...source, edited: "two", version: 2 });
  assertEquals(sent.at(-1), {
    type: "edit",
    script: "udp/client.ts",
    text: "three",
    version: 2,
  });
  draft.take({ ...source, edited: "three", version: 3 });
  assertEquals([draft.isDirty, draft.conflict], [false, null]);
  assertEquals(sent.length, 2);
});

Deno.test("lab page: another page's edit is taken, or asked about", () => {
  const { draft, sent, source } = drafted();
  draft.take({ ...source, edited: "theirs", version: 2 });
  assertEquals(draft.text, "theirs", "nothing was changed here");
  draft.write("mine");
  draft.take({ ...source, edited: "theirs again", version: 3 });
  assertEquals([draft.text, draft.conflict], ["mine", "theirs again"]);
  draft.save();
  assertEquals(sent, [], "nothing is overwritten");
  draft.settle("mine");
  assertEquals(sent.at(-1)?.type, "edit");
  draft.take({ ...source, edited: "mine", version: 4 });
  draft.write("mine too");
  draft.take({ ...source, edited: "theirs at last", version: 5 });
  draft.settle("theirs");
  assertEquals([draft.text, draft.isDirty], ["theirs at last", false]);
  draft.save();
});
