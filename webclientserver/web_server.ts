/**
 * Web server: serves the files of a folder, to browsers and to `web_client.ts`.
 *
 * Start it beside a folder `public`, then open http://127.0.0.1:8080/:
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=public web_server.ts
 *
 * On the wire: HTTP. GET and HEAD are answered with a file: whole, or the part
 * asked for, or 304 if the browser has it already.
 *
 * `Deno.serve` never gives up on a connection that is silent, half-sent or
 * idle. Where strangers can connect, put a proxy with time limits in front of
 * it (nginx, Caddy). The raw servers in `http/` have such limits themselves.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "jsr:@std/cli@1/parse-args";
import { extname, isAbsolute, join, relative } from "jsr:@std/path@1";

addEventListener("unhandledrejection", explain);
const { host: hostname, port, root, ...options } = parseArgs(Deno.args, {
  string: ["host", "port", "root"],
  boolean: ["exit-on-close"],
  default: { host: "127.0.0.1", port: "8080", root: "public" },
  unknown: usage,
});
if (!/^\d+$/.test(port) || Number(port) > 65535) usage(`--port ${port}`);
Deno.addSignalListener("SIGINT", () => Deno.exit());
Deno.addSignalListener("SIGTERM", () => Deno.exit());
addEventListener("unload", flush);

const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".gif": "image/gif",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
};
type Version = NonNullable<ReturnType<typeof look>>;
const looks = new Map<string, Version>();
/** A version of a file in memory, as the answer to who wants all of it. */
interface Copy {
  tag: string;
  size: number;
  response: Response;
}
const memory = new Map<string, Copy>();
const PADDING = "-".repeat(2048);
let used = 0, served = 0, lines: string[] = [];

let step = `serve ${root}`;
const folder = await Deno.stat(root).catch((error) => {
  if (error.name !== "NotFound") throw error;
  console.error(`There is no folder ${root} yet: every answer will be 404.`);
});
if (folder?.isDirectory === false) throw new Error("It is not a folder");
step = `listen on ${hostname}:${port}`;
const where = { hostname, port: Number(port), onListen() {} };
const server = Deno.serve(where, ({ method, url, headers }) => {
  const target = url.slice(url.indexOf("/", 8));
  const response = answer(method, target, headers);
  print(`${method} ${target} ${response.status}`);
  const wishes = options["exit-on-close"] && headers.get("connection");
  if (wishes && /(^|,)\s*close\s*(,|$)/i.test(wishes)) finish();
  return response;
});
const page = `http://${hostname}:${server.addr.port}/index.html`;
console.log(`Listening on port ${server.addr.port} ...
You can also connect from a real web browser by typing '${page}'.`);

