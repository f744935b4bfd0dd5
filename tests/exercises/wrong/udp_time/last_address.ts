// fails at 2: Two askers asked in turns
// Answers the first one that ever asked.
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Waiting");
let asker: Deno.Addr | undefined;
for await (const [datagram, sender] of socket) {
  asker ??= sender;
  const answer = `${Date.now()} ${datagram.length}`;
  await socket.send(new TextEncoder().encode(answer), asker);
}
