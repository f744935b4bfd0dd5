// fails at 2: Two askers asked in turns
// Answers once.
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
console.log("Waiting");
const [datagram, sender] = await socket.receive();
const answer = `${Date.now()} ${datagram.length}`;
await socket.send(new TextEncoder().encode(answer), sender);
await new Promise(() => setInterval(() => {}, 1000));
