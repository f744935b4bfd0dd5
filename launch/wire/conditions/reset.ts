import type { Trouble, TroubleMaker } from "./trouble.ts";

/** After so many bytes, or a time, the connection is reset. */
export const reset: TroubleMaker = (condition) =>
  limited(condition.amount, condition.unit === "time", "reset");

/** What ends a stream after so many bytes, or µs. */
export function limited(
  amount: number,
  isTime: boolean,
  then: "reset" | "stall",
): Trouble {
  return isTime
    ? { then, after: amount, limit: ({ age }) => age < amount ? Infinity : 0 }
    : { then, limit: ({ bytes }) => Math.max(0, amount - bytes) };
}
