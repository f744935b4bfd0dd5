// Asks for the time. How long should it wait?
//
//     deno run --allow-net=127.0.0.1 start.ts 7000
const port = Number(Deno.args[0] ?? 7000);
using connection = await Deno.connect({ hostname: "127.0.0.1", port });
console.error("Connected. The question, and the answer, are still to come.");
await connection.read(new Uint8Array(100));
