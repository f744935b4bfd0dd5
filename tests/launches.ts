/**
 * What the tests of the wire view share.
 *
 * @module
 */
import { assert } from "@std/assert";
import { EXAMPLES } from "../launch/programs/examples.ts";
import type { Link, Presenter } from "../launch/show/timeline.ts";
import { assertExits, Program } from "./assertions.ts";

/** Starts what `deno task NAME` runs, with more arguments. */
export function launcher(name: string, ...args: string[]): Program {
  const flags = ["--allow-run", "--allow-read=.", "--allow-write=.run"];
  const script = "launch/main.ts";
  return new Program(name, [
    ...["run", ...flags, "--allow-net=127.0.0.1", script, name],
    ...args,
  ]);
}

/** All that a launch prints; asserts that it succeeds. */
export async function output(name: string, ...args: string[]): Promise<string> {
  await using launch = launcher(name, ...args);
  await assertExits(launch, 0);
  return launch.stdout;
}

/** Texts as they come: wide, combining, long, hostile. */
const TEXTS = [
  "",
  "你好，世界 👩‍🚀 é",
  "\x1b[2J\u202ecode; #1: <b>\\",
  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  "z̸̢".repeat(500),
  "end",
  "wrap: x %% y",
];

/** A run of the broker's programs in which they say odd things. */
export function play(presenter: Presenter): void {
  const broker = EXAMPLES.find(({ name }) => name === "broker");
  assert(broker);
  const names = broker.roles.map(({ name }) => name);
  const links = names.slice(1).map((server): Link => ({
    client: server === "broker" ? "client" : "broker",
    server,
    transport: "udp",
    port: 8080,
    relay: 40_000,
  }));
  presenter.begin(
    broker,
    Object.fromEntries(names.map((name) => [name, `broker/udp_${name}.ts`])),
  );
  for (const link of links) presenter.link(link, 1);
  for (const text of TEXTS) {
    const bytes = new TextEncoder().encode(text);
    for (const role of names) {
      for (const stream of ["stdout", "stderr"] as const) {
        presenter.line({ role, text, stream, typed: undefined }, 1234);
      }
    }
    for (const link of links) {
      for (const from of ["client", "server"] as const) {
        const kinds = ["connect", "refused", "message", "reset"] as const;
        for (const kind of [...kinds, "datagram"] as const) {
          presenter.wire(link, {
            ...{ number: 2, kind, link: link.server, connection: 2, from },
            ...{ bytes, sent: 0, delivered: 0, fate: "delivered" },
            ...{ marks: [], causes: [], of: null, text: "" },
          }, 12_345);
        }
      }
    }
  }
  for (const role of names) presenter.ended(role, 1, 99_999);
  presenter.end({ ms: 1, directions: [] });
}
