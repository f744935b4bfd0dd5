// fails at 6: second client got no echo
// accept() stands outside of the loop.
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log("Listening");
const connection = await listener.accept();
await connection.readable.pipeTo(connection.writable);
