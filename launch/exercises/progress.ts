/**
 * What a learner has done so far, in a file of the learner's own.
 *
 * @module
 */

/** What is kept of one exercise. */
export interface Record {
  /** When it was passed first; ISO 8601. */
  passed?: string;
  /** How many hints were shown. */
  hints?: number;
}

/** Where it is kept, in the project's folder; git ignores it. */
export const FILE = ".exercises.json";

/** Reads it; empty, if there is none or it cannot be understood. */
export async function readProgress(
  file: string,
): Promise<{ [name: string]: Record }> {
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(file));
    return value !== null && typeof value === "object"
      ? { ...value as { [name: string]: Record } }
      : {};
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Changes what is kept of one exercise. The file is replaced whole. */
export async function keep(
  file: string,
  name: string,
  change: Record,
): Promise<void> {
  const progress = await readProgress(file);
  progress[name] = { ...progress[name], ...change };
  const whole = `${file}.new`;
  await Deno.writeTextFile(whole, JSON.stringify(progress, null, 2) + "\n");
  await Deno.rename(whole, file);
}
