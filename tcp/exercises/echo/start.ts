// An echo server, to finish: it answers only the first read of one client.
//
//     deno run --allow-net=127.0.0.1 start.ts 7000
const port = Number(Deno.args[0] ?? 7000);
using listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

using connection = await listener.accept();
const buffer = new Uint8Array(1024);
const length = await connection.read(buffer);
console.log(`${length} bytes came. What should go back, and what then?`);
