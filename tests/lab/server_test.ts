/** The lab without a browser: a real lab, real programs, pages made of a WebSocket. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { setTimeout as pause } from "node:timers/promises";
import {
  type FromPage,
  type Item,
  KEPT_EVENTS,
  PAGES,
} from "../../launch/lab/messages.ts";
import { Edits } from "../../launch/lab/edits.ts";
import { Session } from "../../launch/lab/session.ts";
import { Sources } from "../../launch/lab/sources.ts";
import { EXAMPLES } from "../../launch/programs/examples.ts";
import { Reaper } from "../../launch/programs/reaper_client.ts";
import {
  assertFails,
  noSignals,
  PATIENCE_MS,
  ROOT,
  start,
  within,
} from "../assertions.ts";
import { join } from "@std/path";
import { base64, Lab, LabPage, textOf } from "./client.ts";
import { find, needs } from "../needs.ts";

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

  await t.step(
    "an edited copy runs, is checked, reverted and brought back",
    async () => {
      await using page = await lab.page();
      const script = "tcp/client.ts";
      const first =
        (await page.answer("source", { type: "source", script })).source;
      const original = await Deno.readTextFile(join(ROOT, script));
      assertEquals(first.original, original);
      await page.choose("tcp");
      await page.assertRefused(
        { type: "start", edited: ["client"], seed: null },
        /has not been edited/,
      );
      const edit = async (text: string, version: number) =>
        (await page.answer("source", { type: "edit", script, text, version }))
          .source;
      const text = original.replaceAll(
        "Hello from client!",
        "Hello from a copy!",
      );
      let source = await edit(text, first.version);
      assertEquals([source.edited, source.version], [text, first.version + 1]);
      await page.start({ edited: ["client"] });
      await page.item(
        "line",
        (item) => item.text === "Client says: Hello from a copy!",
      );
      await page.item("over");
      assertEquals((await page.state("client", "ended")).edited, true);
      assertEquals((await page.state("server", "ended")).edited, false);

      // A second page that has seen less does not overwrite it.
      await using other = await lab.page();
      const { source: seen } = await other.answer("source", {
        type: "source",
        script,
      });
      assertEquals(seen.edited, text);
      const wrong = 'const n: number = "x";\n' + original;
      source = await edit(wrong, source.version);
      // It is told of the change, though.
      await other.until(
        () =>
          other.answers.some((answer) =>
            answer.type === "source" && answer.source.edited === wrong
          ),
        "be told",
      );
      const from = other.answers.length;
      other.send({ type: "edit", script, text: "", version: seen.version });
      await other.until(
        () => other.answers.length === from + 2,
        "get two answers",
      );
      const [failed, latest] = other.answers.slice(from);
      assert(failed?.type === "failed" && latest?.type === "source");
      assertMatch(failed.text, /changed in another page/);
      assertEquals(latest.source.edited, wrong);

      source = (await page.answer("source", { type: "check", script })).source;
      assertEquals(source.errors, [{
        ...{ line: 1, column: 7 },
        text: "Type 'string' is not assignable to type 'number'.",
      }]);
      // One that cannot even be read says where, when it is run.
      source = await edit("const = 1;\n", source.version);
      assertEquals(source.errors, []);
      await page.start({ edited: ["client"] });
      await page.item(
        "line",
        (item) => item.role === "client" && item.stream === "stderr",
      );
      assertEquals((await page.state("client", "ended")).code, 1);
      await end(page);

      source = (await page.answer("source", { type: "revert", script })).source;
      assertEquals([source.edited, source.canUndo], [null, true]);
      await page.assertRefused({ type: "revert", script }, /not been edited/);
      source =
        (await page.answer("source", { type: "undo-revert", script })).source;
      assertEquals([source.edited, source.canUndo], ["const = 1;\n", false]);
      await page.assertRefused({ type: "undo-revert", script }, /no copy/);
      page.send({ type: "revert", script });
      for (
        const no of ["deno.json", "../x.ts", "/etc/passwd", "launch/lab.ts", ""]
      ) {
        await page.assertRefused({ type: "source", script: no }, /no script/);
        await page.assertRefused(
          { type: "edit", script: no, text: "", version: 0 },
          /no script/,
        );
      }
    },
  );

  await t.step(
    "each script runs from a copy, with its permissions",
    async () => {
      await using page = await lab.page();
      for (const { name, roles, script } of EXAMPLES) {
        if (name === "nats" && !find("nats-server")) continue;
        await page.choose(name);
        const edited: string[] = [];
        for (const info of page.welcome?.examples ?? []) {
          if (info.name !== name) continue;
          for (const { name: role, script } of info.roles) {
            if (!script) continue;
            const { source } = await page.answer("source", {
              type: "source",
              script,
            });
            const { version, original } = source;
            if (source.edited === null) {
              const text = `${original}\n// A copy.\n`;
              await page.answer("source", {
                type: "edit",
                script,
                text,
                version,
              });
            }
            edited.push(role);
          }
        }
        await page.start({ edited });
        for (const line of script) {
          const from = page.items.length;
          await typeNext(page, typeof line === "string" ? line : line.type);
          if (typeof line !== "string") {
            await page.item("wire", () => true, from);
          }
        }
        assertEquals((await page.state("client", "ended")).code, 0);
        assertEquals((await end(page)).failure, "", name);
        for (const { name: role } of roles) {
          const { edited: isCopy } = await page.state(role, "ended");
          assertEquals(isCopy, edited.includes(role), role);
        }
      }
      for (
        const { script }
          of page.welcome?.examples.flatMap(({ roles }) => roles) ?? []
      ) {
        if (script) page.send({ type: "revert", script });
      }
    },
  );

  await t.step(
    "a run is kept as three files, and one of them opened",
    async () => {
      await using page = await lab.page();
      const run = page.welcome?.run ?? "";
      await page.choose("udp");
      page.send({ type: "net", link: "server", conditions: "delay=20ms" });
      await page.start({ seed: 7 });
      await page.item("over");
      const get = async (name: string) => {
        const response = await lab.get(`/lab/${name}?run=${run}`);
        assertEquals(response.status, 200);
        assertMatch(
          response.headers.get("content-disposition") ?? "",
          new RegExp(`filename="${name}"`),
        );
        return await response.bytes();
      };
      const saved = await get("run.jsonl");
      const lines = new TextDecoder().decode(saved).trimEnd().split("\n");
      assertEquals(lines.length, page.events().length + 1);
      const header = JSON.parse(lines[0] ?? "");
      assertEquals([header.net, header.seed, header.links.length], [
        "delay=20ms",
        7,
        1,
      ]);
      assertEquals(header.task, "deno task udp --net delay=20ms --seed 7");
      const mermaid = new TextDecoder().decode(await get("run.mmd"));
      assertMatch(mermaid, /^sequenceDiagram\n/);
      assertStringIncludes(
        mermaid,
        "client-)server: Hello from client! (18 bytes)",
      );
      assertStringIncludes(
        mermaid,
        "Note over server: Server listening on port 12345...",
      );
      const pcapng = await get("run.pcapng");
      assertEquals([...pcapng.slice(0, 4)], [0x0a, 0x0d, 0x0d, 0x0a]);
      assertEquals((await lab.get(`/lab/run.exe?run=${run}`)).status, 404);
      assertEquals((await lab.get("/lab/run.jsonl?run=x")).status, 404);

      const before = page.events();
      const post = async (
        body: BodyInit,
        headers: Record<string, string> = {},
      ) => {
        const response = await lab.get(`/lab/open?run=${run}&name=my.jsonl`, {
          ...{ method: "POST", body },
          headers: { origin: lab.origin, ...headers },
        });
        return { status: response.status, text: await response.text() };
      };
      page.items = [];
      assertEquals((await post(saved)).status, 204);
      const opened = await page.item("run");
      assertEquals([opened.opened, opened.seed, opened.example], [
        "my.jsonl",
        7,
        "",
      ]);
      await page.item("over");
      assertEquals(page.events(), before);
      await page.assertRefused(
        { type: "start", edited: [], seed: null },
        /Choose/,
      );
      // It can be kept again, and is no run of another format.
      assertEquals((await get("run.jsonl")).length > 100, true);
      for (
        const [body, line] of [
          ["", /is empty/],
          ["nonsense", /no JSON/],
          ['{"format":99}', /format 99/],
          ["[]\n", /no object/],
          [`${lines[0]}\n{"number":1}\n`, /no event/],
        ] satisfies [string, RegExp][]
      ) {
        const { status, text } = await post(body);
        assertEquals(status, 400, body);
        assertMatch(text, line);
        assertMatch(text, /^[^\n]+\n$/);
      }
      assertEquals(
        (await post(saved, { origin: "http://127.0.0.1:1" })).status,
        403,
      );
    },
  );

  await t.step("a reload and a second page see the same run", async () => {
    const first = await lab.page();
    const run = first.welcome?.run ?? "";
    await first.play("udp:chat");
    await typeNext(first, "before the reload");
    await first.item(
      "line",
      ({ text }) => text === "Client: before the reload",
    );
    const { last } = first;
    await using second = await lab.page(run);
    assertEquals(second.welcome?.run, run);
    await second.until(() => second.last >= last, "catch up");
    assertEquals(second.items.slice(0, first.items.length), first.items);
    await first[Symbol.asyncDispose]();
    // It has gone, and comes back with what it knows.
    await typeNext(second, "an answer");
    await second.item("line", ({ text }) => text === "Server: an answer");
    await using third = await lab.page(run, last);
    await third.until(() => third.last >= second.last, "catch up");
    assertEquals(third.items, second.items.slice(-third.items.length));
    assert(third.items.length < second.items.length);
    third.send({ type: "type", role: "client", line: "exit" });
    await second.item("over");
    assertEquals((await third.item("over")).failure, "");
    // Another tab has a run of its own.
    await using fourth = await lab.page("no such run", 17);
    assert(fourth.welcome?.run !== run);
  });
});

/** All that a page may send, each a little wrong. */
const WRONG: (string | Uint8Array<ArrayBuffer>)[] = [
  "",
  "nonsense",
  "null",
  "[]",
  "17",
  '"stop"',
  "{}",
  '{"type":"stop"',
  '{"type":17}',
  '{"type":"run","command":"rm -rf /"}',
  '{"type":"__proto__"}',
  '{"type":"constructor"}',
  '{"type":"toString"}',
  '{"type":"choose"}',
  '{"type":"choose","example":17}',
  '{"type":"choose","example":"tcp","more":1}',
  '{"type":"choose","example":"tcp","__proto__":{}}',
  '{"type":"start","edited":"client","seed":null}',
  '{"type":"start","edited":[17],"seed":null}',
  '{"type":"start","edited":[],"seed":-1}',
  '{"type":"start","edited":[],"seed":1.5}',
  '{"type":"start","edited":[],"seed":1e400}',
  '{"type":"type","role":"client","line":"two\\nlines"}',
  '{"type":"type","role":["client"],"line":"x"}',
  `{"type":"choose","example":"${"x".repeat(101)}"}`,
  `{"type":"net","link":"server","conditions":"${"x".repeat(2001)}"}`,
  '{"type":"release","number":1,"bytes":"no base64!"}',
  '{"type":"release","number":"1","bytes":null}',
  '{"type":"inject","link":"server","connection":1,"from":"me","bytes":""}',
  '{"type":"hold","link":"server","on":"yes","containing":""}',
  `{"type":"edit","script":"tcp/client.ts","version":0,"text":"${
    "x".repeat(300_001)
  }"}`,
  `{"type":"stop","x":"${"x".repeat(1_600_000)}"}`,
  new Uint8Array([1, 2, 3]),
];

