/**
 * The machine that something was measured on.
 *
 * @module
 */
import { cpus, totalmem } from "node:os";
import { installed } from "./servers.ts";

/** What a reader of the numbers wants to know about it. */
export interface Machine {
  /** One line for people. */
  summary: string;
  cores: number;
  processor: string;
  /** Bytes. */
  memory: number;
  system: string;
  /** Versions of all programs that were found. */
  programs: string[];
}

/** Asks the system and the programs. */
export async function machine(): Promise<Machine> {
  const cores = navigator.hardwareConcurrency;
  const processor = cpus()[0]?.model ?? "unknown processor";
  const memory = totalmem();
  const system = `${Deno.build.os} ${Deno.osRelease()}`;
  const programs = [`Deno ${Deno.version.deno}`];
  const asked = await Promise.all([
    version("nginx", "-v"),
    version("node", "--version", "Node "),
    version("python3", "--version"),
    version("wrk", "-v"),
    version("nats-server", "--version"),
  ]);
  programs.push(...asked.filter((program) => program !== ""));
  const gigabytes = Math.round(memory / 2 ** 30);
  const summary =
    `${cores} cores (${processor}), ${gigabytes} GB, ${system}; ` +
    `${programs.join(", ")}.`;
  return { summary, cores, processor, memory, system, programs };
}

/** What a program says its version is; empty if it is not installed. */
async function version(
  program: string,
  option: string,
  prefix = "",
): Promise<string> {
  try {
    const command = new Deno.Command(await installed(program), {
      args: [option],
    });
    const { stdout, stderr } = await command.output();
    const text = new TextDecoder().decode(stdout) ||
      new TextDecoder().decode(stderr);
    const [, version] = /(\d[\w.]*)/.exec(text) ?? [];
    const name = prefix || `${program === "python3" ? "Python" : program} `;
    return version === undefined ? "" : `${name}${version}`;
  } catch {
    return "";
  }
}
