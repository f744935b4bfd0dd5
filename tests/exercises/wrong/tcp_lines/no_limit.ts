// fails at 7: without a line feed
// Keeps whatever comes.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
for await (const connection of listener) serve(connection);

async function serve(connection: Deno.TcpConn) {
  let text = "";
  const texts = connection.readable.pipeThrough(new TextDecoderStream());
  const writer = connection.writable.getWriter();
  const send = (line: string) =>
    writer.write(new TextEncoder().encode(`${[...line].length}\n`));
  for await (const piece of texts) {
    const lines = (text + piece).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) await send(line.replace(/\r$/, ""));
  }
  if (text) await send(text);
  await writer.close();
}