Deno.test("lab: nobody else gets in, and no page can do harm", async (t) => {
  await using lab = await Lab.start();

  await t.step("the key, Host and Origin are compared whole", async () => {
    const { host, origin, cookie } = lab;
    const key = new URL(lab.address).search;
    const local = host.replace("127.0.0.1", "localhost");
    const secure = origin.replace("http", "https");
    const websocket = {
      ...{ upgrade: "websocket", connection: "Upgrade" },
      ...{ "sec-websocket-version": "13" },
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const page = { host, cookie, origin };
    for (
      const [path, headers, wanted] of [
        [`/${key}`, { host }, 303],
        ["/", { host }, 403],
        ["/?key=", { host }, 403],
        [`/${key}x`, { host }, 403],
        [`/${key.slice(0, -1)}`, { host }, 403],
        ["/lab/", { host }, 403],
        ["/lab/", { host, cookie }, 200],
        ["/lab/", { host, cookie: `${cookie}x` }, 403],
        ["/lab/", { host, cookie: cookie.replace("lab", "x") }, 403],
        ["/lab/", { host, cookie: `a=b; ${cookie}` }, 200],
        // DNS rebinding: the right address under another name.
        ["/lab/", { host: "127.0.0.1.attacker.example:1", cookie }, 421],
        ["/lab/", { host: local, cookie }, 421],
        ["/lab/", { host: `x.${host}`, cookie }, 421],
        ["/lab/", { host: "127.0.0.1", cookie }, 421],
        [`/${key}`, { host: "attacker.example" }, 421],
        ["/lab/", { ...page, origin: "https://attacker.example" }, 403],
        ["/lab/", { ...page, origin: "null" }, 403],
        ["/lab/../deno.json", { host, cookie }, 404],
        ["/lab/%2e%2e/deno.json", { host, cookie }, 404],
        ["/lab/main.tsx", { host, cookie }, 404],
        ["/lab/ws", page, 426],
        ["/lab/ws", { ...page, ...websocket }, 101],
        ["/lab/ws", { host, cookie, ...websocket }, 403],
        ["/lab/ws", { host, origin, ...websocket }, 403],
        ["/lab/ws", { ...page, origin: `${origin}.x.y`, ...websocket }, 403],
        ["/lab/ws", { ...page, origin: "null", ...websocket }, 403],
        ["/lab/ws", { ...page, origin: secure, ...websocket }, 403],
        [`/lab/ws${key}`, { host, origin, ...websocket }, 403],
      ] satisfies [string, Record<string, string>, number][]
    ) {
      const what = `${path} ${JSON.stringify(headers)}`;
      assertEquals(
        `${await raw(lab, path, headers)} ${what}`,
        `${wanted} ${what}`,
      );
    }
    const response = await lab.get("/lab/");
    await response.body?.cancel();
    const policy = response.headers.get("content-security-policy") ?? "";
    assertMatch(policy, /default-src 'none'; script-src 'self';/);
    assertMatch(policy, /frame-ancestors 'none'/);
    assert(!policy.includes("unsafe"), policy);
    assertEquals(response.headers.get("referrer-policy"), "no-referrer");
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    assertEquals(response.headers.get("cache-control"), "no-store");
    const post = { method: "POST", body: "x" };
    const posted = await lab.get("/lab/open?run=x", post);
    await posted.body?.cancel();
    assertEquals(posted.status, 403); // without Origin
  });

  await t.step(
    "a message that is none closes its page, and no other",
    async () => {
      await using page = await lab.page();
      for (const wrong of WRONG) {
        const other = await lab.page();
        other.sendText(wrong);
        const { code, reason } = await closed(other);
        const what = `${wrong}`.slice(0, 80);
        assertEquals([code, what], [1008, what]);
        assertMatch(reason, /^[A-Z].*\.$/);
      }
      // The first message joins, and one joins once.
      const early = new LabPage(lab.socket());
      await early.open();
      early.send({ type: "stop" });
      assertEquals((await closed(early)).code, 1008);
      await page.assertRefused({ type: "join", run: null, after: 0 }, /joined/);
      const loud = await lab.page();
      for (let i = 0; i < 2_000; i++) loud.send({ type: "stop" });
      await closed(loud); // how it is told depends on what was still under way
      // What is right but cannot be done is refused in a line.
      const nothing: FromPage[] = [
        { type: "choose", example: "__proto__" },
        { type: "start", edited: [], seed: null },
        { type: "type", role: "client", line: "x" },
        { type: "kill", role: "client" },
        { type: "restart", role: "client", edited: false },
        { type: "net", link: "server", conditions: "loss=20%" },
        { type: "hold", link: "server", on: true, containing: "" },
        { type: "release", number: 1, bytes: null },
        { type: "bytes", number: 1 },
      ];
      for (const message of nothing) await page.assertRefused(message, /./);
    },
  );

  await t.step(
    "a hundred pages: eight are served, the others turned away",
    async () => {
      const pages = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const page = new LabPage(lab.socket());
          try {
            await page.open();
            page.send({ type: "join", run: null, after: 0 });
            await page.until(() => page.welcome, "be welcomed");
            return page;
          } catch {
            return null;
          }
        }),
      );
      const served = pages.filter((page) => page !== null);
      assertEquals(served.length, PAGES);
      for (const page of served) await page[Symbol.asyncDispose]();
      // Their places are free again.
      await using page = await lab.page();
      await page.choose("tcp");
    },
  );

  await t.step("markup in names, lines and messages stays text", async () => {
    await using page = await lab.page();
    const markup = `</script><img src=x onerror=alert(1)>"'&<!--`;
    await page.play("udp:chat");
    await typeNext(page, markup);
    const event = await page.event((event) => textOf(event) === markup);
    const { bytes, size } = await page.answer("bytes", {
      ...{ type: "bytes", number: event.number },
    });
    assertEquals([bytes, size], [base64(markup), event.size]);
    const hold = { type: "hold", link: "server", on: true } as const;
    page.send({ ...hold, containing: markup });
    await page.item("hold", ({ links }) => links[0]?.containing === markup);
    await end(page);
    await page.assertRefused(
      { type: "choose", example: markup.slice(0, 50) },
      /no example/,
    );
  });

  await t.step(
    "a page that reads nothing while 20,000 datagrams flow",
    async () => {
      await using page = await lab.page();
      using deaf = await deafPage(lab, page.welcome?.run ?? "");
      await page.play("broker");
      await page.item("asks");
      const link = page.items.find((item) =>
        item.kind === "link" && item.link.name === "toupper"
      );
      assert(link?.kind === "link");
      const socket = Deno.listenDatagram({
        ...{ transport: "udp", hostname: "127.0.0.1", port: 0 },
      });
      const address = { transport: "udp", ...link.link.relay } as const;
      const bytes = new Uint8Array(1_000).fill(97);
      // As fast as the page gets to see them, until the oldest have gone.
      const isDropped = () => page.items.some(({ kind }) => kind === "dropped");
      for (let sent = 0; !isDropped() && sent < 60_000; sent += 500) {
        const { seen } = page;
        for (let i = 0; i < 500; i++) await socket.send(bytes, address);
        await page.until(() => page.seen >= seen + 100, "keep up");
      }
      socket.close();
      const { upTo } = await page.item("dropped");
      assert(upTo > 0);
      await page.assertRefused({ type: "bytes", number: 1 }, /no longer kept/);
      // The programs still answer.
      await typeNext(page, "toupper:still here");
      await page.item("line", ({ text }) => text.includes("STILL HERE"));
      // Who comes now gets what is kept: 20,000 events, and what still counts.
      await using late = await lab.page(page.welcome?.run ?? "");
      await late.until(() => late.last >= page.last, "catch up", 60_000);
      assertEquals(late.items[0]?.kind, "run");
      assert(late.items.some(({ kind }) => kind === "dropped"));
      assertEquals(late.items.filter(({ kind }) => kind === "link").length, 3);
      const kept = late.events().length;
      assert(kept >= KEPT_EVENTS && kept < KEPT_EVENTS + 1_000, `${kept}`);
      for (const role of ["client", "broker", "toupper", "tolower"]) {
        const state = late.items.findLast((item) =>
          item.kind === "program" && item.role === role
        );
        assert(state?.kind === "program" && state.state !== "ended", role);
      }
      const run = page.welcome?.run;
      const response = await lab.get(`/lab/run.jsonl?run=${run}`);
      const lines = (await response.text()).trimEnd().split("\n");
      assert(lines.length > KEPT_EVENTS);
      await deaf.write(new Uint8Array()); // it is there all the time
      await end(page);
    },
  );
});

