/**
 * A server program of a user: serve.ts CLASS MODULE [TIMEOUT [HOST]]. CLASS is one of
 * the three, or Threads for a MultithreadedServer that is given the module.
 */
import {
  IterativeServer,
  MultithreadedServer,
  Server,
} from "../../tcp/library/server.ts";
import Atm from "./atm.ts";
import Moods from "./moods.ts";

const [name, module = "", timeout = "30000", hostname = "127.0.0.1"] =
  Deno.args;
const protocol = module === "atm" ? new Atm() : new Moods();
const server = name === "Server"
  ? new Server(0, protocol)
  : name === "IterativeServer"
  ? new IterativeServer(0, protocol)
  : name === "MultithreadedServer"
  ? new MultithreadedServer(0, protocol)
  : new MultithreadedServer(0, new URL(`./${module}.ts`, import.meta.url));
await server.listen({ hostname, timeout: Number(timeout) });
console.log("Done.");
