/**
 * What tests need of the machine: programs that are not part of this project.
 *
 * @module
 */
import { basename, delimiter, dirname, join } from "node:path";

const windows = Deno.build.os === "windows";

/**
 * Where programs are that the usual `PATH` may not lead to, system by system. A
 * `PATH` without the system's own folder is meant to be narrow: then it counts
 * alone.
 */
const FOLDERS: string[] = windows
  ? [
    "C:\\Program Files\\nats-server",
    "C:\\Program Files\\Git\\usr\\bin",
    "C:\\Program Files\\Wireshark",
    "C:\\ProgramData\\chocolatey\\bin",
  ]
  : [
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/sbin", // Debian's nats-server; only root's PATH leads there
    "/sbin",
    "/opt/homebrew/bin",
    "/opt/local/bin",
    "/snap/bin",
    "/Applications/Wireshark.app/Contents/MacOS",
  ];

/** Other names of a program, or places of its own. */
const ALIASES: Record<string, string[]> = {
  // Any browser that playwright-core can drive as Chromium.
  chromium: [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    ...["/Applications", join(environment("HOME"), "Applications")].flatMap(
      (folder) =>
        ["Google Chrome", "Chromium", "Microsoft Edge"].map((name) =>
          `${folder}/${name}.app/Contents/MacOS/${name}`
        ),
    ),
    ...[
      "C:\\Program Files",
      "C:\\Program Files (x86)",
      environment("LOCALAPPDATA"),
    ].flatMap((folder) =>
      ["Google\\Chrome", "Chromium", "Microsoft\\Edge"].map((name) =>
        `${folder}\\${name}\\Application\\${
          name.endsWith("Edge") ? "msedge" : "chrome"
        }.exe`
      )
    ),
  ],
  python3: windows ? ["python3", "python"] : ["python3"],
};

/**
 * The path of a program, if this machine has it: as `PATH` says, or else where
 * systems usually put it. `chromium` stands for any Chrome, Chromium or Edge.
 *
 * @example
 * ```ts
 * import { find } from "./needs.ts";
 *
 * const curl = find("curl"); // "/usr/bin/curl", for example
 * ```
 */
export function find(program: string): string | undefined {
  const path = environment("PATH").split(delimiter).filter(Boolean);
  const system = windows ? /^C:\\Windows\\System32\\?$/i : /^\/usr\/bin\/?$/;
  const isUsual = path.some((folder) => system.test(folder));
  const endings = windows
    ? (environment("PATHEXT") || ".COM;.EXE;.BAT;.CMD").split(";")
    : [""];
  for (const name of ALIASES[program] ?? [program]) {
    if (/[\\/]/.test(name)) {
      if ((isUsual || name === program) && isProgram(name)) return name;
      continue;
    }
    for (const folder of [...path, ...(isUsual ? FOLDERS : [])]) {
      // Windows has files there that only open its shop.
      if (folder.endsWith("\\WindowsApps")) continue;
      for (const ending of endings) {
        const file = join(folder, name + ending);
        if (!isProgram(file)) continue;
        return program === "python3" ? interpreter(file) : file;
      }
    }
  }
}

/**
 * The interpreter behind a `python3` that is a script: pyenv's looks for it each
 * time, which takes ten times as long as Python itself. From then on `PATH` leads
 * to the interpreter, also for the programs that tests start.
 */
function interpreter(python: string): string {
  if (windows || !isShellScript(python)) return python;
  const args = ["-c", "import sys; print(sys.executable)"];
  const { success, stdout } = new Deno.Command(python, { args }).outputSync();
  const path = new TextDecoder().decode(stdout).trim();
  if (!success || basename(path) !== "python3") return python;
  Deno.env.set("PATH", dirname(path) + delimiter + environment("PATH"));
  return path;
}

function isShellScript(file: string): boolean {
  using opened = Deno.openSync(file);
  const start = new Uint8Array(2);
  opened.readSync(start);
  return new TextDecoder().decode(start) === "#!";
}

/** Lets the programs that tests start (the launcher, for one) find it, too. */
function reach(folder: string): void {
  const path = environment("PATH").split(delimiter);
  if (!path.includes(folder)) {
    Deno.env.set("PATH", [...path, folder].join(delimiter));
  }
}

function isProgram(file: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(file);
    return isFile && (windows || ((mode ?? 0) & 0o111) > 0);
  } catch {
    return false;
  }
}

function environment(name: string): string {
  return Deno.env.get(name) ?? "";
}

/**
 * A test that needs programs. Where one is missing, the test is ignored under a
 * name that says which; with CI=true it fails instead.
 *
 * @example
 * ```ts
 * import { find, needs } from "./needs.ts";
 *
 * Deno.test(needs(["curl"], {
 *   name: "curl tells its version",
 *   async fn() {
 *     const curl = new Deno.Command(find("curl") ?? "", { args: ["-V"] });
 *     if (!(await curl.output()).success) throw new Error("It fails");
 *   },
 * }));
 * ```
 */
export function needs(
  programs: string[],
  test: Deno.TestDefinition,
): Deno.TestDefinition {
  const missing: string[] = [];
  for (const program of programs) {
    const path = find(program);
    if (path === undefined) missing.push(program);
    else reach(dirname(path));
  }
  if (missing.length === 0) return test;
  const name = `${test.name} (needs ${missing.join(", ")})`;
  if (environment("CI") !== "true") return { ...test, name, ignore: true };
  return {
    ...test,
    name,
    fn() {
      throw new Error(`Not installed here: ${missing.join(", ")}`);
    },
  };
}

/** Whether this machine lets us make networks of our own (with `ip`, as root). */
export function hasNamespaces(): boolean {
  const unshare = find("unshare"), ip = find("ip");
  if (!unshare || !ip) return false;
  const args = ["--net", ip, "link", "set", "lo", "up"];
  return new Deno.Command(unshare, { args, stdout: "null", stderr: "null" })
    .outputSync().success;
}
