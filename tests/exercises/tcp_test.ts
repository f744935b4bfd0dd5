import { testExercises } from "./trials.ts";

testExercises(
  "tcp/first-client",
  "tcp/echo",
  "tcp/many-clients",
  "tcp/lines",
);
