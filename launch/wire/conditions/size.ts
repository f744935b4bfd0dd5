import type { TroubleMaker } from "./trouble.ts";

/** A datagram that is longer than so many bytes disappears. */
export const size: TroubleMaker = ({ text, amount }) => ({
  pass(parcel) {
    if (parcel.bytes.length <= amount) return [parcel];
    parcel.lost = true;
    parcel.causes.push(text);
    return [parcel];
  },
});
