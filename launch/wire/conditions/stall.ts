import { limited } from "./reset.ts";
import type { TroubleMaker } from "./trouble.ts";

/**
 * After so many bytes, or a time, nothing passes any more, while both sides think
 * that the connection stands: a cable was pulled out.
 */
export const stall: TroubleMaker = (condition) =>
  limited(condition.amount, condition.unit === "time", "stall");
