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
 * HTTP/2. It leaves to us what `Host` may be, and to go on after an accept
 * that failed. It sets a client that stalls no limit.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head><title>Mini Server</title>
<meta name="color-scheme" content="light dark"></head>
<body><main>
<h1>Hello!</h1>
</main></body>
</html>
`;
const HOST = /^(\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i;

addEventListener("unhandledrejection", explain);
const { host, port } = parseArgs(Deno.args, {
  string: ["host", "port"],
  default: { host: "127.0.0.1", port: "8080" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);

let server = listen(Number(port));
const { addr } = server;
console.log(`HTTP Server running on http://${nameOf(addr)}`);

// When accept() fails, for example because too many files are open, the server
// is finished. That passes: start another one on the same port.
while (true) {
  await server.finished.then(() => Deno.exit(), () => pause(100));
  try {
    server = listen(addr.port);
  } catch {
    // It has not passed yet.
  }
}

function listen(port: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: host, port, onListen() {} }, answer);
}

function answer({ method, headers, url }: Request): Response {
  // Where a request names no host, Deno puts "localhost" into its URL. (HTTP/2
  // names it elsewhere, and Deno knows that.)
  const name = headers.get("host");
  const valid = name === null
    ? !url.startsWith(`http://localhost:${addr.port}/`)
    : HOST.test(name);
  if (!valid) return refuse(400, "Bad Request");
  if (method === "CONNECT") return refuse(405, "Method Not Allowed");
  return new Response(PAGE, { headers: { "Content-Type": "text/html" } });
}

function refuse(status: number, text: string): Response {
  const page = PAGE.replace("Hello!", `${status} ${text}`);
  const headers = new Headers({ "Content-Type": "text/html" });
  if (status === 405) headers.set("Allow", "GET, HEAD, POST");
  return new Response(page, { status, headers });
}

/** Accepts nobody any more, and lets what is under way finish within 2 s. */
async function stop(): Promise<never> {
  server.shutdown(); // a client may stall, so this alone could take for ever
  await pause(2_000);
  Deno.exit();
}

/** An address to type: IPv6 in brackets, this machine in place of all. */
function nameOf({ hostname, port }: Deno.NetAddr): string {
  const host = hostname.replace(/^(0\.0\.0\.0|::)$/, "localhost");
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function usage(wrong: string): never {
  const line = "Usage: serve_http_server.ts [--host 127.0.0.1] [--port 8080]";
  if (wrong === "--help") console.log(line);
  else console.error(`Cannot use ${wrong}. ${line}`);
  Deno.exit(wrong === "--help" ? 0 : 2);
}

function explain(event: PromiseRejectionEvent): never {
  event.preventDefault(); // one line instead of a stack trace
  const { name, message } = event.reason;
  const inUse = " Stop the program that uses it, or pass another --port.";
  const advice = name === "AddrInUse" ? inUse : "";
  console.error(`Cannot serve on ${host} port ${port}: ${message}.${advice}`);
  Deno.exit(1);
}
