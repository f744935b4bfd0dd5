/** The lab without a browser: a real lab, real programs, pages made of a WebSocket. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { setTimeout as pause } from "node:timers/promises";
import type { FromPage, Item } from "../launch/lab/messages.ts";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { noSignals, PATIENCE_MS, within } from "./assertions.ts";
import { base64, Lab, type LabPage, textOf } from "./lab_client.ts";
import { find, needs } from "./needs.ts";

/** Who asks now, by what a page was told. */
function asking(items: readonly Item[]): string | undefined {
  const prompts = new Map<string, string | null>();
  for (const item of items) {
    if (item.kind === "asks") prompts.set(item.role, item.prompt);
    if (item.kind === "program" && item.state === "ended") {
      prompts.delete(item.role);
    }
  }
  return [...prompts].find(([, prompt]) => prompt !== null)?.[0];
}

/** Types a line into whoever asks next. */
async function typeNext(page: LabPage, line: string): Promise<void> {
  const role = await page.until(() => asking(page.items), "ask");
  const { length } = page.items;
  page.send({ type: "type", role, line });
  await page.item("asks", (item) => item.role === role, length);
}

/** Ends what still runs, and waits for the end. */
async function end(page: LabPage): Promise<Item & { kind: "over" }> {
  if (!page.items.some(({ kind }) => kind === "over")) {
    page.send({ type: "stop" });
  }
  return await page.item("over");
}

