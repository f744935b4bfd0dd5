/**
 * A program that uses the library, to be attacked:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read library_server.ts PORT KIND
 *
 * KIND is iterative, concurrent or threads.
 */
import {
  IterativeServer,
  MultithreadedServer,
} from "../../tcp/library/server.ts";
import Trouble from "./trouble.ts";

const [port, kind] = Deno.args;
const module = import.meta.resolve("./trouble.ts");
const server = kind === "iterative"
  ? new IterativeServer(Number(port), new Trouble())
  : new MultithreadedServer(
    Number(port),
    kind === "threads" ? module : new Trouble(),
  );
// A busy machine may need longer than 20 ms between two pieces of a request.
await server.listen({ quiet: 5_000 });
