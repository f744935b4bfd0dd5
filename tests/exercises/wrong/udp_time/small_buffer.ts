// fails at 4: a large datagram
// Has room for 1,024 bytes.
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Waiting");
const buffer = new Uint8Array(1024);
while (true) {
  const [datagram, sender] = await socket.receive(buffer);
  const answer = `${Date.now()} ${datagram.length}`;
  await socket.send(new TextEncoder().encode(answer), sender);
}
