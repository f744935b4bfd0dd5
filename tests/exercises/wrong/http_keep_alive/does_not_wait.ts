// fails at 4: a part of a body, and an answer
// Does not wait for the body.
const MOST = 200_000;
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on http://127.0.0.1:${port}`);

while (true) {
  const connection = await listener.accept();
  serve(connection).catch(() => {}).finally(() => connection.close());
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  // What has come and was not answered. A request may be a part of it, or
  // several may be in it.
  let have = new Uint8Array(0);
  const buffer = new Uint8Array(16_384);
  const more = async () => {
    const length = await connection.read(buffer);
    if (length === null || have.length > MOST) return false;
    have = Uint8Array.from([...have, ...buffer.subarray(0, length)]);
    return true;
  };
  while (true) {
    let end = blankLine(have);
    while (end < 0) {
      if (!await more()) return;
      end = blankLine(have);
    }
    const head = new TextDecoder().decode(have.subarray(0, end));
    const [line = "", ...fields] = head.split("\r\n");
    const [method, path] = line.split(" ");
    const size = valueOf(fields, "content-length") ?? "0";
    if (!/^\d+$/.test(size)) {
      return await send(connection, "400 Bad Request", "no length");
    }
    const whole = end + 4 + Number(size);
    have = have.slice(whole); // the next request begins here
    const isGet = method === "GET";
    await send(connection, "200 OK", isGet ? `GET ${path}` : `POST ${size}`);
    const last = valueOf(fields, "connection")?.toLowerCase() === "close";
    if (last) return;
  }
}

/** Where the blank line begins; -1 if it has not come. */
function blankLine(bytes: Uint8Array): number {
  return new TextDecoder("latin1").decode(bytes).indexOf("\r\n\r\n");
}

/** The value of a field, whose name may be in any letter case. */
function valueOf(fields: string[], name: string): string | undefined {
  const field = fields.find((field) =>
    field.toLowerCase().startsWith(`${name}:`)
  );
  return field?.slice(name.length + 1).trim();
}

async function send(connection: Deno.TcpConn, status: string, body: string) {
  const text = `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  await connection.write(new TextEncoder().encode(text));
}
