/**
 * The guides: for each example, what to do and what to look for.
 *
 * @module
 */
import type { Guide } from "./guide.ts";
import { udp } from "./udp.ts";

export type { Guide, Step } from "./guide.ts";

/** In the order of study. */
export const GUIDES: Guide[] = [udp];
