/**
 * The incrementer server, with honest clients that count all the time.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { unusedPort } from "../../assertions.ts";
import { accepts, fromElsewhere, ours, Server } from "../../bench/servers.ts";
import { Crowd, logFaults, loggedNumbers } from "../../incrementer_load.ts";
import type { Target, Victim } from "../attack.ts";
import { exchange, type Talk, tcpAttacks } from "../tcp.ts";

/** Those who count have the IDs from here on; attackers have smaller ones. */
const FIRST = 10_000, COUNTING = 20;

const talk: Talk = {
  request: (random) => {
    const kind = random.pick("odd", "even");
    const numbers = `${random.integer(1, 1e9)} ${random.integer(-9, 9)}`;
    return new TextEncoder().encode(
      `${random.integer(1000, 8999)} ${numbers} ${kind} `,
    );
  },
  ends: true,
  together: 5, // an ID is complete after 200 ms
  refusals: 5, // an attacker may have that ID at the moment
  expect: (request, answer) => {
    const odd = new TextDecoder().decode(request).endsWith("odd ");
    assertMatch(answer, /^-?\d+ \d{1,2} $/);
    assertEquals(Number(answer.split(" ")[1]) % 2, odd ? 1 : 0);
  },
};

async function victim(): Promise<Victim> {
  const folder = await Deno.makeTempDir({ prefix: "torture-incrementer-" });
  const log = join(folder, "server.log");
  const port = unusedPort();
  const command = await ours("incrementer:server", ["--port", `${port}`]);
  const server = new Server(fromElsewhere(command), folder);
  await server.ready(() => accepts(port));
  const crowd = await Crowd.connect({
    port,
    clients: COUNTING,
    firstId: FIRST - COUNTING,
    tick: 100,
    pause: [200, 500],
  });
  let going = true;
  const count = async () => {
    while (going) await crowd.count(300, true);
  };
  let counting = count();
  const pauseCounting = async () => {
    going = false;
    await counting;
  };
  return {
    port,
    witnesses: 1,
    pids: () => [server.pid],
    complaints: () => server.complaints,
    check: (random) => exchange(port, talk, random),
    /** Every number of those who counted meanwhile is there, once, in order. */
    async verify() {
      await pauseCounting();
      await crowd.count(100); // at its end everybody asks: then all is written
      assertEquals(crowd.faults(), []);
      const logged = await loggedNumbers(log);
      assertEquals(logFaults(crowd.members, logged), []);
      assert(crowd.members.every(({ sent }) => sent.length > 0));
      going = true;
      counting = count();
    },
    async [Symbol.asyncDispose]() {
      await pauseCounting();
      crowd[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The server; those who count are its witnesses. */
export const incrementerTargets: Target[] = [{
  name: "incrementer",
  start: victim,
  attacks: tcpAttacks(talk),
}];
