// fails at 5: One client vanished, and
// Nobody catches what goes wrong with one connection.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
for await (const connection of listener) serve(connection);

async function serve(connection: Deno.TcpConn) {
  const buffer = new Uint8Array(16_384);
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) break;
    let sent = 0;
    while (sent < length) {
      sent += await connection.write(buffer.subarray(sent, length));
    }
  }
  connection.close();
}
