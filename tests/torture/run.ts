/**
 * Attacks a target and looks whether it holds.
 *
 * @module
 */
import { type Vitals, vitalsOf } from "../bench/vitals.ts";
import {
  type Attack,
  type Force,
  limited,
  type Outcome,
  pause,
  type Target,
  type Victim,
} from "./attack.ts";
import { Random } from "./random.ts";

/** How long an honest client may wait, since others come first (ms). */
const PATIENCE = 30_000;
/** Deno itself opens a pair of sockets so long (ms) after its start. */
const STARTED = 1_500;
/** How long sockets and files may take to close (ms): longer than any limit. */
const SETTLED = 15_000;

/**
 * How much memory (bytes) of a process may come and go between two looks. What has been
 * freed stays with the process for a while: the garbage collector waits until
 * it is worth its while, and the allocator keeps pages.
 */
const NOISE = 24 * 2 ** 20;
/** A repetition that adds less (bytes) shows that it does not grow for ever. */
const PLATEAU = 2 * 2 ** 20;
/** After so many repetitions that add more, something leaks. */
const REPETITIONS = 6;

/** Attacks it in all ways; yields what was seen, one attack at a time. */
export async function* torture(
  target: Target,
  force: Force,
): AsyncGenerator<Outcome, void> {
  const random = new Random(`${force.seed}/${target.name}`);
  await using victim = await target.start(random.for("start"));
  const started = performance.now();
  // Code is compiled, buffers grow, sockets are opened that stay: once.
  await limited(PATIENCE, victim.check(random.for("first")));
  for (const attack of target.attacks.filter(({ slow }) => !slow)) {
    const short = {
      time: Math.min(force.time / 4, 500),
      crowd: Math.ceil(force.crowd / 4),
    };
    try {
      await once(attack, victim, random.for("warm-up"), { ...force, ...short });
    } catch (error) {
      const why = error instanceof Error ? error.message : error;
      throw new Error(`${attack.name}: ${why} ${victim.complaints()}`);
    }
  }
  for (const attack of target.attacks) {
    const age = performance.now() - (victim.lastStart?.() ?? started);
    if (victim.pids().length > 0 && age < STARTED) await pause(STARTED - age);
    yield await outcome(target, attack, victim, random.for(attack.name), force);
  }
}

/** One attack, and what must hold after it. */
async function outcome(
  target: Target,
  attack: Attack,
  victim: Victim,
  random: Random,
  force: Force,
): Promise<Outcome> {
  const seen: Outcome = {
    target: target.name,
    attack: attack.name,
    tried: 0,
    served: 0,
    wrong: "",
  };
  try {
    seen.before = await vitals(victim);
    let least = seen.before;
    const told = victim.complaints().length;
    const add = async (random: Random, attempts?: number) => {
      const { tried, served } = await once(attack, victim, random, {
        ...force,
        ...(attempts === undefined ? {} : { attempts, time: 60_000 }),
      });
      seen.tried += tried;
      seen.served += served;
      seen.after = await settled(victim, least);
      return tried;
    };
    const tried = await add(random);
    await victim.verify?.();
    for (
      let repeated = 1;
      grown(seen) > NOISE * victim.pids().length;
      repeated++
    ) {
      const { memory = 0 } = seen.after ?? {};
      await add(random.for(`again ${repeated}`), tried);
      if ((seen.after?.memory ?? 0) - memory < PLATEAU) break;
      if (repeated === REPETITIONS) throw new Error("memory grows and grows");
    }
    if (/\n +at /.test(victim.complaints().slice(told))) {
      throw new Error(`a stack trace: ${victim.complaints().slice(told)}`);
    }
    if (open(seen.after) > open(seen.before)) {
      // Deno opens some when it first needs them; what leaks does so each time.
      least = seen.after;
      await add(random.for("once more"), tried);
      if (open(seen.after) > open(least)) {
        throw new Error("sockets or files stay open");
      }
    }
  } catch (error) {
    seen.wrong = error instanceof Error ? error.message : String(error);
  }
  return seen;
}

/** Attacks once, with witnesses; afterwards it must serve. */
async function once(
  attack: Attack,
  victim: Victim,
  random: Random,
  { time, attempts = Infinity, crowd }: Omit<Force, "seed">,
): Promise<{ tried: number; served: number }> {
  const end = performance.now() + time;
  let going = true, served = 0;
  const witness = async (_: unknown, number: number) => {
    for (const clients = random.for(`witness ${number}`); going; served++) {
      await limited(PATIENCE, victim.check(clients));
    }
  };
  const witnesses = Promise.all(Array.from(
    { length: victim.witnesses },
    witness,
  ));
  witnesses.catch(() => {}); // looked at below
  let tried;
  try {
    tried = await attack.run({
      victim,
      random,
      more: (attempt) => attempt < attempts && performance.now() < end,
      crowd,
    });
  } finally {
    going = false;
  }
  await witnesses;
  await limited(PATIENCE, victim.check(random.for("after")));
  return { tried, served };
}

function open(vitals: Vitals | undefined): number {
  return vitals ? vitals.sockets + vitals.files : 0;
}

function grown({ before, after }: Outcome): number {
  return before && after ? after.memory - before.memory : 0;
}

/** What all of its processes use together. */
async function vitals(victim: Victim): Promise<Vitals | undefined> {
  const pids = victim.pids();
  return pids.length === 0 ? undefined : await vitalsOf(...pids);
}

/** The same, when sockets and files are closed, or had the time to be. */
async function settled(
  victim: Victim,
  before: Vitals | undefined,
): Promise<Vitals | undefined> {
  const end = performance.now() + SETTLED;
  for (let wait = 100;; wait = Math.min(2 * wait, 1_000)) {
    const now = await vitals(victim);
    const back = !now || !before ||
      (now.sockets <= before.sockets && now.files <= before.files);
    if (back || performance.now() > end) return now;
    await pause(wait);
  }
}
