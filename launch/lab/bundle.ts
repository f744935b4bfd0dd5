/**
 * The page, as it is sent to browsers.
 *
 * @module
 */
import { join } from "@std/path";
import { ROOT } from "../programs/program.ts";

const FOLDER = "launch/lab/page";

/** The page cannot be built; one line. */
export class BadPage extends Error {
  override name = "BadPage";
}

/** A file of the page. */
export interface PageFile {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** The same, compressed. */
  gzip: Uint8Array<ArrayBuffer>;
}

/**
 * Builds the page, in memory: `index.html`, `main.js`, `style.css`. Throws
 * {@linkcode BadPage}.
 */
export async function bundlePage(): Promise<Map<string, PageFile>> {
  const files = await Promise.all([
    file("index.html", "text/html; charset=utf-8", read("index.html")),
    file("style.css", "text/css; charset=utf-8", styles()),
    file("main.js", "text/javascript; charset=utf-8", bundle("main.tsx")),
  ]);
  return new Map(files);
}

async function file(
  name: string,
  type: string,
  content: Promise<Uint8Array<ArrayBuffer>>,
): Promise<[string, PageFile]> {
  const bytes = await content;
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const gzip = await new Response(stream).bytes();
  return [name, { type, bytes, gzip }];
}

async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(join(ROOT, FOLDER, name));
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new BadPage(`Cannot read ${FOLDER}/${name}: ${why}`);
  }
}

/** The page's look, and that of the view in it. */
async function styles(): Promise<Uint8Array<ArrayBuffer>> {
  const names = ["style.css", "view/view.css"];
  return await new Blob(await Promise.all(names.map(read))).bytes();
}

/** One script of a script and all that it imports. */
async function bundle(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform=browser", "--minify"],
      `${FOLDER}/${name}`,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (success) return stdout;
  const [line = ""] = new TextDecoder().decode(stderr).split("\n")
    .filter((line) => line.trim() !== "");
  throw new BadPage(
    `Cannot build the lab's page: ${line.trim().replace(/^error: /, "")}`,
  );
}
