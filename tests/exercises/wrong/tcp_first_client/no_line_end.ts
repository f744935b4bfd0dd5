// fails at 1: waited for the line
// Forgets the line feed, so that nobody knows that the question is over.
const connection = await Deno.connect({ port: Number(Deno.args[0]) });
await connection.write(new TextEncoder().encode("Hello from client!"));
console.log(await new Response(connection.readable).text());
