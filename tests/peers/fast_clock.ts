/**
 * For `deno run --preload`: what `AbortSignal.timeout()` limits is over after a
 * tenth of the time, so that a test need not wait for 30 s.
 */
const { timeout } = AbortSignal;
AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / 10);
