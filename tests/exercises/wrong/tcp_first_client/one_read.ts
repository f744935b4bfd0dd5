// fails at 2: did not print the answer
// Takes what one read() returns for the whole answer.
const connection = await Deno.connect({ port: Number(Deno.args[0]) });
await connection.write(new TextEncoder().encode("Hello from client!\n"));
const buffer = new Uint8Array(200_000);
const length = await connection.read(buffer);
if (length === null) Deno.exit(1);
console.log(new TextDecoder().decode(buffer.subarray(0, length)));
connection.close();
