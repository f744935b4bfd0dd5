// An HTTP server that closes after each answer. The client had more to ask.
//
//     deno run --allow-net=127.0.0.1 start.ts 8080
const port = Number(Deno.args[0] ?? 8080);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on http://127.0.0.1:${port}`);

for await (const connection of listener) {
  const buffer = new Uint8Array(16_384);
  const length = await connection.read(buffer) ?? 0;
  const text = new TextDecoder().decode(buffer.subarray(0, length));
  const [method, path] = text.split(" ");
  const body = `${method} ${path}`;
  await connection.write(new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ));
  connection.close();
}
