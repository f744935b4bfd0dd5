// fails at 4: One got other bytes back
// All clients read into the same buffer.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
const buffer = new Uint8Array(1024);
for await (const connection of listener) serve(connection);

async function serve(connection: Deno.TcpConn) {
  try {
    while (true) {
      const length = await connection.read(buffer);
      if (length === null) break;
      await new Promise((resolve) => setTimeout(resolve, 1)); // "work"
      let sent = 0;
      while (sent < length) {
        sent += await connection.write(buffer.subarray(sent, length));
      }
    }
    connection.close();
  } catch {
    // gone
  }
}
