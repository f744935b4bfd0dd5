/**
 * Web server: serves the files of a folder, to browsers and to `web_client.ts`.
 *
 * Start it beside a folder `public`, then open http://127.0.0.1:8080/:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=public web_server.ts
 *
 * On the wire: HTTP. GET and HEAD are answered with a file, or a part of it, or
 * 304 if the browser has it already; a form with what the browser sent.
 *
 * `Deno.serve` waits for ever for a client that is silent or sends half a
 * request. Where strangers can connect, put a proxy with time limits before it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { extname, isAbsolute, join, relative } from "jsr:@std/path@1";

addEventListener("unhandledrejection", explain);
const { host, port, root, ...options } = parseArgs(Deno.args, {
  string: ["host", "port", "root"],
  boolean: ["exit-on-close"],
  default: { host: "127.0.0.1", port: "8080", root: "public" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());

const HOST = /^(\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i;
const DATE = // three forms: of today, of RFC 850, of C's asctime()
  /^(\w{3}, \d\d \w{3} \d{4}|\w+, \d\d-\w{3}-\d\d) [\d:]{8} GMT$|^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}$/;
// deno-fmt-ignore
const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8",
  ".gif": "image/gif", ".ico": "image/x-icon", ".jpg": "image/jpeg",
  ".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp",
  ".json": "application/json", ".pdf": "application/pdf",
  ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".wasm": "application/wasm",
};
const BYTES = "application/octet-stream";

const base = await Deno.realPath(root).catch((error) => {
  if (error.name !== "NotFound") throw error;
  console.error(`There is no folder ${root} here: every answer will be 404.`);
});
let server = listen(Number(port));
const { addr } = server;
const page = `http://${nameOf(addr)}/index.html`;
console.log(`Listening on port ${addr.port} ...
You can also connect from a real web browser by typing '${page}'.`);

// The server ends when it cannot accept a client, for example because too many
// files are open. So we start it again, until that works.
while (true) {
  await server.finished.then(() => Deno.exit(), () => pause(100));
  try {
    server = listen(addr.port);
  } catch {
    // We try again.
  }
}

function listen(port: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: host, port, onListen() {} }, serve);
}

/** Answers a request, and prints a line for it. */
async function serve(request: Request): Promise<Response> {
  // Deno makes a URL of Host (or "localhost") and the target in the first line.
  // Host must be valid, or "Host: x/style.css#" would choose another file.
  // (HTTP/2 names the host elsewhere, and Deno knows that.)
  const { method, headers, url } = request;
  const name = headers.get("host");
  const isValid = name === null
    ? !url.startsWith(`http://localhost:${addr.port}/`)
    : HOST.test(name);
  const target = isValid ? url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") : "?";
  const safe = target.replace(/[^!-~]/gu, encodeURIComponent);
  const response = await answer(request, safe).catch(explainToClient);
  console.log(`${method} ${safe} ${response.status}`);
  const wishes = options["exit-on-close"] && headers.get("connection");
  if (wishes && /(^|,)\s*close\s*(,|$)/i.test(wishes)) finish();
  return response;
}

