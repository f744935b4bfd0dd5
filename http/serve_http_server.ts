/**
 * HTTP server on `Deno.serve`: the page of `http_server.ts` for many clients at
 * a time.
 *
 * Start it, then open the address that it prints in a browser:
 *
 *     deno run --allow-net=127.0.0.1 serve_http_server.ts
 *
 * The runtime now does what the other two do by hand: accept, put a head
 * together however TCP cuts it, refuse what is not HTTP or too large (400),
 * write the answer's head, leave the page out for HEAD, close without a reset.
 * It also keeps connections open for more requests, takes bodies, and speaks
 * HTTP/2. One thing it leaves to us: it sets a client that stalls no limit.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

const PAGE = `<html>
<head><title>Mini Server</title></head>
<body>
<h1>Hello!</h1>
</body>
</html>
`;

addEventListener("unhandledrejection", explain);
const { host: hostname, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "8080" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    // Accepts nobody any more and lets what is under way finish, but not for
    // ever: a client may stall.
    await Promise.race([server.shutdown(), pause(2_000)]);
    Deno.exit();
  });
}

const step = `listen on ${hostname}:${port}`;
const server = Deno.serve({
  hostname,
  port: Number(port),
  onListen({ port }) {
    console.log(`HTTP Server running on http://${hostname}:${port}`);
  },
}, () => new Response(PAGE, { headers: { "Content-Type": "text/html" } }));

function usage(wrong: string): never {
  const line = "Usage: serve_http_server.ts [--host 127.0.0.1] [--port 8080]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  const advice = name === "AddrInUse"
    ? " Stop the program that uses it, or pass another --port."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
