/**
 * What is measured: contests of our programs with their peers, in turn.
 *
 * @module
 */

/** One row of the table: one of our programs and those it is compared with. */
export interface Contest {
  /** Short, for `--only`; contests of one kind share its beginning. */
  id: string;
  /** What is measured, for people; at most 28 characters. */
  title: string;
  /** What one measurement results in; at least one. */
  metrics: Metric[];
  ours: Entry;
  peers: Peer[];
}

/** A number that a measurement results in. */
export interface Metric {
  unit: string;
  /** Whether more is better, or less. */
  better: "more" | "less";
  /** What the median must reach, in the metric's unit. */
  target?: number;
}

/** A program that takes part. */
export interface Entry {
  /** At most 27 characters. */
  name: string;
  /** Starts it; throws {@linkcode Missing} where it is not installed. */
  start(): Promise<Contestant>;
}

/** A program that ours is compared with. */
export interface Peer extends Entry {
  /** What the ratio of ours to it must reach in the first metric. */
  target?: number;
}

/** A program that has been started, ready to be measured. */
export interface Contestant extends AsyncDisposable {
  /** Measures for about this time; returns a number for each metric. */
  measure(seconds: number): Promise<number[]>;
}

/** Thrown when a program that a measurement needs is not installed. */
export class Missing extends Error {}

/** What came out of a contest. */
export interface Result {
  contest: Contest;
  entries: EntryResult[];
}

/** What came out for one program. */
export interface EntryResult {
  entry: Entry | Peer;
  /** For each metric, the value of each round. */
  values: number[][];
}

/** Where a measurement stands, for a progress display. */
export interface Progress {
  contest: Contest;
  entry: Entry;
  /** Counts from 1. */
  round: number;
}

/**
 * Runs a contest: starts everybody, warms up, then measures in turn, as many
 * rounds as asked for. Afterwards none of the programs runs.
 */
export async function run(
  contest: Contest,
  { rounds, seconds, progress, missing }: {
    rounds: number;
    seconds: number;
    progress(progress: Progress): void;
    /** Told which programs are left out, and why. */
    missing(why: string): void;
  },
): Promise<Result | undefined> {
  await using stack = new AsyncDisposableStack();
  const started: { result: EntryResult; contestant: Contestant }[] = [];
  for (const entry of [contest.ours, ...contest.peers]) {
    progress({ contest, entry, round: 0 });
    try {
      const contestant = stack.use(await named(entry, entry.start()));
      const values = contest.metrics.map(() => []);
      started.push({ result: { entry, values }, contestant });
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      missing(error.message);
      if (entry === contest.ours) return undefined;
    }
  }
  // A first time for nobody: code is compiled and caches fill.
  for (const { contestant, result: { entry } } of started) {
    progress({ contest, entry, round: 0 });
    await named(entry, contestant.measure(Math.min(seconds, 1)));
  }
  for (let round = 1; round <= rounds; round++) {
    for (const { contestant, result } of started) {
      const { entry } = result;
      progress({ contest, entry, round });
      const numbers = await named(entry, contestant.measure(seconds));
      result.values.forEach((values, i) => values.push(numbers[i] ?? NaN));
    }
  }
  return { contest, entries: started.map(({ result }) => result) };
}

/** Says whose failure it is. */
async function named<T>({ name }: Entry, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Missing || !(error instanceof Error)) throw error;
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [
    sorted[Math.ceil(middle) - 1],
    sorted[Math.floor(middle)],
  ];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

/**
 * Ours to a peer in the first metric, round by round, so that what disturbs
 * the machine for a while disturbs both.
 */
export function ratios(ours: EntryResult, peer: EntryResult): number[] {
  const [a = [], b = []] = [ours.values[0], peer.values[0]];
  return a.map((value, round) => value / (b[round] ?? NaN));
}

/** Whether a number is on the right side of its target. */
export function meets(
  value: number,
  target: number,
  better: Metric["better"],
): boolean {
  return better === "more" ? value >= target : value <= target;
}
