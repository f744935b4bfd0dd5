import { delayBy, type TroubleMaker } from "./trouble.ts";

/**
 * It arrives a little earlier or later than the delay says, but never before it
 * was sent: without a delay, up to so much later.
 */
export const jitter: TroubleMaker = ({ text, amount }) => ({
  control: true,
  pass(parcel, { chance }) {
    const least = Math.max(0, parcel.due - amount - parcel.sent);
    const most = parcel.due + amount - parcel.sent;
    parcel.due = parcel.sent;
    return delayBy(parcel, least + chance() * (most - least), text);
  },
});
