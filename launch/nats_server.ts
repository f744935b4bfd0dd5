/**
 * `deno task nats:server`: starts `nats-server`, a program that is not part of
 * this project, for this machine alone, with all options that it is given.
 *
 *     deno run --allow-run launch/nats_server.ts
 *
 * Its exit status is that of `nats-server`; 1 where there is none.
 */
import process from "node:process";

/** Debian puts it where only root's `PATH` leads. */
const PLACES = ["nats-server", "/usr/sbin/nats-server"];

let child: Deno.ChildProcess | null = null;
for (const place of PLACES) child ??= start(place);
if (!child) {
  console.error(
    "There is no nats-server here. Install it: apt install nats-server, " +
      "brew install nats-server, or https://nats.io/download.",
  );
  Deno.exit(1);
}
// Ctrl-C reaches it, too: it ends in good order, and then so do we.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => signal === "SIGINT" || child.kill(signal));
}
Deno.exit((await child.status).code);

function start(program: string): Deno.ChildProcess | null {
  try {
    const args = ["--addr", "127.0.0.1", ...Deno.args];
    return new Deno.Command(program, { args }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