function answer(method: string, target: string, headers: Headers): Response {
  const allow = "GET, HEAD";
  const refuse = (status: number, text: string) =>
    new Response(text, { status, headers: status === 405 ? { allow } : {} });
  if (method !== "GET" && method !== "HEAD") {
    return refuse(405, "Method Not Allowed");
  }
  for (let tries = 0; tries < 10; tries++) {
    // One look serves all requests of one turn of the event loop: they had all
    // arrived when it began, so none gets less than what was true by then.
    let file = looks.get(target);
    if (!file) {
      const path = target.replace(/[?#].*/s, "");
      const name = attempt(() => decodeURIComponent(path));
      if (name === null) return refuse(400, "Bad Request"); // "%zz", "%ff"
      file = attempt(() => look(name)) ?? undefined;
      if (!file) return refuse(404, "File Not Found");
      if (looks.size === 0) setImmediate(() => looks.clear());
      looks.set(target, file);
    }
    const response = attempt(() => respond(method, headers, file));
    if (response !== null) return response;
    looks.delete(target); // it has changed since we looked: look again
  }
  return refuse(503, "Service Unavailable");
}

/** The file of this name as it is now; null, or an error, if there is none. */
function look(name: string) {
  // Nothing hidden, no way up, no tricks: "/.git", "/../a", "//a", "/a\\b", NUL.
  if (/\/\.|\/\/|[\\\0]/.test(name)) return null;
  let path = Deno.realPathSync(join(root, name)); // where all links lead
  let info = Deno.statSync(path);
  if (info.isDirectory) {
    path = Deno.realPathSync(join(path, "index.html"));
    info = Deno.statSync(path);
  } else if (name.endsWith("/")) return null;
  const inside = relative(Deno.realPathSync(root), path);
  if (/(^|[\\/])\./.test(inside) || isAbsolute(inside)) return null;
  if (!info.isFile) return null; // a pipe or a device may never end
  const { size } = info, tag = tagOf(info), time = Number(info.mtime);
  const changed = Math.max(time, Number(info.ctime));
  if (memory.get(path)?.tag !== tag) Deno.openSync(path).close(); // may we?
  const modified = new Date(Math.min(time, Date.now())).toUTCString();
  const ending = extname(path).toLowerCase();
  const type = TYPES[ending] ?? "application/octet-stream";
  return { path, size, time, changed, modified, tag, type };
}

/** Names this version of this file and no other (RFC 9110, 8.8.3). */
function tagOf({ size, mtime, ctime, ino }: Deno.FileInfo): string {
  // Briefly: a response of up to 512 bytes leaves in one piece.
  const parts = [ino ?? 0, size, Number(mtime), Number(ctime)];
  return `"${parts.map((part) => part.toString(36)).join("-")}"`;
}

/** Answers with a version of a file; null, or an error, if that is gone. */
function respond(method: string, headers: Headers, file: Version) {
  const { status, start, end } = weigh(method, headers, file);
  if (method === "HEAD" || status >= 300) {
    return compose(file, null, status, start, end);
  }
  if (status === 206 || file.size > 1024 * 1024) {
    const body = stream(file, start, end);
    return body && compose(file, body, status, start, end);
  }
  const response = read(file)?.clone() ?? null;
  // Deno.serve (2.9.6) sends head and body with two system calls, a third of all
  // its work, unless both fit into the connection's buffer: 512 bytes at first,
  // then as much as its longest head took. So let a head be long, now and then;
  // a prime number, lest of clients that take turns one always be the one.
  // Browsers, which say Connection: keep-alive, do not ask for that much.
  if (++served % 101 === 0 && !headers.has("connection")) {
    response?.headers.set("x-padding", PADDING);
  }
  return response;
}

/** Puts an answer together, with what lets a browser keep it and ask again. */
function compose(
  { type, modified, tag, size }: Version,
  body: BodyInit | null,
  status = 200,
  start = 0,
  end = size,
): Response {
  const headers: Record<string, string> = {
    "content-type": type,
    "last-modified": modified,
    "etag": tag,
    "accept-ranges": "bytes",
    "cache-control": "no-cache", // keep it, but ask us
  };
  if (status === 206 || status === 416) {
    const bytes = start < end ? `${start}-${end - 1}` : "*";
    headers["content-range"] = `bytes ${bytes}/${size}`;
  }
  if (status < 300) headers["content-length"] = `${end - start}`;
  return new Response(body, { status, headers });
}

/** What a request comes to: a status, and which bytes (RFC 9110, 13 and 14). */
function weigh(method: string, headers: Headers, file: Version) {
  const { size, time, tag, modified } = file;
  const tags = headers.get("if-none-match");
  const date = headers.get("if-modified-since")?.replace(/ GMT$/, "") ?? "";
  const isDate = /^[A-Z][a-z]+,? .* \d\d:\d\d:\d\d( \d{4})?$/.test(date);
  const has = tags === null
    ? isDate && Date.parse(`${date} GMT`) >= time - time % 1000
    : tags === "*" || tags.includes(tag);
  const all = { status: has ? 304 : 200, start: 0, end: size };

  const range = headers.get("range")?.match(/^bytes=(\d*)-(\d*)$/i);
  const [, first = "", last = ""] = range ?? [];
  const isOurs = [tag, modified].includes(headers.get("if-range") ?? tag);
  if (has || method !== "GET" || !isOurs || first + last === "") return all;
  if (first && last && Number(last) < Number(first)) return all;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last) + 1, size) : size;
  return { status: start < end ? 206 : 416, start, end };
}

/** A version as a response, from memory if it can be; null if it is gone. */
function read(file: Version): Response | null {
  const { path, size, tag, changed } = file;
  const known = memory.get(path);
  if (known?.tag === tag) return known.response;
  // Two equal readings and no sign of a change: nobody wrote meanwhile.
  const bytes = Deno.readFileSync(path), again = Deno.readFileSync(path);
  const isSame = Buffer.compare(bytes, again) === 0;
  if (!isSame || tagOf(Deno.statSync(path)) !== tag) return null;
  const text = new TextDecoder().decode(bytes);
  const isAscii = text.length === size && !text.includes("\uFFFD");
  const body = isAscii ? text : bytes; // a string is sent faster
  const response = compose(file, body);
  // Two changes at almost the same time may look alike: keep what is older.
  if (Date.now() - changed > 1500) {
    used += size - (known?.size ?? 0);
    if (used > 64 * 1024 * 1024) memory.clear(), used = size;
    memory.set(path, { tag, size, response });
  }
  return response;
}

/** Reads as the client takes; breaks off if somebody writes into the file. */
function stream(
  { path, size, time, tag }: Version,
  start: number,
  end: number,
) {
  const source = Deno.openSync(path);
  const isSame = tagOf(source.statSync()) === tag;
  source.seekSync(start, Deno.SeekMode.Start);
  async function* pieces() {
    using file = source;
    while (start < end) {
      const piece = new Uint8Array(Math.min(end - start, 65536));
      const count = await file.read(piece);
      const now = await file.stat();
      if (!count || now.size !== size || Number(now.mtime) !== time) return;
      start += count;
      yield piece.subarray(0, count);
    }
  }
  if (isSame) return ReadableStream.from(pieces());
  return source.close(), null;
}

function print(line: string): void {
  if (lines.push(line) === 1) setTimeout(flush, 20); // each alone takes longer
}

function flush(): void {
  const text = lines.join("\n").replace(/[^ -~\n]/g, encodeURIComponent);
  if (lines.length > 0) console.log(text);
  lines = [];
}

/** Ends as soon as what is on its way has arrived. */
async function finish(): Promise<void> {
  print("Close request received. Server is closing...");
  await Promise.race([server.shutdown(), pause(30_000)]);
  Deno.exit();
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
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
  const advice = name === "AddrInUse"
    ? " Stop the program that uses it, or pass another --port."
    : "";
  console.error(`Cannot ${step}: ${message}.${advice}`);
  Deno.exit(1);
}
