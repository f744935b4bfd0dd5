/**
 * The documentation, run: every README is read, the commands in its transcripts
 * are run again, and what it says about files, tasks, permissions and sizes is
 * compared with what is there. Failures name README and line. The diagrams are in
 * `mermaid_test.ts`.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { basename, dirname, extname } from "@std/path/posix";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { Program, taskCommand } from "../launch/programs/program.ts";
// Deno tells what it downloads, which no transcript shows: so that comes first.
import "npm:@nats-io/transport-node@3.4.0";
import { noSignals, ROOT } from "./assertions.ts";
import {
  type CodeBlock,
  type Document,
  filesBelow,
  type Part,
  readDocuments,
} from "./documents.ts";
import { needs } from "./needs.ts";
import { replay } from "./transcript.ts";
import { takeTurn } from "./turn.ts";

const documents = await readDocuments();
const files = await filesBelow("");
const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));

/** The commands of the scripts' headers: `deno run FLAGS FILE`, by path. */
const headers = new Map<string, string[]>();
for (const path of files.filter((path) => path.endsWith(".ts"))) {
  const text = await Deno.readTextFile(join(ROOT, path));
  const [, command] = /^ \* {5}(deno run .*)$/m.exec(text) ?? [];
  if (command) headers.set(path, command.split(" "));
}

/** The ports that the scripts listen on or connect to, by path. */
const ports = new Map<string, string[]>();
for (const path of headers.keys()) {
  const text = await Deno.readTextFile(join(ROOT, path));
  ports.set(path, text.match(/(?<=port: "|:)\d{4,5}(?=")|\b1234\b/g) ?? []);
}

