/**
 * A program that uses the library, to be measured:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read library_server.ts PORT KIND WHAT
 *
 * KIND is iterative, concurrent or threads; WHAT is answer or compute.
 */
import {
  IterativeServer,
  MultithreadedServer,
} from "../../tcp/library/server.ts";
import Answer from "./protocols/answer.ts";
import Compute from "./protocols/compute.ts";

const [port, kind, what] = Deno.args;
const protocol = what === "compute" ? new Compute() : new Answer();
const module = import.meta.resolve(`./protocols/${what}.ts`);
const server = kind === "iterative"
  ? new IterativeServer(Number(port), protocol)
  : new MultithreadedServer(
    Number(port),
    kind === "threads" ? module : protocol,
  );
await server.listen();
