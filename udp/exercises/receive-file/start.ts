// Receives blocks of a file. Who tells the sender that they came?
//
//     deno run --unstable-net --allow-net=127.0.0.1 --allow-write=. start.ts 7000 received.bin
const [port = "7000", file = "received.bin"] = Deno.args;
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(port),
});
console.log(`Waiting for ${file} on port ${port}`);

for await (const [datagram] of socket) {
  console.log(`${datagram.length} bytes came. Which block is it?`);
}
