import type { TroubleMaker } from "./trouble.ts";

/** How long it waits to be overtaken, in µs, if nothing comes to overtake it. */
export const OVERTAKEN_US = 500_000;

/** A datagram is overtaken by the next one. */
export const reorder: TroubleMaker = ({ text }) => ({
  pass(parcel) {
    parcel.behind = OVERTAKEN_US;
    parcel.causes.push(text);
    return [parcel];
  },
});
