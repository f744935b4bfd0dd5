/**
 * The guides of the lab, each followed to its end: what a step says is done, and then
 * the step must be ticked.
 */
import { assert, assertEquals } from "@std/assert";
import { GUIDES } from "../../launch/lab/guides/mod.ts";
import type { Item, PageEvent } from "../../launch/lab/messages.ts";
import { EXAMPLES } from "../../launch/programs/examples.ts";
import { Lab, type LabPage } from "./client.ts";
import { needs } from "../needs.ts";

/** So many guides are followed at the same time; a lab has eight pages. */
const AT_ONCE = 6;

/** Those that wait for a program's patience begin first. */
const SLOW = ["udp:chat", "udp", "http", "broker", "incrementer"];

/** What somebody does who follows a step. */
type Act = (page: LabPage) => Promise<void>;

/** The sign that somebody has looked at a message, which the page keeps by itself. */
const LOOKED: Item = {
  kind: "did",
  at: 0,
  action: "bytes",
  role: "",
  text: "",
};

/** Types a line when a program asks for one. */
async function type(page: LabPage, role: string, line: string): Promise<void> {
  await page.until(() => prompt(page, role), `see ${role} ask`);
  const from = page.items.length;
  page.send({ type: "type", role, line });
  await page.until(
    () => page.items.slice(from).some((item) => isTaken(item, role)),
    `see ${role} take ${line}`,
  );
}

/** A program that has taken its line asks no more, or something else. */
function isTaken(item: Item, role: string): boolean {
  return item.kind === "asks" && item.role === role || item.kind === "over";
}

function prompt(page: LabPage, role: string): string | null {
  const last = page.items.findLast((item) =>
    item.kind === "asks" && item.role === role
  );
  return last?.kind === "asks" ? last.prompt : null;
}

/** A step in which some bytes are looked at. */
const look: Act = async (page) => {
  const [event] = page.events()
    .filter(({ kind }) => kind === "message" || kind === "datagram");
  await page.answer("bytes", { type: "bytes", number: event?.number ?? 0 });
  page.items.push(LOOKED);
};

/** Starts the example, and types lines: `client: hello`. */
function play(...lines: string[]): Act {
  return async (page) => {
    await stopped(page);
    await page.start();
    await begun(page);
    await say(...lines)(page);
  };
}

/** Waits until all programs have been started: the client is the last. */
async function begun(page: LabPage): Promise<void> {
  const [client] = page.welcome?.examples
    .find(({ name }) => name === exampleOf(page))?.roles ?? [];
  await page.item(
    "program",
    ({ role, state }) =>
      role === client?.name && (state === "running" || state === "ended"),
  );
}

/** Waits until a program asks. */
function asks(role: string): Act {
  return async (page) => {
    await page.until(() => prompt(page, role), `see ${role} ask`);
  };
}

/** Types lines: `client: hello`. */
function say(...lines: string[]): Act {
  return async (page) => {
    for (const line of lines) {
      const [, role = "", text = ""] = /^(\w+): (.*)$/s.exec(line) ?? [];
      await type(page, role, text);
    }
  };
}

async function stopped(page: LabPage): Promise<void> {
  const isOver = () => page.items.some(({ kind }) => kind === "over");
  if (!page.items.some(({ kind }) => kind === "program") || isOver()) return;
  page.send({ type: "stop" });
  await page.until(isOver, "stop");
}

/** Changes the network of a link. */
function net(conditions: string, link = "server"): Act {
  return async (page) => {
    const from = page.items.length;
    page.send({ type: "net", link, conditions });
    await page.item("net", () => true, from);
  };
}

function hold(on: boolean, link = "server"): Act {
  return async (page) => {
    const from = page.items.length;
    page.send({ type: "hold", link, on, containing: "" });
    await page.item("hold", () => true, from);
  };
}

/** Waits for a held event like this; returns it. */
async function waiting(
  page: LabPage,
  test: (event: PageEvent) => boolean,
): Promise<PageEvent> {
  return await page.until(() => {
    const last = page.items.findLast(({ kind }) => kind === "hold");
    const held = last?.kind === "hold" ? last.held : [];
    return page.events()
      .find((event) => held.includes(event.number) && test(event));
  }, "hold such an event");
}

/** Lets a held event like this through. */
function release(test: (event: PageEvent) => boolean): Act {
  return async (page) => {
    const { number } = await waiting(page, test);
    page.send({ type: "release", number, bytes: null });
  };
}

