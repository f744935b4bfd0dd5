import { cutInto, delayBy, type TroubleMaker } from "./trouble.ts";

/** What has to wait for longer than so many µs in a UDP queue disappears. */
export const PATIENCE_US = 1_000_000;

/** A stream leaves in pieces that take so many µs each, or of a packet's size. */
const PIECE_US = 50_000, PACKET = 1460;

/** No faster than so many bytes a second, for all connections of the link together. */
export const rate: TroubleMaker = ({ text, amount }) => {
  let free = 0; // when all that came before has left
  const send = (bytes: number) => free += bytes / amount * 1e6;
  return {
    pass(parcel, { now }) {
      free = Math.max(free, now);
      if (parcel.kind === "datagram") {
        if (free - now > PATIENCE_US) {
          parcel.lost = true;
          parcel.causes.push(text);
          return [parcel];
        }
        send(parcel.bytes.length);
        return delayBy(parcel, free - now, text);
      }
      const length = Math.max(PACKET, Math.floor(amount * PIECE_US / 1e6));
      return cutInto(parcel, length, text).map((piece) => {
        send(piece.bytes.length);
        piece.due = parcel.sent;
        delayBy(piece, free - now, text);
        return piece;
      });
    },
  };
};
