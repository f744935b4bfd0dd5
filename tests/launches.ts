/**
 * What the tests of the wire view share.
 *
 * @module
 */
import { assert } from "@std/assert";
import { launch, linkNames } from "../launch/launch.ts";
import { networkOf, repeatOf } from "../launch/options.ts";
import type { Cast, Link } from "../launch/programs/cast.ts";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { scripted } from "../launch/programs/keyboard.ts";
import type { Reaper } from "../launch/programs/reaper_client.ts";
import { Diagram } from "../launch/show/mermaid.ts";
import type { Presenter } from "../launch/show/presenter.ts";
import { View } from "../launch/show/view.ts";
import type { Kind, WireEvent } from "../launch/wire/relay.ts";
import { assertExits, Program } from "./assertions.ts";

/** The permissions that the launching tasks have. */
export const FLAGS = [
  ...["run", "--allow-run", "--allow-read=.", "--allow-write=.run"],
  ...["--allow-env=TERM", "--allow-net=127.0.0.1"],
];

/** Starts what `deno task NAME` runs, with more arguments. */
export function launcher(name: string, ...args: string[]): Program {
  // The usual ports are left to the transcripts of the READMEs.
  const ports = args.includes("--port") || args.includes("--help")
    ? []
    : ["--port", "0"];
  return new Program(name, [
    ...[...FLAGS, "launch/main.ts", name],
    ...[...ports, ...args],
  ]);
}

/** Starts what `deno task wire` runs. */
export function wire(...args: string[]): Program {
  const flags = ["--allow-run", "--allow-read", "--allow-write"];
  const script = ["--allow-env=TERM", "--allow-net", "launch/wire.ts"];
  return new Program("wire", ["run", ...flags, ...script, ...args]);
}

/** All that a launch prints; asserts that it succeeds. */
export async function output(name: string, ...args: string[]): Promise<string> {
  await using launch = launcher(name, ...args);
  await assertExits(launch, 0);
  return launch.stdout;
}

/** What a launch shows, and why it fails; "" if it does not. */
export interface Shown {
  text: string;
  wrong: string;
}

/**
 * What `deno task NAME` does with these options, in this process: a launcher
 * and a reaper of its own would cost as much as the programs.
 */
export async function launchHere(
  name: string,
  reaper: Reaper,
  { script, net, seed, mermaid = false }: {
    script?: string | undefined;
    net?: string | undefined;
    seed?: string | undefined;
    mermaid?: boolean;
  },
): Promise<Shown> {
  const example = EXAMPLES.find((example) => example.name === name);
  assert(example, `there is no example ${name}`);
  let text = "";
  const print = (rows: string[]) =>
    void (text += rows.map((row) => `${row}\n`).join(""));
  const screen = { columns: () => 100, rows: () => Infinity, print };
  const lines = script === "" ? [] : script?.split("|") ?? example.script;
  const conditions = net === undefined ? [] : [net];
  const network = await networkOf(conditions, seed, linkNames(example));
  const args = conditions.flatMap((some) => ["--net", some])
    .concat(seed === undefined ? [] : ["--seed", seed]);
  try {
    await launch(example, {
      presenter: mermaid
        ? new Diagram((line) => print([line]))
        : new View(screen, { colours: false }),
      keyboard: scripted(lines),
      reaper,
      signal: new AbortController().signal,
      ports: { [example.roles[1]?.name ?? ""]: 0 },
      paced: mermaid,
      repeat: repeatOf(name, args, network),
      limit: 60_000,
      ...network ? { network } : {},
    });
  } catch (error) {
    return { text, wrong: error instanceof Error ? error.message : "unknown" };
  }
  return { text, wrong: "" };
}

/** An event, of which only what matters need be said. */
export function event(some: Partial<WireEvent> & { text?: string }): WireEvent {
  return {
    number: 1,
    kind: "message",
    link: "server",
    connection: 1,
    from: "client",
    bytes: new Uint8Array(),
    sent: 0,
    delivered: 0,
    fate: "delivered",
    marks: [],
    causes: [],
    of: null,
    text: "",
    ...some,
  };
}

/** A client and a server, and the relay between them. */
export const PAIR: Cast = {
  name: "pair",
  summary: "two programs",
  look: "Look at both.",
  members: [
    { name: "client", title: "tcp/client.ts" },
    { name: "server", title: "tcp/server.ts", listens: "tcp", port: 12345 },
  ],
};
export const LINK: Link = {
  name: "server",
  client: "client",
  server: "server",
  transport: "tcp",
  relay: { hostname: "127.0.0.1", port: 12345 },
  target: { hostname: "127.0.0.1", port: 40000 },
};

/** Texts as they come: wide, combining, long, hostile. */
const ODD = "你好，世界 👩‍🚀 é", LONG = "z̸̢".repeat(320);
const TEXTS = [
  "",
  ODD,
  "\x1b[2J\u202ecode; #1: <b>\\",
  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  LONG,
  "end",
  "wrap: x %% y",
];

/** How an event may go, and whether it is shown for the second time. */
const FATES = (["delivered", "lost", "under way"] as const).flatMap((fate) =>
  [false, true].map((isUpdate) => [fate, isUpdate] as const)
);

/** A run of a broker's programs in which they say odd things. */
export function play(presenter: Presenter): void {
  const names = ["client", "broker", "toupper", "tolower"];
  presenter.begin({
    name: "broker",
    summary: "a broker passes each request on",
    look: "Look.",
    members: names.map((name) => ({
      name,
      title: `broker/udp_${name}.ts`,
      listens: "udp",
      port: 8080,
    })),
  }, ["1 of 5 datagrams lost each way"]);
  const links = names.slice(1).map((server): Link => ({
    name: server,
    client: server === "broker" ? "client" : "broker",
    server,
    transport: "udp",
    relay: { hostname: "127.0.0.1", port: 40_000 },
    target: { hostname: "127.0.0.1", port: 8080 },
  }));
  for (const link of links) presenter.link(link, 1);
  const kinds: Kind[] = [
    ...["connect", "refused", "message", "end", "reset"] as const,
    ...["datagram", "trouble", "condition"] as const,
  ];
  for (const text of TEXTS) {
    const bytes = new TextEncoder().encode(text);
    for (const role of names) {
      for (const stream of ["stdout", "stderr"] as const) {
        presenter.line({ role, text, stream, typed: undefined }, 1234);
      }
    }
    for (const link of links) {
      for (const from of ["client", "server"] as const) {
        for (const kind of kinds) {
          for (const [fate, isUpdate] of FATES) {
            // How it went says as much with one text as with all.
            const usual = fate === "delivered" && !isUpdate;
            if (!usual && text !== (isUpdate ? LONG : ODD)) continue;
            if (usual && text === LONG && from === "server") continue;
            const some = event({ kind, from, bytes, fate, text, of: 3 });
            const marks = ["late", "piece"] as const;
            const odd = { ...some, marks, causes: ["cut=1B"], connection: 2 };
            const detail = { size: bytes.length, isUpdate };
            presenter.wire(link, odd, detail, 12_345);
          }
        }
      }
    }
  }
  presenter.note(TEXTS.join(" "), 1);
  for (const role of names) {
    presenter.ended({ role, code: 1, signal: null, stopped: false }, 99_999);
  }
  presenter.end({
    ms: 1,
    directions: [],
    counts: ["x".repeat(200)],
    repeat: "",
  });
}
