import { testExercises } from "./trials.ts";

testExercises(
  "webclientserver/parts",
  "broker/by-number",
  "incrementer/crash-log",
);