const isMessage = ({ kind }: PageEvent) =>
  kind === "message" || kind === "datagram";

function kill(role: string): Act {
  return async (page) => {
    const from = page.items.length;
    page.send({ type: "kill", role });
    await page.item(
      "program",
      (item) => item.role === role && item.state === "ended",
      from,
    );
  };
}

function restart(role: string): Act {
  return async (page) => {
    const from = page.items.length;
    page.send({ type: "restart", role, edited: false });
    await page.item(
      "did",
      (item) => item.action === "restart" && item.role === role,
      from,
    );
  };
}

let editing = Promise.resolve();

/** Edits a script, and starts the example with the copy. */
function edit(role: string, from: string, to: string): Act {
  return async (page) => {
    await stopped(page);
    // Two guides edit the same client.
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = editing;
    editing = promise;
    await before;
    const script = page.welcome?.examples
      .find(({ name }) => name === exampleOf(page))
      ?.roles.find(({ name }) => name === role)?.script ?? "";
    const { source } = await page.answer("source", { type: "source", script });
    assert(source.original.includes(from), `${script} has no ${from}`);
    const text = source.original.replaceAll(from, to);
    await page.answer("source", {
      type: "edit",
      script,
      text,
      version: source.version,
    });
    await page.start({ edited: [role] }).finally(resolve);
    await begun(page);
  };
}

function exampleOf({ items }: LabPage): string {
  const run = items.find(({ kind }) => kind === "run");
  return run?.kind === "run" ? run.example : "";
}

/** One after the other. */
function all(...acts: Act[]): Act {
  return async (page) => {
    for (const act of acts) await act(page);
  };
}

/** Nothing is left to do: what the step looks for has happened already. */
const nothing: Act = async () => {};

/** What a browser does at the relay's address. */
const browse: Act = async (page) => {
  await play()(page);
  const { link } = await page.item("link");
  const { hostname, port } = link.relay;
  const response = await fetch(`http://${hostname}:${port}/`, {
    headers: { "user-agent": "Mozilla/5.0" },
  });
  await response.text();
};

const WALKS: Record<string, Act[]> = {
  "tcp": [
    play(),
    look,
    all(net("slow-motion"), play()),
    all(net("up.cut=3B"), play()),
    all(
      net(""),
      hold(true),
      play(),
      release(isMessage),
      hold(false),
    ),
    all(hold(true), play(), async (page) => {
      await waiting(page, () => true);
      page.send({ type: "reset", link: "server", connection: 1 });
    }),
    all(
      hold(false),
      edit("client", "Hello from client!", "Good morning!"),
    ),
  ],
  "tcp:chat": [
    play("client: hello", "server: hi"),
    say("client: grüß dich, 👋"),
    all(net("up.cut=1B"), say("server: ja?", "client: ü")),
    all(net(""), kill("server")),
    play("client: exit"),
  ],
  "udp": [
    play(),
    look,
    all(net("slow-motion"), play()),
    all(net("down.loss=#1"), play()),
    all(net(""), hold(true), play(), release(isMessage)),
  ],
  "udp:chat": [
    play("client: hello", "server: hi"),
    say("client: and you?", "server: well"),
    all(net("down.loss=#1"), play("client: hello", "server: hi")),
    say("client: hello"),
    (page) => {
      const bytes = btoa("hello");
      page.send({
        ...{ type: "inject", link: "server", from: "client", connection: 0 },
        bytes,
      });
      return Promise.resolve();
    },
    all(net(""), play("client: exit")),
  ],
  "http": [
    play("client: /", "client: n"),
    look,
    nothing,
    all(net("up.stall=10B"), play("client: /", "client: n")),
    all(
      net(""),
      edit("client", " HTTP/1.1", " HTPP/1.1"),
      say("client: /", "client: n"),
    ),
    all(
      edit("server", "Hello!", "Good morning!"),
      say("client: /", "client: n"),
    ),
  ],
  "http:threaded": [
    play("client: /", "client: n"),
    browse,
    look,
    all(play(), kill("server"), say("client: /", "client: n")),
    all(
      play(),
      asks("client"),
      kill("server"),
      restart("server"),
      say("client: /", "client: n"),
    ),
  ],
  "http:serve": [
    play("client: /", "client: n"),
    look,
    browse,
    all(net("up.cut=1B"), play("client: /", "client: n")),
    all(net("down.reset=100B"), play("client: /", "client: n")),
  ],
  "web": [
    play("client: /test.txt", "client: y"),
    say("client: /nothing.html", "client: y"),
    look,
    all(
      edit("client", "Connection: ${", "Range: bytes=0-4\\r\\nConnection: ${"),
      say("client: /test.txt", "client: y"),
    ),
    say("client: /../deno.json", "client: y"),
    say("client: /", "client: n"),
  ],
  "broker": [
    play("client: toupper:hello"),
    say("client: tolower:HELLO"),
    look,
    all(net("up.loss=#1", "toupper"), play("client: toupper:hello")),
    all(net("down.delay=3s", "toupper"), play("client: toupper:late")),
    all(
      net("", "toupper"),
      play(),
      kill("toupper"),
      say("client: toupper:hello", "client: tolower:HELLO"),
    ),
    all(restart("toupper"), say("client: toupper:back")),
  ],
  "nats": [
    play("client: toupper:hello"),
    look,
    all(kill("toupper"), say("client: toupper:hello")),
    all(restart("toupper"), say("client: toupper:back")),
    all(net("delay=500ms", "tolower"), say("client: tolower:HELLO")),
  ],
  "incrementer": [
    all(play("client: c"), async (page) => {
      await page.until(
        () =>
          page.events().filter(({ kind, from }) =>
            kind === "message" && from === "client"
          ).length >= 2,
        "count",
      );
      await type(page, "client", "s");
    }),
    look,
    all(net("up.cut=1B"), say("client: c")),
    all(net(""), kill("client"), restart("client"), say("client: c")),
    all(kill("server"), restart("server"), say("client: c")),
    say("client: exit"),
  ],
  "library": [
    play(),
    look,
    all(net("slow-motion"), play()),
    all(
      net(""),
      hold(true),
      play(),
      release(isMessage),
    ),
    all(hold(false), edit("server", "return", "return 'No. ' + ")),
  ],
};

