// An echo server where nobody waits for anybody.
//
//     deno run --allow-net=127.0.0.1 solution.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

// Without `await`, serve() runs up to its first wait. Then we are back here, at
// accept(), and the event loop goes on with whoever has something to do.
while (true) {
  const connection = await listener.accept();
  serve(connection);
}

/** Sends back what comes, until the client ends its side. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384); // of this client alone
  try {
    while (true) {
      const length = await connection.read(buffer);
      if (length === null) break; // the client's FIN
      let sent = 0;
      while (sent < length) {
        sent += await connection.write(buffer.subarray(sent, length));
      }
    }
  } catch {
    // This client has vanished. Nobody else should notice.
  }
  connection.close();
}
