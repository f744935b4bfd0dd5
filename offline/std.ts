/**
 * `deno task std`: makes sure that `jsr:@std/…` can be loaded.
 *
 *     deno run --allow-run --allow-read=. --allow-write=.std offline/std.ts
 *
 * It asks Deno to cache the real packages. Only where that fails (proxies that
 * let npm through but not JSR) it fills `.std/` with the stand-ins beside this
 * file: `deno.json` has `.std/*` as its workspace, and Deno prefers workspace
 * members to JSR. Once JSR can be reached, it takes the stand-ins out again.
 * What somebody else has put into `.std/` is left alone.
 *
 * It works in the folder that it is started in, imports nothing from JSR
 * itself, and says nothing while nothing changes.
 */

/** What matters here of a `deno.json`; those of stand-ins say `standIn`. */
interface Config {
  imports?: Record<string, string>;
  exports?: Record<string, string>;
  standIn?: boolean;
}

const { imports = {} } = await readConfig(".") ?? {};
const packages = Object.keys(imports).filter((name) => /^@std\//.test(name));
const ours: string[] = []; // their folders, less those that somebody else put
let inPlace = false;
for (const name of packages.map((name) => name.slice("@std/".length))) {
  const present = await readConfig(`.std/${name}`);
  if (present === null || present.standIn) ours.push(name);
  if (present?.standIn) inPlace = true;
}

if (ours.length === 0) {
  // Somebody has the real packages in `.std/`: nothing to do.
} else if (await canCache(ours)) {
  for (const name of ours) await remove(`.std/${name}`);
  if (inPlace) console.log("JSR answers again: took the stand-ins out.");
} else {
  for (const name of ours) await place(name);
  if (!inPlace) console.log("JSR is out of reach: put stand-ins for @std in.");
}

/**
 * Whether Deno has the real packages, or can get them. Without `deno.json`, so
 * that the workspace cannot answer for them. Some networks swallow requests
 * instead of refusing them, hence the bound; it is shorter where the stand-ins
 * in place tell that it was used up before.
 */
async function canCache(names: string[]): Promise<boolean> {
  const modules: string[] = [];
  for (const name of names) {
    const { exports = {} } = await readConfig(`offline/${name}`) ?? {};
    for (const path of Object.keys(exports)) {
      modules.push(imports[`@std/${name}`] + path.slice(".".length));
    }
  }
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", "--quiet", ...modules],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(inPlace ? 3_000 : 10_000),
  }).output();
  return success;
}

/**
 * Puts a stand-in in place, or brings it up to date. Each file appears whole, by
 * a rename, and `deno.json`, which makes the folder a package, comes last: so
 * tasks that start at the same time do not disturb each other.
 */
async function place(name: string): Promise<void> {
  const files = Array.from(Deno.readDirSync(`offline/${name}`), (f) => f.name);
  files.sort((a, b) => Number(a === "deno.json") - Number(b === "deno.json"));
  await Deno.mkdir(`.std/${name}`, { recursive: true });
  for (const file of files) {
    const text = await read(`offline/${name}/${file}`) ?? "";
    if (await read(`.std/${name}/${file}`) === text) continue;
    const whole = await Deno.makeTempFile({ dir: `.std/${name}` });
    await Deno.writeTextFile(whole, text);
    await Deno.rename(whole, `.std/${name}/${file}`);
  }
}

/** The `deno.json` of a folder; null if there is none. */
async function readConfig(folder: string): Promise<Config | null> {
  const text = await read(`${folder}/deno.json`);
  return text === null ? null : JSON.parse(text);
}

/** The text of a file; null if there is none. */
async function read(file: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function remove(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
