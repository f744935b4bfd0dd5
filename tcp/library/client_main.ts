/**
 * Example of a client made with the library: says hello, prints the response.
 * The partner of `server_main.ts`. `client.ts` must be in the same folder.
 *
 * With the server running:
 *
 *     deno run --allow-net=127.0.0.1 client_main.ts
 *
 * On the wire: "Hello Server!" goes out as UTF-8, the client closes its sending
 * side, the server's text comes in, and the server closes the connection.
 */
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { Client, ClientProtocol } from "./client.ts";

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "1234" },
  unknown: usage,
});
if (!/^[1-9]\d*$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
if (/^[0.:]+$/.test(host)) usage(`--host ${host}, it is for servers`);

// What to ask, and what to do with the reply, is all that a program has to say.
class MyClientProtocol extends ClientProtocol {
  override prepareRequest(): string {
    return "Hello Server!";
  }

  override processReply(message: string): void {
    const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu; // may command a terminal
    console.log("Response:", message.replace(control, "\uFFFD"));
  }
}

// The client connects, sends the request, takes the reply and closes.
await new Client(host, Number(port), new MyClientProtocol()).open();

function usage(wrong: string): never {
  const line = "Usage: client_main.ts [--host 127.0.0.1] [--port 1234]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  console.error(event.reason.message);
  Deno.exit(1);
}
