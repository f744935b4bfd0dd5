// fails at 2: "one", "three" and an empty line
// One read is one message.
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
    const line = new TextDecoder().decode(buffer.subarray(0, length)).trim();
    await connection.write(new TextEncoder().encode(`${[...line].length}\n`));
  }
}
