/** The floors of `launch/`: nothing imports what stands above it. */
import { assert, assertEquals } from "@std/assert";
import { dirname, join, relative } from "@std/path";
import { ROOT } from "./assertions.ts";
import { filesBelow } from "./documents.ts";

/** From the ground up; the lab and the entry points are on top. */
const FLOORS = ["launch/wire/", "launch/programs/", "launch/show/", "launch/"];

function floorOf(path: string): number {
  return FLOORS.findIndex((floor) => path.startsWith(floor));
}

/** What a file imports of this project, as paths from its folder. */
function importsOf(path: string, text: string): string[] {
  const specifiers = text.matchAll(
    /^(?:import|export)\b[^"'=]*?(?:\bfrom )?["']([^"']+)["']/gm,
  );
  return Array.from(specifiers, ([, specifier = ""]) => specifier)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => join(dirname(path), specifier).replaceAll("\\", "/"));
}

Deno.test("launch: nothing imports upwards", async () => {
  let count = 0;
  for (const file of await filesBelow("launch")) {
    const path = file.replaceAll("\\", "/");
    if (!path.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(join(ROOT, path));
    for (const imported of importsOf(path, text)) {
      count++;
      const up = floorOf(imported) > floorOf(path);
      assert(!up, `${path} imports ${imported}, which stands above it`);
      // The checks of the exercises are tests, and stand with them.
      const own = imported.startsWith("launch/") || imported === "deno.json" ||
        path.startsWith("launch/exercise") &&
          imported.startsWith("tests/exercises/");
      assert(own, `${path} imports ${imported}`);
    }
  }
  assert(count > 50, "no imports found");
});

Deno.test("launch: tasks that launch download nothing but @std", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "launch/main.ts"],
    cwd: ROOT,
  }).output();
  assertEquals(code, 0);
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const foreign = modules.map(({ specifier }: { specifier: string }) =>
    specifier
  ).filter((specifier: string) =>
    !specifier.startsWith("node:") && !specifier.includes("@std/") &&
    !specifier.includes("/.std/") &&
    relative(ROOT, new URL(specifier).pathname).startsWith("..")
  );
  assertEquals(foreign, []);
});
