/**
 * What is attacked, how, and what must hold afterwards.
 *
 * @module
 */
import type { Vitals } from "../bench/vitals.ts";
import type { Random } from "./random.ts";

/** A kind of server, and what is done to it. */
export interface Target {
  /** What `--only` calls it. */
  name: string;
  /** Starts it; throws `Missing` where a program that it needs is missing. */
  start(random: Random): Promise<Victim>;
  attacks: Attack[];
}

/** A server that runs, perhaps with others that it needs. */
export interface Victim extends AsyncDisposable {
  port: number;
  /** The processes that run now. */
  pids(): number[];
  /** When the last of them was ready (`performance.now()`), if they change. */
  lastStart?(): number;
  /** An honest client: throws when its exchange is not answered as it must be. */
  check(random: Random): Promise<void>;
  /** Honest clients at work during an attack, where one cannot block others. */
  witnesses: number;
  /** What else must be so after an attack: throws when it is not. */
  verify?(): Promise<void>;
  /** What it printed to standard error. */
  complaints(): string;
}

/** One way to attack. */
export interface Attack {
  name: string;
  /** It takes seconds, however short: no warming up with it. */
  slow?: true;
  /** Attacks until it has had enough; returns how often it tried. */
  run(scene: Scene): Promise<number>;
}

/** What an attack needs to know. */
export interface Scene {
  victim: Victim;
  random: Random;
  /** Whether attempt number so-and-so may begin; asked before each. */
  more(attempt: number): boolean;
  /** How many connections make a crowd. */
  crowd: number;
}

/** What was tried and what was seen. */
export interface Outcome {
  target: string;
  attack: string;
  tried: number;
  /** Exchanges of honest clients meanwhile. */
  served: number;
  before?: Vitals | undefined;
  after?: Vitals | undefined;
  /** What is not as it should be; empty when it holds. */
  wrong: string;
}

/** How long and how hard. */
export interface Force {
  seed: string;
  /** For each attack (ms). */
  time: number;
  /** For each attack; no limit but the time unless given. */
  attempts?: number;
  crowd: number;
}

/**
 * Attempts one after the other on some lanes, each with random numbers of its
 * own: so what an attempt does depends on its number alone, not on what else
 * happens at the time.
 */
export async function attempts(
  { random, more }: Scene,
  lanes: number,
  attempt: (random: Random) => Promise<void>,
): Promise<number> {
  let begun = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (more(begun)) await attempt(random.for(begun++));
  }));
  return begun;
}

/** What is served, tells when to stop (ms); throws if that is too late. */
export async function limited<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`No answer within ${ms / 1000} s`)),
    ms,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits (ms). */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
