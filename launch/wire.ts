/**
 * `deno task wire`: a relay before any server, for any client, in any language, with
 * the wire view.
 *
 *     deno run --allow-run --allow-read --allow-write --allow-env=TERM --allow-net launch/wire.ts tcp 9000 127.0.0.1:8080
 *
 * Exit status 0 when it was ended with Ctrl-C, or its command ended with 0; 1 when
 * that failed, or it could not listen; 2 when used wrongly.
 */
import { basename } from "@std/path";
import {
  addressOf,
  BadUse,
  networkOf,
  parseAddress,
  portOf,
  quoted,
  readOptions,
  repeatOf,
} from "./options.ts";
import type { Cast, Link } from "./programs/cast.ts";
import { type Command, fillIn } from "./programs/command.ts";
import { interruption } from "./programs/interruption.ts";
import { type Keyboard, piped } from "./programs/keyboard.ts";
import {
  CannotStart,
  type Observer,
  type Program,
  startCommand,
} from "./programs/program.ts";
import { Reaper } from "./programs/reaper_client.ts";
import { Typing } from "./programs/typing.ts";
import { Diagram } from "./show/mermaid.ts";
import { replay } from "./show/replay.ts";
import { screen } from "./show/screen.ts";
import { Terminal } from "./show/terminal.ts";
import { Timeline } from "./show/timeline.ts";
import { View } from "./show/view.ts";
import { CALM, type Network } from "./wire/conditions/conditions.ts";
import { HELP } from "./wire/conditions/help.ts";
import { Counts } from "./wire/counts.ts";
import { PcapngWriter } from "./wire/pcapng.ts";
import { play } from "./wire/play.ts";
import {
  type Address,
  HOST,
  Recording,
  type Relay,
  type Transport,
  type WireEvent,
} from "./wire/relay.ts";
import {
  readRun,
  type RunHeader,
  type SavedRun,
  SavedRunWriter,
} from "./wire/saved_run.ts";
import { relayTcp } from "./wire/tcp_relay.ts";
import { relayUdp } from "./wire/udp_relay.ts";

/** After so many ms without a client it is said where to go. */
const NOBODY_MS = 10_000;

/** How long what is under way may still take when the command has ended, in ms. */
const SETTLED = 5_000, GRACE = 300;

const USAGE =
  "Usage: deno task wire tcp|udp LISTEN TARGET [OPTIONS] [-- COMMAND], " +
  "deno task wire show FILE, or deno task wire play FILE HOST:PORT";

Deno.exit(await main().catch(explain));

