// A chat room, to finish: everybody may come in, and nobody hears anything.
//
//     deno run --allow-net=127.0.0.1 start.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

const room = new Set<Deno.TcpConn>();
for await (const connection of listener) {
  room.add(connection);
  console.log(`${room.size} in the room. Who are they?`);
}
