/**
 * Where programs of the system are.
 *
 * @module
 */

/**
 * Calls `start` with each place where a program may be, until it finds one there;
 * null if it finds none. Debian puts servers, `nats-server` for one, into
 * `/usr/sbin`, where only root's `PATH` leads.
 */
export function startWhereFound<T>(
  program: string,
  start: (place: string) => T,
): T | null {
  for (const place of [program, `/usr/sbin/${program}`]) {
    try {
      return start(place);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}