async function answer(request: Request, target: string): Promise<Response> {
  const { method } = request;
  const [, path = "", query = ""] = /^(\/[^?#]*)([^#]*)/.exec(target) ?? [];
  if (target === "?") return reply(400, "Bad Request");
  const allow = path === "/form.html" ? "GET, HEAD, POST" : "GET, HEAD";
  if (!allow.split(", ").includes(method)) {
    return reply(405, "Method Not Allowed", { allow });
  }
  if (method === "POST") return await showForm(request);
  const name = decodeURIComponent(path); // throws at "%zz" and "%ff"
  if (name === "" || /[\\\0]/.test(name)) return reply(400, "Bad Request");
  // Nothing hidden and no way up: "/.git", "/../a", "//a". On Windows, "/a:b" is
  // another stream of the file "a".
  const odd = Deno.build.os === "windows" ? /\/[./]|:/ : /\/[./]/;
  if (!base || odd.test(name)) return reply(404, "File Not Found");

  // This is where all links lead. It must be inside of the root.
  const file = name.endsWith("/") ? `${name}index.html` : name;
  const real = Deno.realPathSync(join(base, file)), info = Deno.statSync(real);
  const inside = relative(base, real);
  const isInside = !/(^|[\\/])\./.test(inside) && !isAbsolute(inside);
  if (isInside && info.isFile) return respond(request, real);
  if (isInside && info.isDirectory && file === name) {
    // With "/folder" as address, a link to "a.html" would lead to "/a.html".
    return reply(301, "Moved Permanently", { location: `${path}/${query}` });
  }
  return reply(404, "File Not Found"); // also a pipe, which may never end
}

/** Answers with a file, as the conditions and the range of the request say. */
function respond(request: Request, path: string): Response {
  const file = Deno.openSync(path);
  const { ino, size, mtime, ctime } = file.statSync();
  // The ETag names this version of this file (RFC 9110, 8.8.3), as far as the
  // disk's clock can tell: some count whole seconds.
  const parts = [ino, size, mtime, ctime].map((part) => Number(part));
  const etag = `"${parts.map((part) => part.toString(36)).join("-")}"`;
  const changed = Math.min(Number(mtime), Date.now()); // not in the future
  const time = Math.floor(changed / 1000) * 1000;
  const { status, start, end } = select(request, etag, time, size);
  const headers = new Headers({
    "content-type": TYPES[extname(path).toLowerCase()] ?? BYTES,
    "last-modified": new Date(time).toUTCString(),
    "etag": etag,
    "accept-ranges": "bytes",
    "cache-control": "no-cache", // keep it, but ask us
  });
  const part = status === 206 ? `${start}-${end - 1}` : "*";
  const hasPart = status === 206 || status === 416;
  if (hasPart) headers.set("content-range", `bytes ${part}/${size}`);
  if (status < 300) headers.set("content-length", `${end - start}`);

  const init = { status, headers };
  if (request.method === "HEAD" || status >= 300) {
    file.close();
    return new Response(null, init);
  }
  file.seekSync(start, Deno.SeekMode.Start);
  // Deno sends an open file as fast as the client takes it, then closes it. If
  // the file grows meanwhile, Deno stops where content-length says.
  if (end - start > 65536) return new Response(file.readable, init);
  const bytes = new Uint8Array(end - start); // goes out together with its head
  file.readSync(bytes);
  file.close();
  return new Response(bytes, init);
}

/** The status, and which bytes from start to end (RFC 9110, 13.2.2). */
function select(request: Request, etag: string, time: number, size: number) {
  const { method, headers } = request;
  const whole = { status: 200, start: 0, end: size };
  const match = headers.get("if-match"), none = headers.get("if-none-match");
  const isOther = match !== null
    ? !lists(match, etag)
    : time > dateOf(headers.get("if-unmodified-since"));
  if (isOther) return { ...whole, status: 412 };
  const isKnown = none !== null
    ? lists(none, etag) || lists(none, `W/${etag}`)
    : time <= dateOf(headers.get("if-modified-since"));
  if (isKnown) return { ...whole, status: 304 };

  const range = headers.get("range")?.match(/^bytes=(\d*)-(\d*)$/i);
  const [, first = "", last = ""] = method === "GET" && range || [];
  const version = headers.get("if-range") ?? etag;
  // A date proves nothing in its own second: the file may change once more.
  const isSame = version === etag ||
    (dateOf(version) === time && Date.now() >= time + 1000);
  const isWrong = first && last && Number(first) > Number(last);
  if (first + last === "" || isWrong || !isSame) return whole;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last) + 1, size) : size;
  return { status: start < end ? 206 : 416, start, end };
}

/** Whether a list of tags names this one; "*" names each. */
function lists(list: string, etag: string): boolean {
  return list === "*" || list.split(/\s*,\s*/).includes(etag);
}

/** The time of a date; NaN if it is none. */
function dateOf(text: string | null): number {
  const date = new Date(`${text?.replace(" GMT", "")} GMT`);
  const day = Number(text?.match(/\d+/)); // 31 Feb is not 3 Mar
  return DATE.test(`${text}`) && date.getUTCDate() === day ? +date : NaN;
}

/** Answers a form with a page that shows what the browser sent. */
async function showForm({ headers, body }: Request): Promise<Response> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  // A browser listens after it has sent everything: so read all, keep 1 MiB.
  const write = (piece: Uint8Array<ArrayBuffer>) => {
    if ((size += piece.length) <= 1024 * 1024) pieces.push(piece);
  };
  const signal = AbortSignal.timeout(30_000);
  await body?.pipeTo(new WritableStream({ write }), { signal });
  if (size > 1024 * 1024) return reply(413, "Content Too Large");
  const fields = [...headers].map(([name, value]) => `${name}: ${value}`);
  const lines = (await new Blob(pieces).text()).split(/\r?\n/);
  const sent = ["POST /form.html", ...fields, "", ...lines];
  const page = `<!DOCTYPE html>
<html lang="en">
<meta name="viewport" content="width=device-width">
<title>What your browser sent</title>
<link rel="stylesheet" href="style.css">
<main>
<h1>What your browser sent</h1>
<pre class="ask"><code>${sent.map(escape).join("\n")}</code></pre>
<p><a href="form.html">Back to the form</a></p>
</main>
`;
  return reply(200, page, { "content-type": TYPES[".html"] });
}

/** Makes a stranger's text safe to show: it cannot command the page. */
function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD")
    .replace(/[&<>]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

function explainToClient({ name, code = "" }: Error & { code?: string }) {
  if (name === "URIError") return reply(400, "Bad Request");
  if (name === "TimeoutError") return reply(408, "Request Timeout");
  if (/^E[MN]FILE$/.test(code)) return reply(503, "Service Unavailable");
  return reply(404, "File Not Found");
}

function reply(status: number, text: string, headers = {}): Response {
  return new Response(text, { status, headers });
}

/** Ends as soon as what is on its way has arrived, or after 10 s. */
async function finish(): Promise<void> {
  console.log("Close request received. Server is closing...");
  await Promise.race([server.shutdown(), pause(10_000)]);
  Deno.exit();
}

function nameOf({ hostname, port }: Deno.NetAddr): string {
  const host = hostname.replace(/^(0\.0\.0\.0|::)$/, "localhost");
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function usage(wrong: string): never {
  const line = "Usage: web_server.ts [--host 127.0.0.1] [--port 8080] " +
    "[--root public] [--exit-on-close]";
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
