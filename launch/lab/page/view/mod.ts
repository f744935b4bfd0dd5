/**
 * Everything that draws a run.
 *
 * @module
 */
export { compare, type Difference } from "./compare.ts";
export { toSvg } from "./file.ts";
export { type Change, type Entry, History, type Life } from "./history.ts";
export { type Ask, Inspector } from "./inspector.ts";
export { type Mode, RunView, type RunViewOptions } from "./run_view.ts";
