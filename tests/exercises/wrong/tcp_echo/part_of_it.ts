// fails at 4: not all of them
// Does not look at how many bytes write() has taken.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
for await (const connection of listener) {
  const buffer = new Uint8Array(4_000_000);
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) break;
    await connection.write(buffer.subarray(0, Math.min(length, 8_192)));
  }
  connection.close();
}
