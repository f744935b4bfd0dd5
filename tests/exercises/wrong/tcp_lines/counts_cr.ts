// fails at 5: CR LF
// Knows one kind of line end, and forgets the last line.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
for await (const connection of listener) {
  let text = "";
  const texts = connection.readable.pipeThrough(new TextDecoderStream());
  const writer = connection.writable.getWriter();
  for await (const piece of texts) {
    const lines = (text + piece).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      await writer.write(new TextEncoder().encode(`${[...line].length}\n`));
    }
  }
}
