/**
 * What a process uses, as Linux tells it; elsewhere nothing is known.
 *
 * @module
 */

/** What a process uses at a moment. */
export interface Vitals {
  /** Bytes of memory in use (resident set). */
  memory: number;
  /** Open sockets. */
  sockets: number;
  /** All other open files. */
  files: number;
}

/**
 * Memory, sockets and files of a process, or of several together; undefined where
 * unknown. It asks programs to look into `/proc`, since Deno itself may only with
 * `-A`.
 */
export async function vitalsOf(...pids: number[]): Promise<Vitals | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const files = (name: string) =>
    pids.map((pid) => `/proc/${pid}/${name}`).join(" ");
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `cat ${files("status")}; ls -l ${files("fd")} 2>&-`],
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const sizes = text.matchAll(/^VmRSS:\s+(\d+) kB$/gm)
    .map(([, kilobytes]) => Number(kilobytes) * 1024).toArray();
  if (sizes.length < pids.length) return undefined;
  const open = text.matchAll(/ -> (.*)$/gm).map(([, target]) => target)
    .toArray();
  const sockets = open.filter((target) => target?.startsWith("socket:")).length;
  return {
    memory: sizes.reduce((sum, size) => sum + size, 0),
    sockets,
    files: open.length - sockets,
  };
}
