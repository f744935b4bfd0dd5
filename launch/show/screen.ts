/**
 * Standard output, for what is shown.
 *
 * @module
 */

/** The size of what is not a terminal, or of one that does not know its own. */
const COLUMNS = 100, ROWS = Infinity, DUMB_COLUMNS = 80, DUMB_ROWS = 24;

const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/** Where everything is shown. */
export interface Screen {
  /** How many columns it has now. */
  columns(): number;
  /** How many rows, if it is a terminal. */
  rows(): number;
  /** Prints rows; `before` is written first, in the same breath. */
  print(rows: string[], before?: string): void;
  /** Writes what moves the cursor. */
  write(text: string): void;
}

/**
 * Standard output. `gone` is called when nobody reads it any more, as in
 * `deno task demo | head`.
 */
export function screen(gone: () => void): Screen {
  const isTerminal = Deno.stdout.isTerminal();
  const size = () => {
    try {
      const { columns, rows } = Deno.consoleSize();
      return { columns: columns || DUMB_COLUMNS, rows: rows || DUMB_ROWS };
    } catch {
      return { columns: DUMB_COLUMNS, rows: DUMB_ROWS };
    }
  };
  const write = (text: string) => {
    if (text === "") return;
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) return gone();
        Atomics.wait(NOBODY, 0, 0, 5); // a full pipe that does not block
      }
    }
  };
  // Many rows at once cost hardly more than one.
  let waiting = "";
  const flush = () => {
    const text = waiting;
    waiting = "";
    write(text);
  };
  addEventListener("unload", flush); // Deno.exit() waits for no microtask
  return {
    columns: () => isTerminal ? size().columns : COLUMNS,
    rows: () => isTerminal ? size().rows : ROWS,
    write(text): void {
      flush();
      write(text);
    },
    print(rows, before = ""): void {
      if (waiting === "") queueMicrotask(flush);
      waiting += before + rows.map((row) => `${row}\n`).join("");
    },
  };
}
