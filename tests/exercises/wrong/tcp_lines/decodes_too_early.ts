// fails at 4: byte by byte
// Decodes each read by itself, so that half characters become two others.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
for await (const connection of listener) {
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, length));
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      await connection.write(new TextEncoder().encode(`${[...line].length}\n`));
    }
  }
}
