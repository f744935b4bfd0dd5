// Turns messages around. But these messages have no line end.
//
//     deno run --allow-net=127.0.0.1 start.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

for await (const connection of listener) serve(connection);

async function serve(connection: Deno.TcpConn): Promise<void> {
  let text = "";
  for await (const bytes of connection.readable) {
    text += new TextDecoder().decode(bytes);
    if (text.includes("\n")) console.log("A line! But where is its length?");
  }
}
