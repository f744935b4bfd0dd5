/**
 * A short torture of every server, the same each time; `deno task torture` does
 * it longer, and differently each time.
 */
import { assertEquals } from "@std/assert";
import { Missing } from "./bench/contest.ts";
import { installed, killAll } from "./bench/servers.ts";
import { torture } from "./torture/run.ts";
import { TARGETS } from "./torture/targets.ts";

const SHORT = { seed: "test", time: 10_000, attempts: 12, crowd: 150 };

/** With CI=true everything must be there; elsewhere its test is skipped. */
const nats = Deno.env.get("CI") === "true" || await isInstalled("nats-server");

for (const target of TARGETS) {
  const missing = target.name === "nats_broker" && !nats;
  const windows = Deno.build.os === "windows";
  Deno.test({
    name: `torture: ${target.name}${missing ? " (no nats-server)" : ""}${
      windows ? " (not on Windows: no signals)" : ""
    }`,
    ignore: missing || windows,
    // The reaper, which ends what this leaves behind if it is killed, stays.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      for await (const { attack, wrong } of torture(target, SHORT)) {
        assertEquals(wrong, "", `${attack}, seed ${SHORT.seed}`);
      }
    },
  });
}

addEventListener("unload", killAll);

async function isInstalled(program: string): Promise<boolean> {
  try {
    await installed(program);
    return true;
  } catch (error) {
    if (error instanceof Missing) return false;
    throw error;
  }
}
