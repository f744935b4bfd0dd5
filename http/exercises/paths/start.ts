// An HTTP server with one page for everybody. Which one did they ask for?
//
//     deno run --allow-net=127.0.0.1 start.ts 8080
const port = Number(Deno.args[0] ?? 8080);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on http://127.0.0.1:${port}`);

for await (const connection of listener) {
  await connection.read(new Uint8Array(16_384));
  const page = "<p>welcome</p>";
  await connection.write(new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
  ));
  connection.close();
}