async function main(): Promise<number> {
  const options = readOptions(Deno.args, {
    values: ["host", "net", "seed", "save"],
    flags: ["hex", "mermaid", "help"],
  });
  if (options.has("help")) return help();
  const hex = options.has("hex"), mermaid = options.has("mermaid");
  if (hex && mermaid) {
    throw new BadUse("Cannot use --hex together with --mermaid.");
  }
  const [verb, ...words] = options.words;
  const stop = new AbortController();
  const signal = AbortSignal.any([interruption(), stop.signal]);
  const output = screen(() => stop.abort());
  const most = verb === "show" ? 1 : 2;
  if (words.length > most) throw new BadUse(`Cannot use ${words[most]}.`);
  if (verb === "show" || verb === "play") {
    const [file, to] = words;
    if (file === undefined) throw new BadUse("Which file?");
    if (verb === "play" && to === undefined) {
      throw new BadUse("Where to? Say HOST:PORT.");
    }
    const presenter = mermaid
      ? new Diagram((line) => output.print([line]))
      : new View(output, { colours: coloured(), hex });
    const run = await readRun(file);
    if (to === undefined) {
      replay(run, presenter, basename(file));
      return 0;
    }
    const timeline = new Timeline({ presenter, whole: hex });
    return await playAgain(run, parseAddress(to, HOST), signal, timeline);
  }
  if (verb !== "tcp" && verb !== "udp") {
    throw new BadUse(verb ? `Cannot use ${verb}.` : "What is to be relayed?");
  }
  const [listen, to] = words;
  if (listen === undefined || to === undefined) {
    throw new BadUse("It needs a port to listen on, and a server.");
  }
  return await stand(verb, listen, to);

  /** Stands between clients and a server until it is told to end. */
  async function stand(
    transport: Transport,
    listen: string,
    to: string,
  ): Promise<number> {
    const hostname = options.one("host") ?? HOST;
    const port = portOf("LISTEN", listen);
    const target = parseAddress(to, HOST);
    const links = [{ name: "server", transport }];
    const network = await networkOf(
      options.all("net"),
      options.one("seed"),
      links,
    );
    const [program, ...args] = options.rest ?? [];
    const command: Command | undefined = program === undefined ? undefined : {
      text: [program, ...args].join(" "),
      env: {},
      words: [program, ...args],
    };
    await using reaper = new Reaper();
    const isPerson = command !== undefined && Deno.stdin.isTerminal() &&
      Deno.stdout.isTerminal() && Deno.env.get("TERM") !== "dumb";
    const terminal = isPerson
      ? new Terminal({
        screen: output,
        interrupt: () => stop.abort(),
        changed: (settings) => reaper.terminal(settings),
      })
      : undefined;
    const keyboard: Keyboard | undefined = terminal ??
      (command ? piped(Deno.stdin.readable) : undefined);
    const print = (rows: string[]) => (terminal ?? output).print(rows);
    const timeline = new Timeline({
      presenter: mermaid
        ? new Diagram((line) => print([line]))
        : new View({ ...output, print }, { colours: coloured(), hex }),
      whole: hex,
    });
    const counts = new Counts();
    let writer: SavedRunWriter | PcapngWriter | undefined;
    const found: { link?: Link } = {};
    let somebody = false;
    const recorder = new Recording((event: WireEvent) => {
      somebody = true;
      counts.take(event);
      writer?.take(event);
      if (found.link) timeline.wire(found.link, event);
    });
    let relay: Relay;
    try {
      relay = await (transport === "tcp" ? relayTcp : relayUdp)({
        link: "server",
        listen: { hostname, port },
        target,
        recorder,
        conditions: network?.of({ name: "server", transport }) ?? CALM,
      });
    } catch (error) {
      keyboard?.[Symbol.dispose]();
      const why = error instanceof Error ? error.message : error;
      const advice = error instanceof Deno.errors.AddrInUse ||
          `${why}`.includes("EADDRINUSE")
        ? " Stop the program that uses it, or choose another port."
        : "";
      console.error(
        `Cannot listen on ${addressOf({ hostname, port })}: ${why}.${advice}`,
      );
      return 1;
    }
    await using _relay = relay;
    const here = {
      // Nobody can go to 0.0.0.0: this machine is one of those that it means.
      hostname: /^(0\.0\.0\.0|::)$/.test(hostname) ? HOST : hostname,
      port: relay.address.port,
    };
    const cast: Cast = {
      name: `wire ${transport}`,
      summary: `${addressOf(here)} → ${addressOf(target)}, until Ctrl-C`,
      look: "",
      members: [
        { name: "client", title: command?.text ?? "whoever comes" },
        { name: "server", title: addressOf(target), listens: transport },
      ],
    };
    const link: Link = {
      name: "server",
      client: "client",
      server: "server",
      transport,
      relay: here,
      target,
    };
    found.link = link;
    const save = options.one("save");
    if (save !== undefined) {
      const header = headerOf(cast, link, network);
      writer = save.endsWith(".pcapng")
        ? new PcapngWriter(save, header)
        : new SavedRunWriter(save, header);
    }
    timeline.begin(cast, network?.sentences() ?? []);
    timeline.link(link);
    const nobody = setTimeout(() => {
      if (!somebody) timeline.note(invitation(transport, here, target));
    }, NOBODY_MS);
    let code = 0;
    try {
      const aborted = new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => resolve())
      );
      if (!command || !keyboard) await aborted;
      else {
        const filled = fillIn(command, {
          host: here.hostname,
          port: `${here.port}`,
          url: `http://${addressOf(here)}/`,
        });
        code = await runClient(filled, timeline, keyboard, reaper, aborted);
        if (!signal.aborted) await relay.settled(SETTLED);
      }
    } finally {
      clearTimeout(nobody);
      keyboard?.[Symbol.dispose]();
      await relay[Symbol.asyncDispose]();
      timeline.end({
        counts: network ? counts.lines((_, side) => side) : [],
        repeat: repeatOf("wire", Deno.args, network),
      });
      writer?.[Symbol.dispose]();
    }
    return code;
  }
}

/** Runs the client's command to its end; returns the exit status. */
async function runClient(
  command: Command,
  timeline: Timeline,
  keyboard: Keyboard,
  reaper: Reaper,
  aborted: Promise<void>,
): Promise<number> {
  const programs = new Map<string, Program>();
  const typing = new Typing(keyboard, programs, () => Promise.resolve());
  const observer: Observer = {
    line(_, text, stream, typed) {
      if (typed === undefined && typing.isPrompt(text)) return;
      timeline.line({ role: "client", text, stream, typed });
    },
    change: () => typing.notify(),
  };
  const client = startCommand("client", command, observer);
  programs.set("client", client);
  await reaper.started(client.group);
  await Promise.race([
    typing.until(() => client.status !== undefined),
    aborted,
  ]);
  const byItself = client.status !== undefined;
  if (!byItself) {
    // Ctrl-C may have reached it, too.
    const late = new Promise((resolve) => setTimeout(resolve, GRACE));
    await Promise.race([client.ended, late]);
  }
  const { code, signal } = await client.stop();
  await reaper.ended(client.group);
  await timeline.ended({ role: "client", code, signal, stopped: !byItself });
  return byItself && code !== 0 ? 1 : 0;
}

