// fails at 3: did not print the answer
// Decodes each piece by itself.
const connection = await Deno.connect({ port: Number(Deno.args[0]) });
await connection.write(new TextEncoder().encode("Hello from client!\n"));
let text = "";
for await (const bytes of connection.readable) {
  text += new TextDecoder().decode(bytes);
}
if (text === "") Deno.exit(1);
console.log(text);
