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
  const parent = Deno.ppid;
  Deno.unrefTimer(setInterval(() => {
    if (Deno.ppid !== parent) controller.abort(new Error("Left alone"));
  }, 500));
  return controller.signal;
}
