// fails at 6: ended our side
// Answers at line feeds only.
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
      const { length } = [...line.replace(/\r$/, "")];
      await writer.write(new TextEncoder().encode(`${length}\n`));
    }
  }
  await writer.close();
}
