/**
 * A short torture of every server, the same each time; `deno task torture` does
 * it longer, and differently each time.
 */
import { assertEquals } from "@std/assert";
import { noSignals } from "./assertions.ts";
import { killAll } from "./bench/servers.ts";
import { needs } from "./needs.ts";
import { torture } from "./torture/run.ts";
import { TARGETS } from "./torture/targets.ts";

const SHORT = { seed: "test", time: 10_000, attempts: 12, crowd: 150 };

for (const target of TARGETS) {
  const programs = target.name === "nats_broker" ? ["nats-server"] : [];
  Deno.test(needs(programs, {
    name: `torture: ${target.name}${
      noSignals ? " (not on Windows: no signals)" : ""
    }`,
    ignore: noSignals,
    // The reaper, which ends what this leaves behind if it is killed, stays.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      for await (const { attack, wrong } of torture(target, SHORT)) {
        assertEquals(wrong, "", `${attack}, seed ${SHORT.seed}`);
      }
    },
  }));
}

addEventListener("unload", killAll);
