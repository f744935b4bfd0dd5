// fails at 3: of no bytes
// Takes an empty datagram for an end, as with TCP.
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Waiting");
const buffer = new Uint8Array(65_507);
while (true) {
  const [datagram, sender] = await socket.receive(buffer);
  if (datagram.length === 0) break;
  const answer = `${Date.now()} ${datagram.length}`;
  await socket.send(new TextEncoder().encode(answer), sender);
}