Deno.test("docs: tasks run the commands that the headers of scripts show", async () => {
  for (const [path, header] of headers) {
    if (/^(launch|offline|tests)\//.test(path)) continue;
    const runs: string[][] = [];
    for (const task of Object.keys(tasks)) {
      const command: string[] = await taskCommand(task).catch(() => []);
      const script = command.indexOf(path);
      if (script >= 0) runs.push(command.slice(0, script));
    }
    assert(runs.length > 0, `${path}: no task runs it`);
    for (const run of runs) {
      assertEquals(["deno", ...run.map(fromHere)], header.slice(0, -1), path);
    }
    assertEquals(header.at(-1), basename(path), path);
  }
});

Deno.test("docs: every folder of examples has a README", () => {
  const folders = new Set(
    [...headers.keys()].map((path) => path.slice(0, path.lastIndexOf("/")))
      .filter((folder) => !/^(launch|offline|tests)/.test(folder)),
  );
  for (const folder of folders) {
    assert(files.includes(`${folder}/README.md`), `${folder} has no README.md`);
  }
});

Deno.test("docs: every task is documented", () => {
  const commands = documents.flatMap((document) => commandsOf(document));
  for (const task of Object.keys(tasks)) {
    // The root README says that each program has a task, and how it is called.
    if (EXAMPLES.some(({ name }) => isRole(task, name))) continue;
    const documented = commands.some(({ text }) =>
      new RegExp(`\\bdeno(@2)? task ${task}(\\s|$)`).test(text)
    );
    assert(documented, `no README mentions deno task ${task}`);
  }
});

/** Whether a task runs one program of an example: `tcp:chat:server` is one of `tcp:chat`. */
function isRole(task: string, example: string): boolean {
  return new RegExp(`^${example}:\\w+$`).test(task) &&
    !EXAMPLES.some(({ name }) => name === task);
}

/** The documented ports that are somebody else's; on CI nobody may have one. */
const taken = Deno.env.get("CI") === "true" ? [] : await takenPorts();

for (const document of documents) {
  const { path, blocks } = document;

  Deno.test(`docs: ${path}: commands, with their permissions`, () => {
    for (const command of commandsOf(document)) check(command, document);
  });

  Deno.test(`docs: ${path}: the commands for PowerShell are the same`, () => {
    for (const [index, block] of blocks.entries()) {
      if (block.language !== "powershell") continue;
      const other = blocks[index - 1];
      assert(other?.language === "sh", `${block.place}: no sh block before it`);
      const same = block.text.replaceAll(".\\", "").replaceAll("\\", "/");
      assertEquals(same, other.text, block.place);
    }
  });

  Deno.test(`docs: ${path}: links lead somewhere`, () => {
    for (const { place, text } of document.links) {
      if (/^https?:\/\//.test(text)) continue;
      const [link = "", anchor] = text.split("#");
      const target = link === "" ? path : document.resolve(link);
      const exists = files.some((file) =>
        file === target || file.startsWith(target.replace(/\/*$/, "/"))
      ) || /^\.\w/.test(target);
      assert(exists, `${place}: ${text} does not exist`);
      if (anchor === undefined) {
        continue;
      }
      const there = documents.find((other) =>
        other.path === target
      );
      assert(there?.anchors.includes(anchor), `${place}: no heading ${text}`);
    }
    // A line break in the wrong place makes plain text of a link.
    for (const { place, text } of document.prose) {
      const [broken] = /\]\([^)]*\s[^)]*\)/.exec(text) ?? [];
      assert(broken === undefined, `${place}: this is no link: ${broken}`);
    }
  });

  Deno.test(`docs: ${path}: files that it names exist`, () => {
    const own = ownPrograms(document).map(({ name }) => name);
    for (const { place, text } of document.inlineCode) {
      if (!/^[\w./-]+\.(ts|json|html|txt|svg|png|css|md|yml)$/.test(text)) {
        continue;
      }
      const exists = own.includes(text) || files.includes(text) ||
        files.includes(document.resolve(text)) ||
        files.some((file) => basename(file) === text) ||
        files.includes(`public${text}`); // what the web server makes of it
      assert(exists, `${place}: there is no file ${text}`);
    }
  });

  Deno.test(`docs: ${path}: ports and permissions in the text`, () => {
    // Besides those of the scripts: what the transcripts show.
    const known = [...ports.values()].flat()
      .concat(blocks.flatMap(({ text }) => text.match(/\b\d{4,5}\b/g) ?? []));
    for (const { place, text } of document.prose) {
      const named = text.match(
        /(?<=(?<!--)\bport |\d:|localhost[: ])\d{4,5}/gi,
      );
      for (const port of named ?? []) {
        assert(known.includes(port), `${place}: nobody uses port ${port}`);
      }
    }
    for (const { place, columns, cells } of document.rows) {
      const port = cells[columns.indexOf("port")];
      const [, script = ""] = /\((.*?\.ts)\)/.exec(cells[0] ?? "") ?? [];
      const used = ports.get(document.resolve(script));
      if (used === undefined || !/^\d+$/.test(port ?? "")) continue;
      const right = used.includes(port ?? "");
      assert(right, `${place}: ${script} does not use port ${port}`);
    }
    const granted = [...headers.values()].flat();
    for (const { place, text } of document.inlineCode) {
      if (!/^--allow-\w+=\S+$/.test(text)) continue;
      // FOLDER is for the reader to fill in, and 192.0.2.* stands for other
      // machines (RFC 5737).
      const right = granted.includes(fromHere(text)) ||
        /[A-Z]{2}|=192\.0\.2\.|=0\.0\.0\.0$/.test(text);
      assert(right, `${place}: no script has ${text}`);
    }
  });

  Deno.test(`docs: ${path}: sizes in tables of bytes`, () => {
    for (const { place, columns, cells } of document.rows) {
      const size = cells[columns.indexOf("bytes")];
      const text = cells[columns.indexOf("text")];
      if (size === undefined || text === undefined) continue;
      if (!/^[\d,]+$/.test(size)) continue;
      const bytes = new TextEncoder().encode(unescape(text)).length;
      assertEquals(Number(size.replace(",", "")), bytes, `${place}: ${text}`);
    }
  });

  Deno.test(`docs: ${path}: quotations stand in the scripts`, async () => {
    const folder = document.resolve(".");
    const scripts: string[] = [];
    for (const file of files) {
      if (extname(file) !== ".ts" || !file.startsWith(`${folder}/`)) continue;
      scripts.push(await Deno.readTextFile(join(ROOT, file)));
    }
    for (const { place, text, language } of blocks) {
      if (language !== "ts" || programName(text)) continue;
      const lines = text.split("\n").map((line) => line.trim())
        .filter((line) => line !== "" && line !== "…");
      const quoted = scripts.some((script) =>
        lines.every((line) => script.includes(line))
      );
      assert(quoted, `${place}: no script here has these lines`);
    }
  });

  if (ownPrograms(document).length > 0) {
    Deno.test(`docs: ${path}: the types of its programs`, async () => {
      const folder = await Deno.makeTempDir({ prefix: "docs-" });
      try {
        await writePrograms(document, folder);
        const names = ownPrograms(document).map(({ name }) => name);
        const args = ["check", ...names];
        const check = new Program("deno check", args, {}, folder);
        assertEquals(await check.exits(120_000), 0, check.stderr);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }

  const sections = Map.groupBy(
    blocks.filter(({ language }) => language === "console"),
    ({ section }) => section,
  );
  // What the transcripts of this README have left behind.
  const logs = new Map<string, Uint8Array>();
  for (const transcripts of sections.values()) {
    const [first] = transcripts;
    if (first === undefined) continue;
    const { place, options } = first;
    const busy = taken.find((port) =>
      transcripts.some(({ text }) => new RegExp(`\\b${port}\\b`).test(text))
    );
    const why = busy ? ` (another program uses port ${busy})` : "";
    Deno.test(needs(programsOf(transcripts), {
      name: `docs: ${place}: the transcript${why}`,
      // Other systems word their errors in another way; Windows has no SIGINT.
      ignore: busy !== undefined ||
        options.includes("linux") && Deno.build.os !== "linux" ||
        noSignals && transcripts.some(({ text }) => /\^C\s*\S/.test(text)),
      async fn() {
        const folder = await Deno.makeTempDir({ prefix: "docs-" });
        try {
          await writePrograms(document, folder);
          const own = ownPrograms(document).some(({ name }) =>
            transcripts.some(({ text }) => text.includes(` ${name}`))
          );
          using _turn = await takeTurn();
          await using _logs = await setLogsAside(logs);
          await replay(transcripts, own ? folder : ROOT);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      },
    }));
  }
}

/** The programs, besides Deno, that transcripts run; each line starts one. */
function programsOf(transcripts: CodeBlock[]): string[] {
  const commands = transcripts.flatMap(({ text }) =>
    text.matchAll(/^\$ (\S+)(?: task (nats)\b)?/gm).map(([, name, nats]) =>
      nats ? "nats-server" : name ?? ""
    ).toArray()
  );
  return [...new Set(commands)].filter((name) => name !== "deno");
}

/** The documented ports that a program has which is none of our test runs. */
async function takenPorts(): Promise<string[]> {
  using _turn = await takeTurn();
  const documented = [...ports.values()].flat();
  return [...new Set(documented)].filter((text) => {
    const address = { hostname: "127.0.0.1", port: Number(text) };
    try {
      Deno.listen(address).close();
      Deno.listenDatagram({ transport: "udp", ...address }).close();
      return false;
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) return true;
      throw error;
    }
  });
}

/**
 * Takes the logs out of the project's folder, and puts those there that a
 * README's transcripts have left behind so far; afterwards the other way round.
 */
async function setLogsAside(
  logs: Map<string, Uint8Array>,
): Promise<AsyncDisposable> {
  const others = await moveLogs(logs);
  return {
    async [Symbol.asyncDispose]() {
      const left = await moveLogs(others);
      for (const [name, bytes] of left) logs.set(name, bytes);
    },
  };
}

/** Replaces the logs in the project's folder by others; returns the old ones. */
async function moveLogs(
  logs: Map<string, Uint8Array>,
): Promise<Map<string, Uint8Array>> {
  const old = new Map<string, Uint8Array>();
  for await (const { name } of Deno.readDir(ROOT)) {
    if (!name.endsWith(".log")) continue;
    old.set(name, await Deno.readFile(join(ROOT, name)));
    await Deno.remove(join(ROOT, name));
  }
  for (const [name, bytes] of logs) {
    await Deno.writeFile(join(ROOT, name), bytes);
  }
  return old;
}

/** The commands with Deno in a README's blocks and in its text. */
function commandsOf({ blocks, inlineCode }: Document): Part[] {
  const commands = inlineCode.filter(({ text }) => isCommand(text));
  for (const { language, text, place } of blocks) {
    if (!["sh", "powershell", "console"].includes(language)) continue;
    const [path, first] = place.split(":");
    for (const [index, line] of text.split("\n").entries()) {
      const command = line.replace(/^\$ /, "").replace(/ +#.*$/, "");
      if (!isCommand(command)) continue;
      if (language === "console" && !line.startsWith("$ ")) continue;
      const place = `${path}:${Number(first) + 1 + index}`;
      commands.push({ place, text: command });
    }
  }
  return commands;
}

function isCommand(text: string): boolean {
  return /^(npx -y )?deno(@2)? (task|run) \S/.test(text);
}

/** Asserts that a command names what exists, with the right permissions. */
function check({ place, text }: Part, document: Document): void {
  const [verb, ...words] = text.replace(/^(npx -y )?deno(@2)? /, "").split(" ");
  if (verb === "task") {
    const task = words.find((word) => !word.startsWith("-")) ?? "";
    const known = task in tasks || /^[A-Z:]+$/.test(task); // NAME:ROLE
    assert(known, `${place}: there is no task ${task}`);
    return;
  }
  const at = words.findIndex((word) => /^[^-].*\.ts$/.test(word));
  if (at < 0) return; // Nothing that somebody could run: an ellipsis.
  const script = words[at]?.replaceAll("\\", "/").replace(/^\.\//, "") ?? "";
  // Transcripts run what readers write themselves, so those need no check.
  if (ownPrograms(document).some(({ name }) => name === script)) return;
  const there = [script, document.resolve(script)].filter((path) =>
    headers.has(path)
  );
  const paths = there.length > 0
    ? there
    : [...headers.keys()].filter((path) => basename(path) === script);
  assert(paths.length > 0, `${place}: there is no script ${script}`);
  // For other machines than this one, a program needs the whole network.
  const elsewhere = words.includes("--allow-net") &&
    /--host|--nats| (?!127)\d+\.\d+\.\d+\.\d+/.test(text);
  const flags = words.slice(0, at).map(fromHere).join(" ");
  const expected = paths.map((path) => {
    const right = headers.get(path)?.slice(2, -1).join(" ") ?? "";
    return elsewhere ? right.replace(/(--allow-net)=\S+/, "$1") : right;
  });
  if (expected.includes(flags)) return;
  assertEquals(flags, expected[0], `${place}: ${text}`);
}

/** A flag as in the header, where the script's own folder is the current one. */
function fromHere(flag: string): string {
  return flag.replace(/=(?:\.[\\/])?\w+[\\/](\w+\.ts)$/, "=$1");
}

/** Programs that a README has its reader write: the blocks that name a file. */
function ownPrograms({ blocks }: Document): { name: string; text: string }[] {
  return blocks.flatMap(({ language, text }) => {
    const name = programName(text);
    return language === "ts" && name ? [{ name, text }] : [];
  });
}

/** The file that a block of code says it is, on its first line. */
function programName(text: string): string | undefined {
  return /^\/\/ ([\w-]+\.ts)\n/.exec(text)?.[1];
}

/**
 * Writes the programs that a README has its reader write into a folder, beside
 * copies of the scripts that stand beside the README, as it tells its reader to.
 */
async function writePrograms(
  document: Document,
  folder: string,
): Promise<void> {
  const own = ownPrograms(document);
  if (own.length === 0) return;
  for (const file of files.filter((file) => extname(file) === ".ts")) {
    if (dirname(file) !== dirname(document.path)) continue;
    await Deno.copyFile(join(ROOT, file), join(folder, basename(file)));
  }
  for (const { name, text } of own) {
    await Deno.writeTextFile(join(folder, name), `${text}\n`);
  }
}

/** What is written as `\r\n`, `␣` and the like in a table stands for one byte. */
function unescape(text: string): string {
  return text.replaceAll("\\r", "\r").replaceAll("\\n", "\n")
    .replaceAll("␣", " ");
}
