/**
 * Tests that run at the same time as steps of one, because most of what they do
 * is to wait.
 *
 * @module
 */

/**
 * Collects tests, and runs them as steps of one test, some at a time. Those that
 * come first start first: put those there that take long.
 *
 * @example
 * ```ts
 * import { SideBySide } from "./side_by_side.ts";
 *
 * const tests = new SideBySide();
 * tests.add("one", () => {});
 * tests.add({ name: "two", fn() {} });
 * tests.run("both");
 * ```
 */
export class SideBySide {
  readonly #cases: Deno.TestStepDefinition[] = [];

  add(name: string, fn: () => void | Promise<void>): void;
  add(test: Deno.TestDefinition): void;
  add(
    test: string | Deno.TestDefinition,
    run: Deno.TestStepDefinition["fn"] = () => {},
  ): void {
    const { name, ignore = false, fn } = typeof test === "string"
      ? { name: test, fn: run }
      : test;
    // What one step leaves open is another's.
    const free = { sanitizeOps: false, sanitizeResources: false };
    this.#cases.push({ name, ignore, fn, ...free, sanitizeExit: false });
  }

  /** Registers the test; `after` runs at its end. */
  run(name: string, after = async () => {}, atOnce = 6): void {
    const free = { sanitizeOps: false, sanitizeResources: false };
    Deno.test({
      ...{ name, ...free, sanitizeExit: false },
      fn: async (t) => {
        const left = [...this.#cases];
        const work = async () => {
          for (let step = left.shift(); step; step = left.shift()) {
            await t.step(step);
          }
        };
        await Promise.all(Array.from({ length: atOnce }, work));
        await after();
      },
    });
  }
}
