// fails at 3: a part of a line, and an answer came
// Splits each read into lines, and takes its last part for a line.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
for await (const connection of listener) {
  const buffer = new Uint8Array(65_536);
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) break;
    const text = new TextDecoder().decode(buffer.subarray(0, length));
    const lines = text.replace(/\n$/, "").split("\n");
    const answer = lines.map((line) => `${[...line].length}\n`).join("");
    await connection.write(new TextEncoder().encode(answer));
  }
}
