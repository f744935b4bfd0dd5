/**
 * Draws again what the READMEs show of the wire view: the Mermaid diagrams, the
 * transcripts with the option `timeline`, and the pictures of the root README, from
 * real runs. Look at `git diff` then. (The picture of the lab: `lab/redraw.ts`.)
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net=127.0.0.1 tests/redraw.ts [README.md …]
 */
import { join } from "@std/path";
import { Program, ROOT, taskCommand } from "../launch/programs/program.ts";
import { type CodeBlock, readDocuments } from "./documents.ts";
import * as picture from "./picture.ts";

/** The command that a block shows the output of. */
function commandOf({ language, options, introduction, text }: CodeBlock) {
  if (language === "mermaid") {
    return introduction.find((text) => /^deno task .*--mermaid/.test(text));
  }
  const [first = ""] = text.split("\n");
  const isTimeline = language === "console" && options.includes("timeline");
  return isTimeline && first.startsWith("$ ") ? first.slice(2) : undefined;
}

/** What a command prints; its exit status does not matter. */
async function run(command: string): Promise<string> {
  const words = command.match(/"[^"]*"|\S+/g) ?? [];
  const [, , task = "", ...args] = words.map((word) =>
    word.replaceAll('"', "")
  );
  const program = new Program(command, [...await taskCommand(task), ...args]);
  await program.endInput();
  await program.exits(120_000);
  return program.stdout.trimEnd() +
    (program.stderr && `\n${program.stderr.trimEnd()}`);
}

for (const document of await readDocuments()) {
  if (Deno.args.length > 0 && !Deno.args.includes(document.path)) continue;
  const path = join(ROOT, document.path);
  let markdown = await Deno.readTextFile(path);
  for (const block of document.blocks) {
    const command = commandOf(block);
    if (command === undefined) continue;
    console.log(`${block.place}: ${command}`);
    const shown = await run(command);
    const text = block.language === "mermaid"
      ? shown
      : `$ ${command}\n${shown}`;
    markdown = markdown.replace(
      `\n${block.text}\n\`\`\``,
      () => `\n${text}\n\`\`\``,
    );
  }
  await Deno.writeTextFile(path, markdown);
}

if (Deno.args.length === 0 || Deno.args.includes("README.md")) {
  for (const [path, columns] of Object.entries(picture.PICTURES)) {
    console.log(path);
    const drawn = picture.draw(await picture.run(columns), columns);
    await Deno.writeTextFile(join(ROOT, path), drawn);
  }
}
