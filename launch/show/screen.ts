/**
 * Standard output, for what is shown.
 *
 * @module
 */

/** The size of what is not a terminal. */
const COLUMNS = 100, ROWS = Infinity;

/**
 * Standard output, row by row, with its size. `gone` is called when nobody reads
 * it any more, as in `deno task demo | head`.
 */
export function screen(gone: () => void) {
  const isTerminal = Deno.stdout.isTerminal();
  return {
    columns: () => isTerminal ? Deno.consoleSize().columns : COLUMNS,
    rows: () => isTerminal ? Deno.consoleSize().rows : ROWS,
    print(rows: string[]): void {
      const text = rows.map((row) => `${row}\n`).join("");
      let bytes = new TextEncoder().encode(text);
      try {
        while (bytes.length > 0) {
          bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
        }
      } catch (error) {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
        gone();
      }
    },
  };
}
