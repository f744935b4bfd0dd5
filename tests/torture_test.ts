/**
 * A short torture of every server, the same each time; `deno task torture` does
 * it longer, and differently each time.
 */
import { assertEquals } from "@std/assert";
import { noSignals, sideBySide, UNCOUNTED } from "./assertions.ts";
import { killAll } from "./bench/servers.ts";
import { needs } from "./needs.ts";
import type { Target } from "./torture/attack.ts";
import { torture } from "./torture/run.ts";
import { TARGETS } from "./torture/targets.ts";
import { oneClientTargets } from "./torture/targets/one_client.ts";

const SHORT = { seed: "test", time: 10_000, attempts: 12, crowd: 150 };
/** Each attempt at these starts a program. */
const FEW = 3;
/** So many servers are attacked at the same time: much of it is waiting. */
const LANES = 3;

/** A test of some targets, a step for each. */
function test(
  name: string,
  targets: Target[],
  programs: string[] = [],
): void {
  Deno.test(needs(programs, {
    name: `torture: ${name}${noSignals ? " (not on Windows: no signals)" : ""}`,
    ignore: noSignals,
    // The reaper, which ends what this leaves behind if it is killed, stays.
    ...UNCOUNTED,
    async fn(t) {
      const steps = targets.map((target) => ({
        name: target.name,
        fn: () => attack(target),
      }));
      await sideBySide(t, LANES, steps);
    },
  }));
}

async function attack(target: Target): Promise<void> {
  const few = oneClientTargets.includes(target);
  const force = { ...SHORT, ...few ? { attempts: FEW } : {} };
  for await (const { attack, wrong } of torture(target, force)) {
    assertEquals(wrong, "", `${attack}, seed ${SHORT.seed}`);
  }
}

const isNats = ({ name }: Target) => name === "nats_broker";
test("the NATS broker", TARGETS.filter(isNats), ["nats-server"]);
test("every other server", TARGETS.filter((target) => !isNats(target)));

addEventListener("unload", killAll);
