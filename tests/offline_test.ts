/**
 * `deno task std` in a copy of the project, with a registry of the test's own
 * in the place of JSR: out of reach, reachable, and silent.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "./assertions.ts";

/** A copy of the project's `deno.json` and `offline/`, with an empty cache. */
class Copy implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "std-" });

  static async make(): Promise<Copy> {
    const copy = new Copy();
    await copyFolder(join(ROOT, "offline"), copy.path("offline"));
    await Deno.copyFile(join(ROOT, "deno.json"), copy.path("deno.json"));
    return copy;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs deno in the copy; returns all that it printed. */
  async deno(registry: string, ...args: string[]): Promise<string> {
    const { stdout, stderr, success } = await new Deno.Command(
      Deno.execPath(),
      {
        args,
        cwd: this.folder,
        env: {
          NO_COLOR: "1",
          JSR_URL: registry,
          DENO_DIR: this.path("cache"),
          // Windows cannot remove a folder with a program in it that runs.
          DENO_DISABLE_NODE_SHIM: "1",
        },
        stdin: "null",
      },
    ).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout) + decoder.decode(stderr);
    assert(success, text);
    return text;
  }

  std(registry: string): Promise<string> {
    return this.deno(registry, "task", "--quiet", "std");
  }

  /** The folders in `.std/`. */
  packages(): string[] {
    try {
      return Array.from(Deno.readDirSync(this.path(".std")), (f) => f.name)
        .sort();
    } catch {
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const copy = isDirectory ? copyFolder : Deno.copyFile;
    await copy(join(from, name), join(to, name));
  }
}

/** Serves packages as JSR does; each is a stand-in with one more export. */
function serveRegistry(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const path = new URL(request.url).pathname;
      const [, name = "", rest = ""] = /^\/@std\/(\w+)\/(.*)$/.exec(path) ?? [];
      const folder = join(ROOT, "offline", name);
      const { version, exports } = JSON.parse(
        await Deno.readTextFile(join(folder, "deno.json")),
      );
      const file = /^[\d.]+\/(\w+\.ts)$/.exec(rest)?.[1];
      if (file) {
        return new Response(await publish(join(folder, file)), {
          headers: { "content-type": "text/typescript" },
        });
      }
      if (rest === "meta.json") {
        return Response.json({
          scope: "std",
          name,
          latest: version,
          versions: { [version]: {} },
        });
      }
      const manifest: Record<string, unknown> = {};
      for await (const { name } of Deno.readDir(folder)) {
        const bytes = await publish(join(folder, name));
        const hash = await crypto.subtle.digest("SHA-256", bytes);
        const checksum = `sha256-${new Uint8Array(hash).toHex()}`;
        manifest[`/${name}`] = { size: bytes.length, checksum };
      }
      return Response.json({ manifest, exports });
    },
  );
}

async function publish(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = await Deno.readTextFile(file);
  return new TextEncoder().encode(`${text}\nexport const PUBLISHED = true;\n`);
}

const NOWHERE = "http://127.0.0.1:9/"; // the discard port; nobody listens there
const ALL = ["assert", "cli", "log", "path"];

/** A program with an inline import; it tells which package it was given. */
const PROBE = `
  import * as cli from "jsr:@std/cli@1/parse-args";
  import * as mapped from "@std/cli/parse-args";
  console.log("PUBLISHED" in cli, cli.parseArgs === mapped.parseArgs);
`;

Deno.test("std: stand-ins where JSR is out of reach, gone when it is back", async () => {
  await using copy = await Copy.make();
  await Deno.writeTextFile(copy.path("probe.ts"), PROBE);

  const first = await copy.std(NOWHERE);
  assertStringIncludes(first, "JSR is out of reach");
  assertEquals(first.trim().split("\n").length, 1);
  assertEquals(copy.packages(), ALL);
  assertEquals(await copy.deno(NOWHERE, "run", "probe.ts"), "false true\n");

  await Deno.writeTextFile(copy.path(".std/cli/parse_args.ts"), "out of date");
  assertEquals(await copy.std(NOWHERE), "");
  assertEquals(await copy.deno(NOWHERE, "run", "probe.ts"), "false true\n");

  await using registry = serveRegistry();
  const url = `http://127.0.0.1:${registry.addr.port}/`;
  assertStringIncludes(await copy.std(url), "took the stand-ins out");
  assertEquals(copy.packages(), []);
  assertEquals(await copy.deno(url, "run", "probe.ts"), "true true\n");

  // What is cached needs no network, and no stand-in.
  assertEquals(await copy.std(url), "");
  assertEquals(copy.packages(), []);
});

Deno.test("std: leaves alone what somebody else has put into .std/", async () => {
  await using copy = await Copy.make();
  await copy.std(NOWHERE);
  const manifest = copy.path(".std/log/deno.json");
  const theirs = `{"name": "@std/log", "version": "0.224.14"}`;
  await Deno.writeTextFile(manifest, theirs);
  await Deno.mkdir(copy.path(".std/fmt"));

  await copy.std(NOWHERE);
  assertEquals(await Deno.readTextFile(manifest), theirs);
  assertEquals(copy.packages(), [...ALL, "fmt"].sort());

  await using registry = serveRegistry();
  await copy.std(`http://127.0.0.1:${registry.addr.port}/`);
  assertEquals(await Deno.readTextFile(manifest), theirs);
  assertEquals(copy.packages(), ["fmt", "log"]);
});

Deno.test("std: gives up on a registry that never answers", async () => {
  await using copy = await Copy.make();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await copy.std(`http://127.0.0.1:${silent.addr.port}/`);
  assertEquals(copy.packages(), ALL);
});

Deno.test("std: tasks that start at the same time do not disturb each other", async () => {
  await using copy = await Copy.make();
  await Deno.writeTextFile(copy.path("probe.ts"), PROBE);
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array(4).fill(NOWHERE).map((url) => copy.std(url)));
    assertEquals(copy.packages(), ALL);
    assertEquals(await copy.deno(NOWHERE, "run", "probe.ts"), "false true\n");
    // The next round finds what an older version of this project left.
    for (const name of ALL) {
      await Deno.writeTextFile(copy.path(`.std/${name}/mod.ts`), "old");
    }
  }
});
