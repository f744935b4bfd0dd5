import { delayBy, type TroubleMaker } from "./trouble.ts";

/** It arrives later. */
export const delay: TroubleMaker = ({ text, amount }) => ({
  control: true,
  pass: (parcel) => delayBy(parcel, amount, text),
});
