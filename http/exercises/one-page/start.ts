// An HTTP server, to finish: it answers without having read the question.
//
//     deno run --allow-net=127.0.0.1 start.ts 8080
const port = Number(Deno.args[0] ?? 8080);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on http://127.0.0.1:${port}`);

for await (const connection of listener) {
  await connection.write(new TextEncoder().encode("<p>Hello!</p>"));
  connection.close();
}
