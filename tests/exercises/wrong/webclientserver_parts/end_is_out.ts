// fails at 2: Range: bytes=0-4
// Leaves the last byte of a range out.
const [port = "8080", file = "letters.txt"] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
}, answer);

async function answer({ headers: asked }: Request): Promise<Response> {
  const bytes = await Deno.readFile(file);
  const { mtime } = await Deno.stat(file);
  // HTTP's dates have whole seconds. So the file's time must have, too.
  const changed = Math.floor((mtime?.getTime() ?? 0) / 1000) * 1000;
  const tag = `"${bytes.length}-${changed}"`;
  const headers = new Headers({
    "accept-ranges": "bytes",
    "content-type": "text/plain; charset=utf-8",
    "etag": tag,
    "last-modified": new Date(changed).toUTCString(),
  });
  if (hasIt(asked, tag, changed)) {
    return new Response(null, { status: 304, headers });
  }

  const size = bytes.length;
  const sameVersion = (asked.get("if-range") ?? tag) === tag;
  const range = sameVersion ? parse(asked.get("range") ?? "", size) : null;
  if (range === null) return new Response(bytes, { headers });
  const [from, to] = range;
  if (from > to) {
    headers.set("content-range", `bytes */${size}`);
    return new Response("no such part\n", { status: 416, headers });
  }
  headers.set("content-range", `bytes ${from}-${to}/${size}`);
  return new Response(bytes.slice(from, to), { status: 206, headers });
}

/** Whether the client has this version. The tag counts, if there is one. */
function hasIt(asked: Headers, tag: string, changed: number): boolean {
  const tags = asked.get("if-none-match");
  if (tags !== null) {
    const list = tags.split(",").map((each) => each.trim().replace(/^W\//, ""));
    return list.includes(tag) || tags === "*";
  }
  const since = Date.parse(asked.get("if-modified-since") ?? "");
  return changed <= since; // false if it is no date (NaN)
}

/**
 * The first and the last byte of a range; null if it is not understood. The first
 * is behind the last if there is no such part.
 */
function parse(range: string, size: number): [number, number] | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (first === "" && last === "") return null;
  if (first === "") { // the last so many bytes
    return [
      Number(last) === 0 ? size : Math.max(0, size - Number(last)),
      size - 1,
    ];
  }
  if (last !== "" && Number(last) < Number(first)) return null;
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return [Number(first), end];
}
