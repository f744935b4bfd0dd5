// A client, to finish: it connects, and that is all.
//
//     deno run --allow-net=127.0.0.1 start.ts 12345
const port = Number(Deno.args[0] ?? 12345);
using connection = await Deno.connect({ hostname: "127.0.0.1", port });
const { hostname, port: theirs } = connection.remoteAddr;
console.log(`Connected to ${hostname}:${theirs}. And now?`);
