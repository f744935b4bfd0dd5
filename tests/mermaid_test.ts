import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import mermaid from "npm:mermaid@12.3.0";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { Diagram } from "../launch/show/mermaid.ts";
import { output, play } from "./launches.ts";
import { needs } from "./needs.ts";

for (const { name } of EXAMPLES) {
  Deno.test(needs(name === "nats" ? ["nats-server"] : [], {
    name: `wire view: ${name} as a Mermaid diagram`,
    async fn() {
      const text = await output(name, "--mermaid");
      const { diagramType } = await mermaid.parse(text);
      assertEquals(diagramType, "sequence");
      // The programs' own ports are below 32768, where the system's begin.
      assert(!/(:|port )(3[3-9]|[456]\d)\d{3}\b/.test(text), text);
    },
  }));
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
