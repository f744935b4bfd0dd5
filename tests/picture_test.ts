/**
 * What a person sees: the pictures of the wire view are what it shows today, and so
 * are the questions that Deno asks in a terminal.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { PATIENCE_MS, Program, ROOT } from "./assertions.ts";
import { readDocuments } from "./documents.ts";
import { needs } from "./needs.ts";
import * as picture from "./picture.ts";
import { anyNumbers } from "./transcript.ts";
import { takeTurn } from "./turn.ts";

Deno.test("picture: the lab's is small enough for a README, and is told in words", async () => {
  const path = "launch/drawings/lab.png";
  const { size } = await Deno.stat(join(ROOT, path));
  assert(size < 200_000, `${path} has ${size} bytes`);
  const readme = await Deno.readTextFile(join(ROOT, "README.md"));
  assertMatch(readme, /!\[[^\]]{80,}\]\(launch\/drawings\/lab\.png\)/);
});

for (const [path, columns] of Object.entries(picture.PICTURES)) {
  Deno.test(`docs: ${path} is what the wire view shows`, async () => {
    const shown = await Deno.readTextFile(join(ROOT, path));
    const made = picture.draw(
      await picture.run(columns, { server: 0 }),
      columns,
    );
    assertEquals(essence(made), essence(shown));
  });
}

/** Its lines without what depends on chance: numbers, and who ends first. */
function essence(svg: string): string[] {
  return picture.textOf(svg)
    .map((line) => anyNumbers(line).replaceAll("│", ""))
    .map((line) => line.replace(/\s+/g, " ").trim()).sort();
}

for (const { blocks } of await readDocuments()) {
  for (const { place, language, options, text } of blocks) {
    if (language !== "text" || !options.includes("question")) continue;
    Deno.test(needs(["python3"], {
      name: `docs: ${place}: the question in a terminal`,
      ignore: Deno.build.os === "windows", // Python has no terminals there
      fn: async () => await ask(place, text),
    }));
  }
}

/** Plays a question, and its answer, in a terminal of its own. */
async function ask(place: string, transcript: string): Promise<void> {
  const [command = "", ...lines] = transcript.split("\n");
  const answer = lines.map((line) => /^┗ Allow\?.* > (\w)$/.exec(line)?.[1])
    .find((answer) => answer !== undefined);
  assert(answer, `${place}: nobody answers`);
  const run = command.replace(/^\$ deno run /, "");
  assert(run !== command, `${place}: no command`);
  using _turn = await takeTurn(); // the usual port is for one at a time
  await using terminal = new Program(
    place,
    [
      ...["tests/peers/terminal.py", answer, lines.at(-1)?.slice(0, 12) ?? ""],
      ...[Deno.execPath(), "run", ...run.split(" ")],
    ],
    {},
    ROOT,
    "python3",
  );
  await terminal.exits(2 * PATIENCE_MS);
  // deno-lint-ignore no-control-regex -- what moves the cursor is not to be read
  const seen = terminal.stdout.replace(/\x1b\[\d*[A-Za-z]/g, "").split(/\r?\n/);
  let from = 0;
  for (const line of lines) {
    if (line === "…") continue;
    const at = seen.indexOf(line, from);
    assert(at >= 0, `${place}: not seen: ${line}\n${seen.join("\n")}`);
    from = at + 1;
  }
}
