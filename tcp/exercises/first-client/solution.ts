// A client: says a line, prints all that the server answers.
//
//     deno run --allow-net=127.0.0.1 solution.ts 12345
const port = Number(Deno.args[0] ?? 12345);
using connection = await Deno.connect({ hostname: "127.0.0.1", port });
await connection.write(new TextEncoder().encode("Hello from client!\n"));

// The answer may come in many pieces. It is over when the server ends its side,
// and read() tells us so with null.
const buffer = new Uint8Array(4096);
const decoder = new TextDecoder();
let answer = "";
while (true) {
  const length = await connection.read(buffer);
  if (length === null) break;
  // A piece may end inside a character. With `stream` the decoder keeps that
  // half and puts it before the next piece.
  answer += decoder.decode(buffer.subarray(0, length), { stream: true });
}
if (answer === "") {
  console.error("The server left without an answer.");
  Deno.exit(1);
}
console.log(answer);
