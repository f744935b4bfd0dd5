/**
 * All that is attacked.
 *
 * @module
 */
import type { Target } from "./attack.ts";
import { brokerTargets } from "./targets/broker.ts";
import { httpTargets } from "./targets/http.ts";
import { incrementerTargets } from "./targets/incrementer.ts";
import { libraryTargets } from "./targets/library.ts";
import { oneClientTargets } from "./targets/one_client.ts";

/** Every server of the examples. */
export const TARGETS: Target[] = [
  ...oneClientTargets,
  ...httpTargets,
  ...brokerTargets,
  ...incrementerTargets,
  ...libraryTargets,
];
