import type { TroubleMaker } from "./trouble.ts";

/** A datagram disappears. */
export const loss: TroubleMaker = ({ text }) => ({
  pass(parcel) {
    parcel.lost = true;
    parcel.causes.push(text);
    return [parcel];
  },
});
