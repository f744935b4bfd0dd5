// fails at 5: did not end its own
// Never looks for the end: read() returns null again and again.
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log("Listening");
for await (const connection of listener) {
  const buffer = new Uint8Array(65_536);
  while (true) {
    const length = await connection.read(buffer) ?? 0;
    let sent = 0;
    while (sent < length) {
      sent += await connection.write(buffer.subarray(sent, length));
    }
    if (length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
