import { testExercises } from "./trials.ts";

testExercises(
  "udp/time",
  "udp/ask-again",
  "udp/receive-file",
  "udp/send-file",
);
