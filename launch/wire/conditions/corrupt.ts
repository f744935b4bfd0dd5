import type { TroubleMaker } from "./trouble.ts";

/** One bit of a datagram is wrong. An empty one has none. */
export const corrupt: TroubleMaker = ({ text }) => ({
  pass(parcel, { chance }) {
    const { length } = parcel.bytes;
    if (length === 0) return [parcel];
    const bit = Math.floor(chance() * length * 8);
    const bytes = parcel.bytes.slice(); // copies of it keep theirs
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    parcel.bytes = bytes;
    parcel.marks.push("corrupted");
    parcel.causes.push(text);
    return [parcel];
  },
});
