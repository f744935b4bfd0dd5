/**
 * Tests that mostly wait, side by side.
 *
 * @module
 */

/**
 * Runs tests as the steps of one, all at the same time: ten that wait for 10 s
 * take 10 s. What `needs()` and the like have left out is left out by name.
 *
 * @example
 * ```ts ignore
 * Deno.test(together("tcp: what takes its time", [
 *   { name: "a notice after 10 s", fn: waitForNotice },
 *   needsHosts({ name: "a cut wire", fn: cutWire }),
 * ]));
 * ```
 */
export function together(
  name: string,
  tests: Deno.TestDefinition[],
): Deno.TestDefinition {
  // Deno wants steps that overlap to be free of its looks for leaks.
  const free = {
    sanitizeOps: false,
    sanitizeResources: false,
    sanitizeExit: false,
  };
  return {
    name,
    ...free,
    async fn(context) {
      await Promise.all(
        tests.map(({ name, fn, ignore = false }) =>
          context.step({ name, ignore, ...free, fn: (step) => fn(step) })
        ),
      );
    },
  };
}
