// Answers each line with the number of its characters.
//
//     deno run --allow-net=127.0.0.1 solution.ts 7000
const LONGEST = 1_000_000;
const port = Number(Deno.args[0] ?? 7000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

while (true) {
  const connection = await listener.accept();
  serve(connection).catch(() => {}).finally(() => connection.close());
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  // What has come of a line, in pieces: a line feed ends it, no read does.
  let pieces: Uint8Array[] = [], size = 0;
  while (true) {
    const length = await connection.read(buffer);
    let rest = buffer.slice(0, length ?? 0);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      await answer(connection, [...pieces, rest.subarray(0, end)]);
      rest = rest.subarray(end + 1);
      pieces = [];
      size = 0;
    }
    if (rest.length > 0) pieces.push(rest);
    size += rest.length;
    if (size > LONGEST) return await refuse(connection);
    if (length === null) break;
  }
  if (size > 0) await answer(connection, pieces);
}

async function answer(connection: Deno.TcpConn, pieces: Uint8Array[]) {
  const bytes = new Uint8Array(
    await new Blob(pieces.map((p) => p.slice())).arrayBuffer(),
  );
  const line = new TextDecoder().decode(bytes).replace(/\r$/, "");
  await send(connection, `${[...line].length}\n`);
}

async function refuse(connection: Deno.TcpConn): Promise<void> {
  await send(connection, "too long\n");
  // To close while bytes wait unread would be a reset, and could destroy the
  // answer. So we end our side and read on until the client has ended, too.
  await connection.closeWrite();
  const buffer = new Uint8Array(65_536);
  while (await connection.read(buffer) !== null);
}

async function send(connection: Deno.TcpConn, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}