Deno.test("lab: runs, typed into, disturbed, held, edited, kept", async (t) => {
  await using lab = await Lab.start();

  for (const { name, script, roles } of EXAMPLES) {
    const ignore = name === "nats" && !find("nats-server");
    await t.step({
      name: `${name} is started, typed into and ended`,
      ignore,
      async fn() {
        await using page = await lab.page();
        await page.play(name);
        for (const line of script) {
          if (typeof line === "string") await typeNext(page, line);
          else {
            const from = page.items.length;
            await typeNext(page, line.type);
            await page.item("wire", () => true, from);
          }
        }
        await page.state("client", "ended");
        const { failure, counts } = await end(page);
        assertEquals(failure, "");
        assert(counts.length >= 2, counts.join());
        for (const role of roles) {
          const last = page.items.findLast((item) =>
            item.kind === "program" && item.role === role.name
          );
          assert(last?.kind === "program");
          assertEquals([role.name, last.state], [role.name, "ended"]);
          // What is not ours may end with what it likes.
          if (!role.command) {
            assertEquals([role.name, last.code], [role.name, 0]);
          }
        }
        assert(page.events().some(({ size }) => size > 0));
        // One clock: nothing was delivered before it was sent, or after the end.
        const over = page.items.findLast(({ kind }) => kind === "over");
        for (const { sent, delivered } of page.events()) {
          assert(sent <= (delivered ?? sent));
          assert(over?.kind === "over" && (delivered ?? sent) <= over.at);
        }
      },
    });
  }

  await t.step(
    "the servers go on, and whoever has ended comes back",
    async () => {
      await using page = await lab.page();
      await page.play("broker");
      await typeNext(page, "toupper:one");
      await page.item("line", ({ text }) => text.includes("ONE"));
      const links = page.items.filter(({ kind }) => kind === "link");
      await typeNext(page, "exit");
      await page.state("client", "ended");
      // Without its client, the rest goes on.
      page.send({ type: "kill", role: "toupper" });
      const killed = await page.state("toupper", "ended");
      if (!noSignals) assertEquals(killed.signal, "SIGKILL");
      let from = page.items.length;
      page.send({ type: "restart", role: "client", edited: false });
      await page.state("client", "running", from);
      await typeNext(page, "toupper:two");
      await page.item("line", ({ text }) => /error/.test(text), from);
      await page.assertRefused(
        { type: "restart", role: "client", edited: false },
        /client still runs/,
      );
      from = page.items.length;
      page.send({ type: "restart", role: "toupper", edited: false });
      await page.state("toupper", "listening", from);
      await typeNext(page, "toupper:three");
      await page.item("line", ({ text }) => text.includes("THREE"), from);
      assertEquals(page.items.filter(({ kind }) => kind === "link"), links);
      page.send({ type: "interrupt", role: "tolower" });
      await page.state("tolower", "ended");
      page.send({ type: "end-input", role: "client" });
      await page.state("client", "ended", from);
      assertEquals((await end(page)).failure, "");
      await page.assertRefused(
        { type: "restart", role: "client", edited: false },
        /Nothing runs/,
      );
    },
  );

  await t.step(
    "a TCP server that was killed comes back behind its relay",
    async () => {
      await using page = await lab.page();
      await page.play("http");
      await typeNext(page, "/");
      page.send({ type: "kill", role: "server" });
      await page.state("server", "ended");
      await typeNext(page, "y");
      await page.state("client", "ended");
      // Nothing runs now, so all is over.
      const { failure } = await page.item("over");
      assertMatch(failure, /^client ended with status 1$/);
      await page.start();
      await page.item("asks");
      page.send({ type: "kill", role: "server" });
      await page.state("server", "ended");
      page.send({ type: "restart", role: "server", edited: false });
      await page.until(
        () =>
          page.items.filter((item) =>
            item.kind === "program" && item.state === "listening"
          ).length === 2,
        "listen again",
      );
      await typeNext(page, "/");
      await typeNext(page, "n");
      await page.item("line", ({ text }) => text.includes("Hello!"));
      assertEquals(
        page.events().find(({ kind }) => kind === "connect")?.connection,
        1,
      );
      await end(page);
    },
  );

  await t.step("conditions of UDP change while it runs", async () => {
    await using page = await lab.page();
    await page.play("broker");
    await page.item("asks");
    for (
      const [conditions, test] of [
        ["up.loss=100%", { fate: "lost" }],
        ["up.loss=#1", { fate: "lost" }],
        ["up.duplicate=100%", { mark: "again" }],
        ["up.delay=30ms", { mark: "late" }],
        ["up.delay=30ms up.jitter=10ms", { mark: "late" }],
        ["up.reorder=100%", { mark: "late" }],
        ["up.corrupt=100%", { mark: "corrupted" }],
        ["up.size=2B", { fate: "lost" }],
        ["up.rate=100B/s", { fate: "delivered" }],
        ["slow-motion", { mark: "late" }],
        ["terrible", {}],
        ["", { fate: "delivered" }],
      ] satisfies [string, { fate?: string; mark?: string }][]
    ) {
      const from = page.items.length;
      page.send({ type: "net", link: "toupper", conditions });
      const net = await page.item("net", () => true, from);
      assertEquals(net.links, { broker: "", toupper: conditions, tolower: "" });
      assertEquals(net.sentences.length, conditions ? 1 : 0);
      const words = conditions.split(" ").map((word) => `toupper:${word}`);
      assertMatch(
        net.command,
        conditions
          ? new RegExp(
            `^deno task broker --net "?${
              words.join(" ").replaceAll(/[.#%/]/g, "\\$&")
            }"? --seed \\d+$`,
          )
          : /^deno task broker$/,
      );
      await page.event(({ kind }) => kind === "condition", from);
      page.send({
        ...{ type: "inject", link: "toupper", connection: 0, from: "client" },
        bytes: base64(`to ${conditions}`),
      });
      const { fate, mark }: { fate?: string; mark?: string } = test;
      const event = await page.event(
        (event) =>
          event.link === "toupper" && event.from === "client" &&
          textOf(event).length === conditions.length + 3 &&
          (fate === undefined || event.fate === fate) &&
          (mark === undefined || event.marks.some((one) => one === mark)),
        from,
      );
      if (fate || mark) {
        assertEquals(event.causes.length > 0, conditions !== "", conditions);
      }
    }
    for (
      const [conditions, line] of [
        ["loss=20", /loss=20%/],
        ["cut=3B", /cut is for TCP/],
        ["nonsense", /nonsense/],
        ["@/etc/passwd", /no condition here/],
        ["tolower:loss=20%", /tolower/],
        ["loss=#1 ".repeat(300), /./],
      ] satisfies [string, RegExp][]
    ) {
      if (conditions.length > 2000) continue;
      await page.assertRefused(
        { type: "net", link: "toupper", conditions },
        line,
      );
    }
    await page.assertRefused({ type: "stall", link: "toupper" }, /UDP/);
    await page.assertRefused(
      { type: "reset", link: "toupper", connection: 1 },
      /UDP/,
    );
    await page.assertRefused(
      { type: "net", link: "nobody", conditions: "" },
      /no link to nobody/,
    );
    await end(page);
    // It holds for the next run.
    page.send({ type: "net", link: "broker", conditions: "up.loss=#1" });
    await page.item("net", ({ links }) => links.broker === "up.loss=#1");
    await page.start({ seed: 42 });
    const net = await page.item("net");
    assertEquals(net.links.broker, "up.loss=#1");
    assertStringIncludes(net.command, "--seed 42");
    await typeNext(page, "toupper:again");
    await page.event(({ fate, causes }) =>
      fate === "lost" && causes.includes("up.loss=#1")
    );
    await page.item("line", ({ text }) => text.includes("AGAIN"));
    await end(page);
  });

  await t.step("conditions of TCP change while it runs", async () => {
    await using page = await lab.page();
    const inject = (text: string) =>
      page.send({
        ...{ type: "inject", link: "server", connection: 1, from: "client" },
        bytes: base64(text),
      });
    const change = async (conditions: string) => {
      const from = page.items.length;
      page.send({ type: "net", link: "server", conditions });
      await page.event(({ kind }) => kind === "condition", from);
      return from;
    };
    await page.play("tcp:chat");
    await page.item("asks");
    let from = await change("up.cut=3B");
    inject("123456789");
    await page.event(({ bytes }) => bytes === base64("789"), from);
    from = await change("up.delay=20ms up.jitter=5ms");
    inject("late");
    await page.event(({ marks }) => marks.includes("late"), from);
    from = await change("up.glue=200ms");
    inject("glued ");
    inject("together");
    await page.event(({ marks }) => marks.includes("glued"), from);
    from = await change("up.rate=100KB/s");
    inject("slowly");
    await page.event(({ fate }) => fate === "delivered", from);
    from = await change("");
    await page.assertRefused(
      { type: "net", link: "server", conditions: "loss=20%" },
      /TCP repairs loss/,
    );
    page.send({ type: "stall", link: "server" });
    await page.item(
      "net",
      ({ command }) => command.includes("stall=0B"),
      from,
    );
    await page.event(({ text }) => /nothing passes/.test(text), from);
    inject("into the void");
    await page.event(
      ({ bytes, fate }) =>
        fate === "under way" && bytes === base64("into the void"),
      from,
    );
    from = await change("");
    await page.event(
      ({ bytes, fate }) =>
        fate === "delivered" && bytes === base64("into the void"),
      from,
    );
    from = await change("reset=1B");
    inject("over");
    await page.event(({ kind }) => kind === "reset", from);
    await end(page);
  });

  await t.step(
    "datagrams on hold: next, change, drop, double, overtake, a stranger's",
    async () => {
      await using page = await lab.page();
      await page.play("udp:chat");
      await page.item("asks");
      await page.assertRefused({ type: "next" }, /Nothing is held/);
      const hold = async (on: boolean, containing = "") => {
        const from = page.items.length;
        page.send({ type: "hold", link: "server", on, containing });
        await page.item(
          "hold",
          ({ links }) => links.length === (on ? 1 : 0),
          from,
        );
      };
      const inject = (connection: number, text: string) =>
        page.send({
          ...{ type: "inject", link: "server", connection, from: "client" },
          bytes: base64(text),
        });
      /** Types into whoever asks; returns the number of the datagram on hold. */
      const typeHeld = async (text: string) => {
        const from = page.items.length;
        await typeNext(page, text);
        const { held } = await page.item(
          "hold",
          ({ total }) => total === 1,
          from,
        );
        const event = page.events().find(({ number }) => number === held[0]);
        assertEquals(event && textOf(event), text);
        return event?.number ?? 0;
      };
      await hold(true);
      let number = await typeHeld("one");
      page.send({ type: "release", number, bytes: base64("other") });
      await page.item("line", ({ text }) => text === "Client: other");
      const changed = page.events().find((event) => event.number === number);
      assertEquals(changed?.marks, ["held", "changed"]);
      await typeHeld("answer");
      page.send({ type: "next" });
      await page.item("line", ({ text }) => text === "Server: answer");

      number = await typeHeld("two");
      page.send({ type: "drop", number });
      await page.event((event) =>
        event.number === number && event.fate === "lost"
      );
      await page.assertRefused({ type: "drop", number }, /not held any more/);
      // What is made at the relay is not held, and the server believes it.
      inject(1, "three");
      await page.item("line", ({ text }) => text === "Client: three");
      number = await typeHeld("double");
      await page.assertRefused(
        { type: "cut", number, at: 1 },
        /cannot be done/,
      );
      page.send({ type: "double", number });
      await page.event((event) =>
        event.of === number && event.marks.includes("again")
      );
      await page.item("line", ({ text }) => text === "Server: double");

      // Only what contains a text is held; what comes later overtakes it.
      await hold(false);
      await hold(true, "wait");
      await typeHeld("please wait");
      let from = page.items.length;
      inject(0, "strange");
      const stranger = await page.event(
        ({ marks, fate }) => marks.includes("injected") && fate === "delivered",
        from,
      );
      assert(stranger.connection > 1);
      await page.event(
        (event) =>
          event.from === "server" && event.connection === stranger.connection &&
          textOf(event).includes("busy"),
        from,
      );
      from = page.items.length;
      await hold(false);
      await page.item(
        "line",
        ({ text }) => text === "Client: please wait",
        from,
      );
      await page.assertRefused(
        {
          type: "inject",
          link: "server",
          connection: 0,
          from: "server",
          bytes: "",
        },
        /stranger/,
      );
      await page.assertRefused(
        {
          type: "inject",
          link: "server",
          connection: 99,
          from: "client",
          bytes: "",
        },
        /no connection #99/,
      );
      await page.assertRefused(
        {
          ...{ type: "inject", link: "server", connection: 0, from: "client" },
          bytes: new Uint8Array(65_508).toBase64(),
        },
        /65,507/,
      );
      await end(page);
    },
  );

  await t.step("a stream on hold: cut, next, reset", async () => {
    await using page = await lab.page();
    await page.play("tcp:chat");
    await page.item("asks");
    page.send({ type: "hold", link: "server", on: true, containing: "" });
    await page.item("hold", ({ links }) => links.length === 1);
    let from = page.items.length;
    await typeNext(page, "Hello");
    let [number = 0] = (await page.item("hold", ({ total }) =>
      total === 1, from)).held;
    await page.assertRefused({ type: "cut", number, at: 5 }, /cannot be done/);
    await page.assertRefused({ type: "drop", number }, /cannot be done/);
    from = page.items.length;
    page.send({ type: "cut", number, at: 2 });
    const first = await page.event(
      (event) => event.number === number && event.fate === "delivered",
      from,
    );
    assertEquals(textOf(first), "He");
    [number = 0] = (await page.item("hold", ({ total }) =>
      total === 1, from)).held;
    const rest = await page.event((event) => event.number === number, from);
    assertEquals([textOf(rest), rest.of, rest.fate], [
      "llo",
      first.number,
      "under way",
    ]);
    await page.item("line", ({ text }) => text === "Client: He", from);
    page.send({ type: "next" });
    await page.event(
      (event) => event.number === number && event.fate === "delivered",
      from,
    );
    await page.assertRefused(
      { type: "reset", link: "server", connection: 7 },
      /#7/,
    );
    page.send({ type: "reset", link: "server", connection: 1 });
    await page.event(({ kind }) => kind === "reset", from);
    await end(page);
  });
});
