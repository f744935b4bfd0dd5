/**
 * The incrementer server with a client for each ID.
 *
 * @module
 */
import { join } from "@std/path";
import { unusedPort } from "../../assertions.ts";
import { Crowd, logFaults, loggedNumbers } from "../../incrementer_load.ts";
import type { Contest, Contestant } from "../contest.ts";
import {
  accepts,
  contestant,
  fromElsewhere,
  ours,
  Server,
} from "../servers.ts";
import { vitalsOf } from "../vitals.ts";

/** Connects all of them, lets them count, compares what came into the log. */
function counting(clients: number): Promise<Contestant> {
  return contestant(async (stack) => {
    const folder = await Deno.makeTempDir({ prefix: "bench-incrementer-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const log = join(folder, "server.log");
    const port = unusedPort();
    const command = await ours("incrementer:server", ["--port", `${port}`]);
    // It may use server.log in the folder where it is started.
    const server = stack.use(new Server(fromElsewhere(command), folder));
    await server.ready(() => accepts(port));
    const alone = (await vitalsOf(server.pid))?.memory ?? NaN;
    return async (seconds) => {
      const before = await loggedNumbers(log);
      const crowd = await Crowd.connect({ port, clients });
      let took, used, faults;
      try {
        const begin = performance.now();
        // A client asks every 3 to 5 s: shorter would not show all of it.
        await crowd.count(Math.max(seconds, 5) * 1000);
        took = performance.now() - begin;
        used = (await vitalsOf(server.pid))?.memory ?? NaN;
        faults = crowd.faults();
      } finally {
        crowd[Symbol.dispose]();
      }
      await settled(log);
      faults.push(
        ...logFaults(crowd.members, await loggedNumbers(log), { before }),
      );
      const sent = crowd.members.reduce(
        (sum, { sent }) => sum + sent.length,
        0,
      );
      return [
        (sent + crowd.latencies.length) / took * 1000,
        faults.length,
        (used - alone) / 1000 / clients,
      ];
    };
  });
}

/** Waits until nothing more comes into a file for a second. */
async function settled(file: string): Promise<void> {
  for (let size = -1, now = 0; size !== now;) {
    size = now;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    now = (await Deno.stat(file)).size;
  }
}

/** The contest, without a peer: the original runs on Python 2 only. */
export const incrementer: Contest[] = [{
  id: "incrementer",
  title: "10,001 clients",
  metrics: [
    { unit: "messages/s", better: "more" },
    { unit: "lost or wrong", better: "less", target: 0 },
    { unit: "KB per client", better: "less" },
  ],
  ours: { name: "incrementer server", start: () => counting(10_001) },
  peers: [],
}];
