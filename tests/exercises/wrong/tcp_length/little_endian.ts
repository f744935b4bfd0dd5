// fails at 1: the length 3 and "abc"
// The lowest byte first.
const LONGEST = 1_000_000;
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

while (true) {
  const connection = await listener.accept();
  serve(connection).catch(() => {}).finally(() => connection.close());
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  while (true) {
    const head = await read(connection, 4);
    if (head === null) return;
    const length = new DataView(head.buffer).getUint32(0, true);
    if (length > LONGEST) return; // a stranger does not decide about our memory
    const content = await read(connection, length);
    if (content === null) return; // half a message is none
    await write(connection, head);
    await write(connection, content.reverse());
  }
}

/** Reads so many bytes, however they are cut; null if the end comes before. */
async function read(connection: Deno.TcpConn, count: number) {
  const bytes = new Uint8Array(count);
  let have = 0;
  while (have < count) {
    const length = await connection.read(bytes.subarray(have));
    if (length === null) return null;
    have += length;
  }
  return bytes;
}

async function write(connection: Deno.TcpConn, bytes: Uint8Array) {
  let sent = 0;
  while (sent < bytes.length) {
    sent += await connection.write(bytes.subarray(sent));
  }
}
