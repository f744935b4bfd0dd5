/**
 * Example of a server made with the library: says hello to whoever asks. The
 * partner of `client_main.ts`. `server.ts` must be in the same folder.
 *
 * Start it first:
 *
 *     deno run --allow-net=127.0.0.1 server_main.ts
 *
 * On the wire: a request comes in as UTF-8, up to the end that the client
 * announces; "Hello Client!" goes out, and the connection closes.
 */
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import {
  IterativeServer,
  MultithreadedServer,
  Server,
  ServerProtocol,
} from "./server.ts";

/** What to reply is all that a program has to say; here, it is always alike. */
export default class MyServerProtocol extends ServerProtocol {
  override processRequest(_message: string): string {
    return "Hello Client!";
  }
}

// Not when a MultithreadedServer loads this file for the protocol.
if (import.meta.main) await main();

async function main(): Promise<void> {
  const { host, port, class: name } = parseArgs(Deno.args, {
    string: ["host", "port", "class"],
    default: { host: "127.0.0.1", port: "1234", class: "MultithreadedServer" },
    unknown: usage,
  });
  if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
  const address = `${host} port ${port}`;
  addEventListener("unhandledrejection", (event) => explain(event, address));

  // How to serve is a choice among three: one request, one client after the
  // other, or many at a time. All three take the same protocol.
  const servers = { Server, IterativeServer, MultithreadedServer };
  const [, MyServer] = Object.entries(servers).find(([key]) => key === name) ??
    usage(`--class ${name}`);
  const server = new MyServer(Number(port), new MyServerProtocol());
  const close = () => server.close();
  Deno.addSignalListener("SIGINT", close);
  Deno.addSignalListener("SIGTERM", close);

  // This waits until the server has been stopped, or is done.
  await server.listen({ hostname: host });
  Deno.exit();
}

function usage(wrong: string): never {
  const line = "Usage: server_main.ts [--host 127.0.0.1] [--port 1234] " +
    `[--class Server|IterativeServer|MultithreadedServer]`;
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent, address: string): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  const inUse = " Stop the program that uses it, or pass another --port.";
  const advice = name === "AddrInUse" ? inUse : "";
  console.error(`Cannot serve on ${address}: ${message}.${advice}`);
  Deno.exit(1);
}
