import { testExercises } from "./trials.ts";

testExercises(
  "tcp/length",
  "tcp/patience",
  "tcp/chat-room",
  "tcp/library/cash-machine",
);
