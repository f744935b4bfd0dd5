import { cutInto, type TroubleMaker } from "./trouble.ts";

/**
 * The pause between two pieces in µs. Without it, a reader gets several of them
 * at once; with it, most readers get one at a time.
 */
export const PAUSE_US = 5_000;

/** A stream leaves in pieces of at most so many bytes. */
export const cut: TroubleMaker = ({ text, amount }) => ({
  pass(parcel) {
    const pieces = cutInto(parcel, amount, text);
    for (const piece of pieces) {
      piece.gap = PAUSE_US;
      piece.group = 0;
    }
    return pieces;
  },
});
