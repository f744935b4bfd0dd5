// fails at 1: did not end
// Does not look for the end.
const connection = await Deno.connect({ port: Number(Deno.args[0]) });
await connection.write(new TextEncoder().encode("Hello from client!\n"));
const buffer = new Uint8Array(1024);
while (true) {
  const length = await connection.read(buffer);
  if (length) console.log(new TextDecoder().decode(buffer.subarray(0, length)));
  else await new Promise((resolve) => setTimeout(resolve, 10));
}
