// fails at 2: Number 3 spoke, and got no echo
// The first client must leave before the second is served.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
for await (const connection of listener) {
  await connection.readable.pipeTo(connection.writable).catch(() => {});
}
