/**
 * The library's servers, and protocols that fail.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "../../assertions.ts";
import { type Attack, attempts, type Target } from "../attack.ts";
import { exchange, type Talk, tcpAttacks } from "../tcp.ts";
import { tcpVictim } from "./http.ts";

const echo: Talk = {
  request: (random) => new TextEncoder().encode(`echo ${random.word()}`),
  ends: true,
  expect: (request, answer) =>
    assertEquals(answer, `You said: ${new TextDecoder().decode(request)}`),
};

/** Requests that make the protocol throw, or its thread end. */
function troublemakers(...words: [string, ...string[]]): Attack {
  return {
    name: "protocols that fail",
    run: (scene) =>
      attempts(scene, 4, (random) =>
        exchange(scene.victim.port, {
          request: () => new TextEncoder().encode(random.pick(...words)),
          ends: true,
          expect: (_, answer) => assertEquals(answer, ""),
        }, random)),
  };
}

const SERVERS: { kind: string; witnesses: number; trouble: Attack }[] = [
  {
    kind: "iterative",
    witnesses: 0,
    trouble: troublemakers("throw", "reject"),
  },
  {
    kind: "concurrent",
    witnesses: 2,
    trouble: troublemakers("throw", "reject"),
  },
  {
    kind: "threads",
    witnesses: 2,
    trouble: troublemakers("throw", "reject", "throw", "exit"),
  },
];

/** One for each way to serve. */
export const libraryTargets: Target[] = SERVERS.map(
  ({ kind, witnesses, trouble }) => ({
    name: `library_${kind}`,
    start: () =>
      tcpVictim((port) => {
        const program = join(ROOT, "tests", "torture", "library_server.ts");
        const flags = ["--quiet", "--allow-net=127.0.0.1", "--allow-read"];
        const args = [...flags, program, `${port}`, kind];
        return Promise.resolve([Deno.execPath(), "run", ...args]);
      }, { talk: echo, witnesses }),
    attacks: [...tcpAttacks(echo), trouble],
  }),
);
