import { testExercises } from "./trials.ts";

testExercises(
  "http/one-page",
  "http/paths",
  "http/keep-alive",
  "http/client",
);