/** Sends the client's side of a saved run to a server, and shows both sides. */
async function playAgain(
  run: SavedRun,
  target: Address,
  signal: AbortSignal,
  timeline: Timeline,
): Promise<number> {
  const { transport } = run.header.links[0] ?? {};
  if (!transport) throw new Error("The saved run has no link.");
  const found: { link?: Link } = {};
  const recorder = new Recording((event) => {
    if (found.link) timeline.wire(found.link, event);
  });
  // A relay in front of the server shows what goes over the wire this time.
  await using relay = await (transport === "tcp" ? relayTcp : relayUdp)({
    link: "server",
    target,
    recorder,
  });
  timeline.begin({
    name: "wire play",
    summary: `the client's side once more, to ${addressOf(target)}`,
    look: "",
    members: [
      { name: "client", title: "the saved run" },
      { name: "server", title: addressOf(target), listens: transport },
    ],
  });
  found.link = {
    name: "server",
    client: "client",
    server: "server",
    transport,
    relay: relay.address,
    target,
  };
  try {
    const { troubles } = await play(run, relay.address, { signal });
    for (const trouble of troubles) console.error(trouble);
    await relay.settled(SETTLED);
    return troubles.length > 0 ? 1 : 0;
  } finally {
    timeline.end({ counts: [], repeat: "" });
  }
}

function invitation(
  transport: Transport,
  here: Address,
  target: Address,
): string {
  const browser = transport === "tcp"
    ? ` A browser: http://${addressOf(here)}/.`
    : "";
  return `Nobody has come so far. Let your client talk to ${addressOf(here)} ` +
    `instead of ${addressOf(target)}.${browser}`;
}

function headerOf(
  { members }: Cast,
  { name, client, transport, relay, target }: Link,
  network: Network | undefined,
): RunHeader {
  return {
    start: Date.now(),
    task: quoted(["deno", "task", "wire", ...Deno.args]),
    net: network?.options.slice(0, -2).filter((word) => word !== "--net")
      .join(" ") ?? "",
    seed: network?.seed ?? 0,
    programs: Object.fromEntries(
      members.map(({ name, title }) => [name, title]),
    ),
    links: [{
      ...{ name, client, transport },
      listen: addressOf(relay),
      target: addressOf(target),
    }],
    versions: { deno: Deno.version.deno },
  };
}

function coloured(): boolean {
  return !Deno.noColor && Deno.stdout.isTerminal();
}

function help(): number {
  console.log(`${USAGE}

A relay stands between a client and a server, any two programs, and shows what they
say. Say your server is at 127.0.0.1:8080:

  deno task wire tcp 9000 127.0.0.1:8080

Now let your client (a browser, for example) talk to 127.0.0.1:9000 instead. The relay
hands everything on and prints it here, until Ctrl-C.

  tcp | udp             how they talk
  LISTEN                the port where the relay waits for clients; 0: a free one
  TARGET                where the server is: HOST:PORT, or a port of this machine
  -- COMMAND            starts the client, too; {host}, {port} and {url} in it stand
                        for where the relay is: -- curl -s {url}
  --host ADDRESS        where the relay waits, instead of ${HOST}; 0.0.0.0 lets
                        other machines come
  --net "CONDITIONS"    makes the network misbehave; see below
  --seed N              repeats a run in which chance had a part
  --hex                 adds a hex dump of each message
  --mermaid             prints the run as a Mermaid sequence diagram instead
  --save FILE           also writes the run to a file: JSON lines, or for Wireshark if
                        FILE ends in .pcapng

  deno task wire show FILE            shows a saved run again
  deno task wire play FILE HOST:PORT  sends its client's side once more, to a server

${HELP.join("\n")}`);
  return 0;
}

/** Says in a line what went wrong; returns the exit status. */
function explain(error: unknown): number {
  const message = error instanceof Error ? error.message : `${error}`;
  if (error instanceof BadUse) {
    console.error(error.showUsage ? `${message} ${USAGE}` : message);
    return 2;
  }
  console.error(message);
  return error instanceof CannotStart ? 2 : 1;
}
