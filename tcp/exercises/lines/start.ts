// Answers each message with its length. But is a read a message?
//
//     deno run --allow-net=127.0.0.1 start.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

for await (const connection of listener) serve(connection);

async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) break;
    const line = new TextDecoder().decode(buffer.subarray(0, length));
    await connection.write(new TextEncoder().encode(`${line.length}\n`));
  }
  connection.close();
}
