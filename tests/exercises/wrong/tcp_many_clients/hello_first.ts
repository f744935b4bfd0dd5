// fails at 2: Number 3 spoke, and got no echo
// Waits for the first words of a client before it accepts the next.
const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Listening");
const waiting: Deno.TcpConn[] = [];
while (true) {
  const connection = await listener.accept();
  waiting.push(connection);
  if (waiting.length < 3 && await more()) continue;
  for (const each of waiting.splice(0)) {
    const buffer = new Uint8Array(16_384);
    const length = await each.read(buffer) ?? 0;
    await each.write(buffer.subarray(0, length));
    each.readable.pipeTo(each.writable).catch(() => {});
  }
}

async function more() {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return false;
}
