import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import mermaid from "npm:mermaid@12.3.0";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { Diagram } from "../launch/show/mermaid.ts";
import { output, play } from "./launches.ts";

for (const { name } of EXAMPLES) {
  const missing = name === "nats" && !hasNats();
  const ignore = missing && Deno.env.get("CI") !== "true";
  const reason = ignore ? " (skipped: nats-server is not installed)" : "";
  const title = `wire view: ${name} as a Mermaid diagram${reason}`;
  Deno.test(title, { ignore }, async () => {
    const text = await output(name, "--mermaid");
    const { diagramType } = await mermaid.parse(text);
    assertEquals(diagramType, "sequence");
    // The programs' own ports are below 32768, where the system's begin.
    assert(!/(:|port )(3[3-9]|[456]\d)\d{3}\b/.test(text), text);
  });
}

function hasNats(): boolean {
  try {
    return new Deno.Command("nats-server", { args: ["--version"] })
      .outputSync().success;
  } catch {
    return false;
  }
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
  const { diagramType } = await mermaid.parse(text);
  assertEquals(diagramType, "sequence");
  assertStringIncludes(text, "code#59; #35;1: #60;b#62;#92;");
});
