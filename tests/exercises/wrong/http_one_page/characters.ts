// fails at 1: After the answer there should be the end
// Counts characters.
const PAGE = new TextEncoder().encode(
  '<!DOCTYPE html>\n<html lang="en"><title>Hello</title><p>Grüße! 👋</p></html>\n',
);
const LIMIT_MS = 4_000;
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on http://127.0.0.1:${port}`);

while (true) {
  const connection = await listener.accept();
  serve(connection).catch(() => {}); // one that broke costs the others nothing
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  // Closing makes the read below fail, so that a silent client is given up.
  const timer = setTimeout(() => connection.close(), LIMIT_MS);
  const head = await readHead(connection);
  if (head !== null) await answer(connection, head);
  clearTimeout(timer);
  connection.close();
}

/** Reads up to the blank line, however it is cut; null if it never comes. */
async function readHead(connection: Deno.TcpConn): Promise<string | null> {
  const buffer = new Uint8Array(16_384);
  let size = 0;
  while (size < buffer.length) {
    const length = await connection.read(buffer.subarray(size));
    if (length === null) return null;
    size += length;
    const head = new TextDecoder().decode(buffer.subarray(0, size));
    if (head.includes("\r\n\r\n")) return head;
  }
  return null;
}

async function answer(connection: Deno.TcpConn, head: string): Promise<void> {
  const [line = ""] = head.split("\r\n");
  const isRequest = /^[A-Z]+ \/\S* HTTP\/1\.1$/.test(line);
  const body = isRequest ? PAGE : new TextEncoder().encode("Bad Request\n");
  const fields = [
    isRequest ? "HTTP/1.1 200 OK" : "HTTP/1.1 400 Bad Request",
    "Content-Type: text/html; charset=utf-8",
    `Content-Length: ${new TextDecoder().decode(body).length}`, // bytes, not characters
    "Connection: close",
    "\r\n",
  ];
  await send(connection, new TextEncoder().encode(fields.join("\r\n")));
  if (!line.startsWith("HEAD ")) await send(connection, body);
}

async function send(connection: Deno.TcpConn, bytes: Uint8Array) {
  let sent = 0;
  while (sent < bytes.length) {
    sent += await connection.write(bytes.subarray(sent));
  }
}