/** The status that a request gets whose headers are as they are given. */
async function raw(
  lab: Lab,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  using connection = await connect(lab);
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}`
  );
  const request = [`GET ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n");
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(1_000);
  const length = await within(
    PATIENCE_MS,
    connection.read(buffer),
    `an answer to ${request}`,
  );
  const text = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}

async function connect({ host }: Lab): Promise<Deno.TcpConn> {
  const [hostname = "", port] = host.split(":");
  return await Deno.connect({ hostname, port: Number(port) });
}

/** How a page was closed. */
async function closed(
  page: LabPage,
): Promise<{ code: number; reason: string }> {
  await page.until(() => false, "be closed").catch(() => {});
  assert(page.closed);
  return page.closed;
}

/** A page that joins and then reads nothing. */
async function deafPage(lab: Lab, run: string): Promise<Deno.TcpConn> {
  const connection = await connect(lab);
  const head = [
    "GET /lab/ws HTTP/1.1",
    `Host: ${lab.host}`,
    `Origin: ${lab.origin}`,
    `Cookie: ${lab.cookie}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const encoder = new TextEncoder();
  await connection.write(encoder.encode([...head, "", ""].join("\r\n")));
  await connection.read(new Uint8Array(500));
  const text = encoder.encode(JSON.stringify({ type: "join", run, after: 0 }));
  // A text frame, masked with zeros.
  const frame = [0x81, 0x80 | text.length, 0, 0, 0, 0, ...text];
  await connection.write(Uint8Array.from(frame));
  return connection;
}

Deno.test("lab: programs end 15 s after their last page, and with the lab", async () => {
  await using lab = await Lab.start();
  const page = await lab.page();
  await page.play("udp:chat");
  await page.item("asks");
  const run = page.welcome?.run ?? "";
  const relay = page.items.find(({ kind }) => kind === "link");
  assert(relay?.kind === "link");
  const { port } = relay.link.target;
  await page[Symbol.asyncDispose]();
  // A reload ends nothing.
  await pause(2_000);
  const again = await lab.page(run);
  await again.until(() => asking(again.items), "still ask");
  await again[Symbol.asyncDispose]();
  await pause(13_000);
  assert(!isFree(port));
  await untilFree([port]);
  await using last = await lab.page(run);
  assertEquals((await last.item("over")).failure, "");

  await last.play("broker");
  await last.item("asks");
  const ports = last.items.flatMap((item) =>
    item.kind === "link" ? [item.link.target.port] : []
  );
  assertEquals(ports.length, 3);
  assert(!ports.some(isFree));
  lab.program.kill(noSignals ? "SIGTERM" : "SIGINT");
  if (!noSignals) assertEquals(await lab.program.exits(), 0);
  await lab.program.ended;
  await untilFree(ports);
});

/** Waits until nobody has these UDP ports. */
async function untilFree(ports: number[]): Promise<void> {
  const end = performance.now() + 2 * PATIENCE_MS;
  while (!ports.every(isFree)) {
    assert(performance.now() < end, `${ports} are still taken`);
    await pause(100);
  }
}

/** Whether nobody has this UDP port. */
function isFree(port: number): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port })
      .close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("lab: used wrongly, it says so in a line", async () => {
  for (
    const [args, complaint] of [
      [
        ["nothing"],
        /^There is no example nothing\. Usage: deno task lab .*\n$/,
      ],
      [["tcp", "udp"], /^Cannot use udp\. Usage: .*\n$/],
      [["--port"], /^Cannot use --port without a value\. Usage: .*\n$/],
      [
        ["--port", "70000"],
        /^Cannot use --port 70000: a port is 0 to 65535\..*\n$/,
      ],
      [["--nonsense"], /^Cannot use --nonsense\..*\n$/],
      [["--server", "x"], /^Cannot use --server\..*\n$/],
      [
        ["tcp", "--server", "'"],
        /^Cannot use --server: A ' is open in: '\..*\n$/,
      ],
      [["--edits", "../x"], /^Cannot use --edits .*\n$/],
    ] satisfies [string[], RegExp][]
  ) await assertFails("lab", args, 2, complaint);
});

Deno.test(needs(["python3"], {
  name: "lab: a program of one's own plays a role, by the command line alone",
  async fn() {
    const server = `python3 -c "
import socket, sys
s = socket.create_server(('127.0.0.1', {port}))
c, a = s.accept()
print(c.recv(100).decode())
c.sendall(b'Moin!')
c.close()"`;
    await using lab = await Lab.start("tcp", "--server", server);
    await using page = await lab.page();
    assertEquals(page.welcome?.only, "tcp");
    assertEquals(page.welcome?.examples.map(({ name }) => name), ["tcp"]);
    await page.play("tcp");
    await page.item("line", ({ text }) => text === "Server says: Moin!");
    assertEquals((await end(page)).failure, "");
    await page.assertRefused(
      { type: "start", edited: ["server"], seed: null },
      /no script of this project/,
    );
    await page.assertRefused({ type: "choose", example: "udp" }, /no example/);
  },
}));

