// An echo server, to change: it serves one client after the other.
//
//     deno run --allow-net=127.0.0.1 start.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

for await (const connection of listener) {
  await serve(connection);
}

/** Sends back what comes, until the client ends its side. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  for await (const bytes of connection.readable) {
    console.log(`${bytes.length} bytes came. Who is next?`);
  }
}
