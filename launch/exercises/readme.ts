/**
 * The text of an exercise: its task, and the hints folded away in it.
 *
 * @module
 */

/** The hints of a README, in their order, as plain text. */
export function hintsOf(readme: string): string[] {
  const pattern = /<details>\s*<summary>[^<]*<\/summary>([^]*?)<\/details>/g;
  return Array.from(
    readme.matchAll(pattern),
    ([, text]) => (text ?? "").trim(),
  );
}

/** The task, without the hints. */
export function taskOf(readme: string): string {
  return readme.replace(/<details>[^]*?<\/details>\s*/g, "").trim();
}