Deno.test("lab: deno task exercise NAME --lab opens it with the program and its network", async () => {
  const folder = await Deno.makeTempDir();
  const wrong = join(ROOT, "tests/exercises/wrong/udp_ask_again/");
  const [file] = (await Array.fromAsync(Deno.readDir(wrong)))
    .map(({ name }) => name).sort();
  const program = await start("exercise", [
    ...["udp/ask-again", "--lab", "--no-open", "--port", "0"],
    ...["--progress", join(folder, "progress.json"), "--run"],
    `deno run --unstable-net --allow-net=127.0.0.1 ${wrong}${file} {port} red`,
  ]);
  await using lab = await Lab.of(program, ".lab/none");
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  assertMatch(program.stdout, /not yet/);
  await using page = await lab.page();
  await page.play("udp/ask-again");
  const net = await page.item("net");
  const [, conditions = ""] = /--net "([^"]+)"/.exec(program.stdout) ?? [];
  assertEquals(net.links, { server: conditions });
  const asked = await page.event(({ kind }) => kind === "datagram");
  assertEquals(asked.from, "client");
  // Who plays the server by hand answers with the bytes that are typed.
  page.send({ type: "net", link: "server", conditions: "" });
  await typeNext(page, "a\\x00b\\n");
  await page.event((event) =>
    event.from === "server" && textOf(event) === "a\x00b\n"
  );
  await end(page);
});

Deno.test("lab: what is asked for in the moment in which a run ends is told", async () => {
  await using reaper = new Reaper();
  const session = new Session({
    ...{ reaper, examples: EXAMPLES, missing: () => "", own: {}, net: "" },
    sources: new Sources(new Edits(new Set(), ".lab/none")),
    ports: { server: 0 },
  });
  const { feed } = session;
  const { promise: told, resolve } = Promise.withResolvers<void>();
  const reader = feed.reader(0);
  feed.subscribe(() => {
    for (const item of reader.next()?.items ?? []) {
      if (item.kind === "did" && item.action === "hold") resolve();
      if (item.kind !== "over") continue;
      // As a message that comes just now: after what is going on, before all else.
      queueMicrotask(() => {
        const hold = { type: "hold", link: "server", on: true } as const;
        session.handle({ ...hold, containing: "" }, () => {});
      });
    }
  });
  await session.handle({ type: "choose", example: "tcp" }, () => {});
  await session.handle({ type: "start", edited: [], seed: 1 }, () => {});
  await within(PATIENCE_MS, told, "what was asked for");
});
