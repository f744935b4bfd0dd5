// fails at 2: /constructor
// An object knows more names than it was given.
const PAGES: Record<string, string> = {
  "/": "<p>home</p>\n",
  "/about": "<p>about</p>\n",
};
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on http://127.0.0.1:${port}`);

while (true) {
  const connection = await listener.accept();
  serve(connection).catch(() => {}).finally(() => connection.close());
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  let size = 0, head = "";
  while (!head.includes("\r\n\r\n") && size < buffer.length) {
    const length = await connection.read(buffer.subarray(size));
    if (length === null) return;
    size += length;
    head = new TextDecoder().decode(buffer.subarray(0, size));
  }
  const [status, body, more = ""] = answer(head);
  const bytes = new TextEncoder().encode(body);
  const fields = `HTTP/1.1 ${status}\r\n${more}` +
    "Content-Type: text/html; charset=utf-8\r\n" +
    `Content-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(fields));
  if (!head.startsWith("HEAD ")) await connection.write(bytes);
  // To close while bytes wait unread would be a reset. So we end our side, and
  // read on until the client has ended, too.
  await connection.closeWrite();
  while (await connection.read(buffer) !== null);
}

/** The status and the body for a head, perhaps with a field more. */
function answer(head: string): [string, string, string?] {
  const end = head.indexOf("\r\n\r\n");
  if (end < 0) return ["431 Request Header Fields Too Large", "too long\n"];
  const [line = "", ...fields] = head.slice(0, end).split("\r\n");
  const [, method, target] = /^([A-Z]+) (\/\S*) HTTP\/1\.1$/.exec(line) ?? [];
  const hosts = fields.filter((field) => /^host:/i.test(field));
  if (!method || !target || hosts.length !== 1) {
    return ["400 Bad Request", "not a request\n"];
  }
  let path: string;
  try {
    path = decodeURIComponent(target.replace(/\?.*/, ""));
  } catch {
    return ["400 Bad Request", "not an escape\n"];
  }
  const page = PAGES[path] ?? PAGES[path.slice(1)];
  if (page === undefined) return ["404 Not Found", "no such page\n"];
  if (method !== "GET" && method !== "HEAD") {
    return ["405 Method Not Allowed", "not here\n", "Allow: GET, HEAD\r\n"];
  }
  return ["200 OK", page];
}
