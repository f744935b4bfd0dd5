import { delayBy, type Parcel, type TroubleMaker } from "./trouble.ts";

let groups = 0;

/** What comes within so many µs on one stream leaves in one piece. */
export const glue: TroubleMaker = ({ text, amount }) => {
  const open = new Map<number, { first: Parcel; until: number; id: number }>();
  return {
    pass(parcel, { now }) {
      let group = open.get(parcel.connection);
      if (!group || group.until <= now) {
        group = { first: parcel, until: now + amount, id: ++groups };
        open.set(parcel.connection, group);
      } else {
        parcel.marks.push("glued");
        parcel.origin = group.first;
      }
      parcel.group = group.id;
      return delayBy(parcel, group.until - now, text);
    },
  };
};
