// fails at 3: others came back
// Decodes the bytes and sends the text back.
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log("Listening");
for await (const connection of listener) {
  const buffer = new Uint8Array(1024);
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) break;
    const text = new TextDecoder().decode(buffer.subarray(0, length));
    await connection.write(new TextEncoder().encode(text));
  }
  connection.close();
}
