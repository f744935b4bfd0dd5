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
 * Memory, sockets and files of a process; undefined where unknown. It asks
 * programs to look into `/proc`, since Deno itself may only with `-A`.
 */
export async function vitalsOf(pid: number): Promise<Vitals | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `cat /proc/${pid}/status; ls -l /proc/${pid}/fd 2>&-`],
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(text) ?? [];
  if (kilobytes === undefined) return undefined;
  const open = text.matchAll(/ -> (.*)$/gm).map(([, target]) => target)
    .toArray();
  const sockets = open.filter((target) => target?.startsWith("socket:")).length;
  const files = open.length - sockets;
  return { memory: Number(kilobytes) * 1024, sockets, files };
}
