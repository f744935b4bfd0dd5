/**
 * Kills the processes that the launcher leaves behind. The launcher starts it,
 * tells it on standard input which processes run ("+PID") and which have ended
 * ("-PID"), and that input ends with the launcher, whatever ends it, kill -9
 * and power cuts of the terminal included.
 *
 *     deno run --allow-run launch/reaper.ts
 */
import process from "node:process";
import { createInterface } from "node:readline";

// What ends the launcher must not end this one before its work is done.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {});
}

const running = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith("+")) running.add(pid);
  else running.delete(pid);
}
for (const pid of running) {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}
Deno.exit();
