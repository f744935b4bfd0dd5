/**
 * What may end the launcher from outside.
 *
 * @module
 */
import process from "node:process";

/**
 * A signal that aborts when this process is told to end (Ctrl-C, `kill`, a
 * closed terminal), or when the process that started it has gone: `deno task`
 * does not pass a `kill` on to what it runs. While it is in use, none of these
 * ends this process by itself.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => controller.abort(new Error(`Stopped by ${name}`)));
  }
  onceAlone(() => controller.abort(new Error("Left alone")));
  return controller.signal;
}

/** Calls when the process that started this one has gone. Keeps nobody running. */
export function onceAlone(call: () => void): void {
  const parent = Deno.ppid;
  const timer = setInterval(() => {
    if (Deno.ppid === parent && isAlive(parent)) return;
    clearInterval(timer);
    call();
  }, 500);
  Deno.unrefTimer(timer);
}

/** Windows gives nobody another parent, so there the parent itself is looked at. */
function isAlive(pid: number): boolean {
  if (Deno.build.os !== "windows") return true;
  try {
    return process.kill(pid, 0); // only looks
  } catch (error) {
    return !(error instanceof Error && "code" in error &&
      error.code === "ESRCH");
  }
}
