/**
 * Clears away what the launcher leaves behind. The launcher starts it, tells it
 * on standard input which processes run ("+PID"; "+-PID" is a group), which have
 * ended ("-PID", "--PID"), and which folders are to go ("/FOLDER"). That input ends
 * with the launcher, whatever ends it, kill -9 included.
 *
 * "~" says that somebody types, so the terminal is not as it was ("~SETTINGS", as
 * `stty -g` prints them); a "~" alone says that it is again.
 *
 *     deno run --allow-run --allow-write=.run launch/programs/reaper.ts
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { dirname } from "@std/path";

// What ends the launcher must not end this one before its work is done.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {});
}

const running = new Set<number>();
const folders: string[] = [];
let settings = "";
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith("~")) settings = line.slice(1);
  else if (line.startsWith("+")) running.add(pid);
  else if (line.startsWith("-")) running.delete(pid);
  else folders.push(line.slice(1));
}
if (settings) {
  // We are in the background by now, where the terminal would stop us.
  const script = `trap '' TTOU; stty ${settings} </dev/tty`;
  const args = ["-c", script];
  try {
    new Deno.Command("sh", { args, stdin: "null" }).outputSync();
  } catch {
    // A system without sh has other terminals.
  }
}
for (const pid of running) {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}
for (const folder of folders) {
  // A process that was killed may take a moment to end, and may still write.
  for (let tries = 0; tries < 20; tries++) {
    try {
      await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) break;
    }
    await pause(tries > 0 ? 100 : 0);
  }
  // Others may still have theirs in there.
  await Deno.remove(dirname(folder)).catch(() => {});
}
Deno.exit();
