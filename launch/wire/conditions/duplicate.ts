import { partOf, type TroubleMaker } from "./trouble.ts";

/** A datagram arrives twice. */
export const duplicate: TroubleMaker = ({ text }) => ({
  pass(parcel) {
    const copy = partOf(parcel, parcel.bytes);
    copy.marks.push("again");
    copy.causes.push(text);
    return [parcel, copy];
  },
});