Deno.test("lab: there is a guide for each example, of five to ten steps, one with a guess", () => {
  assertEquals(
    GUIDES.map(({ example }) => example).sort(),
    EXAMPLES.map(({ name }) => name).sort(),
  );
  for (const { example, steps } of GUIDES) {
    assert(steps.length >= 5 && steps.length <= 10, example);
    const guesses = steps.flatMap(({ guess }) => guess ?? []);
    assertEquals(guesses.length, 1, example);
    for (const { answers, right } of guesses) {
      assertEquals(answers.length, 3, example);
      assert(right in answers, example);
    }
    assertEquals(WALKS[example]?.length, steps.length, example);
  }
});

let lab: Promise<Lab> | undefined;
const running = new Set<Promise<void>>();
const walks = new Map<string, Promise<void>>();

/** Follows all guides, some at a time. */
async function follow(): Promise<void> {
  const names = GUIDES.map(({ example }) => example);
  for (const example of new Set([...SLOW, ...names])) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // its test asks for it later
    walks.set(example, promise);
    void (async () => {
      while (running.size >= AT_ONCE) await Promise.race(running);
      const walk = walkThrough(example);
      const done = walk.catch(() => {}).then(() => void running.delete(done));
      running.add(done);
      walk.then(resolve, reject);
    })();
  }
  await Promise.resolve();
}

async function walkThrough(example: string): Promise<void> {
  lab ??= Lab.start();
  await using page = await (await lab).page();
  await page.choose(example);
  const steps = GUIDES.find((guide) => guide.example === example)?.steps ?? [];
  for (const [index, step] of steps.entries()) {
    const place = `${example}, step ${index + 1} (${step.title})`;
    const act = WALKS[example]?.[index] ?? nothing;
    if (act !== nothing && step.title !== "Look inside") {
      assert(step.done([]) !== true, `${place} is done before it begins`);
    }
    try {
      await act(page);
      await page.until(() => step.done(page.items) === true, "be ticked");
    } catch (error) {
      const waits = step.done(page.items);
      throw new Error(`${place} waits for ${waits}`, { cause: error });
    }
  }
}

for (const { example } of GUIDES) {
  Deno.test(needs(example === "nats" ? ["nats-server"] : [], {
    name: `lab: the guide to ${example}, followed to its end`,
    sanitizeOps: false, // the other guides go on meanwhile
    sanitizeResources: false,
    async fn() {
      if (walks.size === 0) await follow();
      await walks.get(example);
    },
  }));
}

Deno.test({
  name: "lab: ends after its guides",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await Promise.allSettled(walks.values());
    await (await lab)?.[Symbol.asyncDispose]();
  },
});
