// An echo server: sends back every byte, until the client ends.
//
//     deno run --allow-net=127.0.0.1 solution.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

// One client after the other. accept() waits for the next one.
while (true) {
  const connection = await listener.accept();
  try {
    await echo(connection);
  } catch (error) {
    // This client vanished (a reset). The next one should not notice.
    console.log(`A client is gone: ${error}`);
  }
  connection.close();
}

/** Sends back what comes, until the client ends its side. */
async function echo(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) return; // the client's FIN
    // write() may take a part only. So we go on until it has taken all.
    let sent = 0;
    while (sent < length) {
      sent += await connection.write(buffer.subarray(sent, length));
    }
  }
}
