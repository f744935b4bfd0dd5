// fails at 6: ended our side
// Answers at line feeds only.
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log("Listening");
for await (const connection of listener) serve(connection);

async function serve(connection: Deno.TcpConn) {
  const buffer = new Uint8Array(65_536), decoder = new TextDecoder();
  const send = (line: string) =>
    connection.write(new TextEncoder().encode(`${[...line].length}\n`));
  let text = "";
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) break;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) await send(line.replace(/\r$/, ""));
  }
  connection.close();
}
