import { testExercises } from "./trials.ts";

testExercises(
  "udp/sliding-window",
  "udp/how-long-to-wait",
);
