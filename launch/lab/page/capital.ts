/**
 * Text that begins a sentence.
 *
 * @module
 */

/** With a capital letter at the beginning. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
