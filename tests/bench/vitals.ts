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

/** The resident memory of a process in bytes; undefined where unknown. */
export async function memoryOf(pid: number): Promise<number | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Memory, sockets and files of a process; undefined where unknown. */
export async function vitalsOf(pid: number): Promise<Vitals | undefined> {
  const memory = await memoryOf(pid);
  if (memory === undefined) return undefined;
  let sockets = 0, files = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`)
      .catch(() => ""); // closed meanwhile
    if (target.startsWith("socket:")) sockets++;
    else if (target !== "") files++;
  }
  return { memory, sockets, files };
}
