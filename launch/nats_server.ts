/**
 * `deno task nats:server`: starts `nats-server`, a program that is not part of
 * this project, for this machine alone, with all options that it is given.
 *
 *     deno run --allow-run launch/nats_server.ts
 *
 * Its exit status is that of `nats-server`; 1 where there is none.
 */
import process from "node:process";
import { startWhereFound } from "./programs/places.ts";

const args = ["--addr", "127.0.0.1", ...Deno.args];
const child = startWhereFound(
  "nats-server",
  (place) => new Deno.Command(place, { args }).spawn(),
);
if (!child) {
  console.error(
    "There is no nats-server here. Install it: apt install nats-server, " +
      "brew install nats-server, or https://nats.io/download.",
  );
  Deno.exit(1);
}
// Ctrl-C reaches it, too: it ends in good order, and then so do we.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    try {
      if (signal !== "SIGINT") child.kill(signal);
    } catch {
      // It has just ended. Windows then says that one may not.
    }
  });
}
Deno.exit((await child.status).code);
