/**
 * The runs that the wire view draws with Mermaid: those that a README shows are
 * what it makes today, and Mermaid accepts those of all examples.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import mermaid from "npm:mermaid@12.3.0";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { readOptions } from "../launch/options.ts";
import { Reaper } from "../launch/programs/reaper_client.ts";
import { Diagram } from "../launch/show/mermaid.ts";
import { readDocuments } from "./documents.ts";
import { sideBySide, UNCOUNTED } from "./assertions.ts";
import { event, launchHere, LINK, output, PAIR, play } from "./launches.ts";
import { needs } from "./needs.ts";
import { anyNumbers } from "./transcript.ts";

/** A diagram to make: the name of its test, and the task with its arguments. */
interface Row {
  name: string;
  task: string;
  args: string[];
  /** Asserts more than that Mermaid accepts it. */
  check?(made: string): void;
}
const rows: Row[] = [];

for (const { blocks } of await readDocuments()) {
  for (const { language, place, introduction, text, options } of blocks) {
    if (language !== "mermaid") continue;
    const command = introduction.find((text) =>
      /^deno task .*--mermaid/.test(text)
    ) ?? "";
    const words = command.match(/"[^"]*"|\S+/g) ?? [];
    const [, , task = "", ...args] = words.map((word) =>
      word.replaceAll('"', "")
    );
    rows.push({
      name: `docs: ${place}: the diagram is what the wire view makes`,
      ...{ task, args },
      check(diagram) {
        const made = withoutChance(diagram), shown = withoutChance(text);
        if (!options.includes("numbers")) assertEquals(made, shown, place);
        else assertEquals(essence(made), essence(shown), place);
      },
    });
  }
}

for (const { name } of EXAMPLES) {
  if (rows.some(({ task }) => task === name)) continue;
  const test = `wire view: ${name} as a Mermaid diagram`;
  rows.push({ name: test, task: name, args: ["--mermaid"] });
}

/**
 * Launches it, and looks at what is drawn; returns that. On a busy machine a program
 * may ask once more, or its prompt may come late, and the picture shows that. So a
 * run has three attempts.
 */
async function draw(row: Row, reaper: Reaper): Promise<string> {
  for (let left = 3;; left--) {
    const text = await launched(row, reaper);
    try {
      row.check?.(text.trimEnd());
      return text;
    } catch (error) {
      if (left === 1) throw error;
    }
  }
}

/** Launches it without any trouble; returns what is drawn. */
async function launched({ task, args }: Row, reaper: Reaper): Promise<string> {
  const options = readOptions(args, {
    values: ["script", "net", "seed"],
    flags: ["mermaid"],
  });
  assert(options.has("mermaid"), "the text before it names no command");
  const { text, wrong } = await launchHere(task, reaper, {
    script: options.one("script"),
    net: options.one("net"),
    seed: options.one("seed"),
    mermaid: true,
  });
  assertEquals(wrong, "", text);
  // The programs' own ports are below 32768, where the system's begin.
  assert(!/(:|port )(3[3-9]|[456]\d)\d{3}\b/.test(text), text);
  return text;
}

async function assertAccepted(diagram: string): Promise<void> {
  const { diagramType } = await mermaid.parse(diagram);
  assertEquals(diagramType, "sequence");
}

const ready = rows.filter(({ task }) => programs(task).length === 0);
Deno.test({
  name: "wire view: what it draws with Mermaid",
  ...UNCOUNTED,
  async fn(t) {
    await using reaper = new Reaper();
    const drawn: string[] = [];
    const steps = ready.map((row) => ({
      name: row.name,
      fn: async () => void drawn.push(await draw(row, reaper)),
    }));
    await sideBySide(t, 2, steps);
    // Only now, because it takes so long that relays here would not go on.
    for (const diagram of drawn) await assertAccepted(diagram);
  },
});
for (const row of rows.filter((row) => !ready.includes(row))) {
  Deno.test(needs(programs(row.task), {
    name: row.name,
    async fn() {
      await using reaper = new Reaper();
      await assertAccepted(await draw(row, reaper));
    },
  }));
}

function programs(example: string): string[] {
  return example === "nats" ? ["nats-server"] : [];
}

/**
 * An ETag is longer or shorter, and so is the response that it stands in; a port is,
 * and so is the request, or NATS's greeting, that names it.
 */
function withoutChance(diagram: string): string {
  const sized = diagram
    .replace(/((?:GET .*|INFO \{…\}) \()\d+( bytes)/g, "$1N$2");
  if (!diagram.includes("etag: ETAG")) return sized;
  return sized.replace(/(HTTP\/1\.1 200 OK.*\()\d+( bytes)/g, "$1N$2");
}

/**
 * What a run with timers and random numbers shows each time: which messages go
 * from whom to whom, and which lines each program prints; not how often, nor in
 * which order, nor how TCP has cut the messages.
 */
function essence(diagram: string): string[] {
  const said = diagram.split("\n").flatMap((line) => {
    const [, note, lines] = /^( +Note over \w+: )(.*)/.exec(line) ?? [];
    if (lines) return lines.split("<br/>").map((part) => note + part);
    const [, who, text] = /^(.*>>\w+: )(.*)␣ \(/.exec(line) ?? [];
    if (text) return text.split(/ |␣/).map((part) => who + part);
    return [line.replace(/ #35;\d+$/, "")];
  });
  return [...new Set(said.map(anyNumbers))].sort();
}

Deno.test("wire view: a Mermaid diagram is the same each time", async () => {
  const [one, two] = await Promise.all([
    output("tcp:chat", "--mermaid"),
    output("tcp:chat", "--mermaid"),
  ]);
  assertEquals(one, two);
});

Deno.test("wire view: Mermaid takes whatever is said", async () => {
  const lines: string[] = [];
  play(new Diagram((line) => lines.push(line)));
  const text = lines.join("\n");
  await assertAccepted(text);
  assertStringIncludes(text, "code#59; #35;1: #60;b#62;#92;");
});

Deno.test("wire view: a Mermaid diagram names connections, and what went wrong", () => {
  const lines: string[] = [];
  const diagram = new Diagram((line) => lines.push(line));
  diagram.begin(PAIR);
  const detail = { size: 0, isUpdate: false };
  diagram.wire(LINK, event({ kind: "connect", connection: 2 }), detail);
  for (let i = 1; i <= 9; i++) {
    diagram.line({
      role: "server",
      text: `line ${i}`,
      stream: "stderr",
      typed: undefined,
    });
  }
  const end = { role: "server", signal: null };
  diagram.ended({ ...end, code: 3, stopped: false });
  diagram.ended({ ...end, code: 143, stopped: true });
  assertEquals(lines.slice(3), [
    "    client-->>server: connect #35;2",
    "    Note over server: ! line 1<br/>! line 2<br/>! line 3<br/>! line 4<br/>" +
    "! line 5<br/>… 4 more lines",
    "    Note over server: ended with status 3",
  ]);
});
