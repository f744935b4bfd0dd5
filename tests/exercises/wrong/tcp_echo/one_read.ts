// fails at 2: "two" did not come back
// Reads once, answers, and waits for the next client.
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log("Listening");
while (true) {
  const connection = await listener.accept();
  const buffer = new Uint8Array(1024);
  const length = await connection.read(buffer);
  if (length !== null) await connection.write(buffer.subarray(0, length));
}
