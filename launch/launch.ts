/**
 * Launches the programs of an example together.
 *
 * @module
 */
import type { Cast, Member } from "./programs/cast.ts";
import type { Command } from "./programs/command.ts";
import { Crew, Missing } from "./programs/crew.ts";
import { type Example, linksOf } from "./programs/examples.ts";
import type { Keyboard } from "./programs/keyboard.ts";
import { CannotStart, isScript, taskCommand } from "./programs/program.ts";
import type { Reaper } from "./programs/reaper_client.ts";
import { namesOf } from "./show/replay.ts";
import type { Presenter } from "./show/presenter.ts";
import { Timeline } from "./show/timeline.ts";
import { CALM, type Network } from "./wire/conditions/conditions.ts";
import { Counts } from "./wire/counts.ts";
import { Recording } from "./wire/relay.ts";

export { CannotStart, Missing };

/** How an example is launched. */
export interface LaunchOptions {
  presenter: Presenter;
  keyboard: Keyboard;
  reaper: Reaper;
  /** Ends everything when it aborts. */
  signal: AbortSignal;
  /** Whether one thing happens at a time; see {@linkcode Timeline}. */
  paced?: boolean;
  /** Whether all bytes of each message are shown. */
  whole?: boolean;
  /** How long it may take, in ms; no limit, if a person types. */
  limit?: number;
  /** Commands of the user's own, by role. */
  own?: Record<string, Command>;
  /** Ports that relays have, or that servers of the user's own listen on, by role. */
  ports?: Record<string, number>;
  /** What the network does; nothing by default. */
  network?: Network;
  /** The command that repeats the run. */
  repeat?: string;
}

/**
 * Runs an example from the start of its servers to the end of all its programs.
 *
 * The servers listen on ports that the system chooses. The relay in front of each
 * has the example's usual port if that is free, so whoever goes there, goes through
 * the relay.
 *
 * Throws an Error when a program does not start, fails or does not end, and the
 * signal's reason when that aborts. Whether it returns or throws: afterwards
 * none of the programs is running.
 */
export async function launch(
  example: Example,
  options: LaunchOptions,
): Promise<void> {
  const { presenter, signal, network, limit, own = {} } = options;
  const counts = new Counts();
  const recorder = new Recording((event) => counts.take(event));
  const timeline = new Timeline({
    presenter,
    paced: options.paced ?? false,
    whole: options.whole ?? false,
    now: () => recorder.now() / 1000,
  });
  timeline.begin(
    await castOf(example, own),
    network?.sentences() ?? [],
  );
  const links = new Map(linksOf(example).map((link) => [link.name, link]));
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const timer = limit === undefined ? undefined : setTimeout(() => {
    aborted.reject(new Error(`It takes longer than ${limit / 1000} s`));
  }, limit);
  try {
    await using crew = new Crew(example, {
      watcher: timeline,
      recorder,
      keyboard: options.keyboard,
      reaper: options.reaper,
      conditions: (link) => network?.of(link) ?? CALM,
      own,
      ports: options.ports ?? {},
      paced: options.paced ?? false,
    });
    await Promise.race([crew.play(), aborted.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    timeline.end({
      counts: network ? counts.lines(namesOf(links)) : [],
      repeat: network ? options.repeat ?? "" : "",
    });
  }
}

/** The relays of an example by name, as `--net` must know them. */
export const linkNames = linksOf;

/** What is shown of an example's programs. */
export async function castOf(
  { name, summary, look, roles }: Example,
  own: Record<string, Command>,
): Promise<Cast> {
  const members: Member[] = [];
  for (const role of roles) {
    const command = own[role.name]?.text ?? role.command ??
      await taskCommand(role.task ?? `${name}:${role.name}`);
    const title = typeof command === "string"
      ? command
      : command.find(isScript) ?? `${command}`;
    members.push({
      name: role.name,
      title,
      ...role.listens === undefined ? {} : { listens: role.listens },
      ...role.port === undefined ? {} : { port: role.port },
    });
  }
  return { name, summary, look, members };
}
