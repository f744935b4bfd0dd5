// A UDP server, to finish: it listens, and answers nobody.
//
//     deno run --unstable-net --allow-net=127.0.0.1 start.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port,
});
console.log(`Waiting for datagrams on port ${port}`);

const [datagram] = await socket.receive();
console.log(`${datagram.length} bytes came. From whom? Answer them.`);
