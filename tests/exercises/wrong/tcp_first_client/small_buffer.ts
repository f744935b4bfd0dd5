// fails at 4: did not print the answer
// Keeps no more than fits into its buffer.
const connection = await Deno.connect({ port: Number(Deno.args[0]) });
await connection.write(new TextEncoder().encode("Hello from client!\n"));
const buffer = new Uint8Array(1024);
let length = 0;
while (length < buffer.length) {
  const count = await connection.read(buffer.subarray(length));
  if (count === null) break;
  length += count;
}
if (length === 0) Deno.exit(1);
console.log(new TextDecoder().decode(buffer.subarray(0, length)));
connection.close();
