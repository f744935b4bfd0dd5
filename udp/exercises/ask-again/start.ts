// Three questions are to be asked. What if a datagram is lost?
//
//     deno run --unstable-net --allow-net=127.0.0.1 start.ts 7000 red green blue
const [port = "7000", ...words] = Deno.args;
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: 0,
});
const server = { transport: "udp", hostname: "127.0.0.1", port: Number(port) };
console.error(`To ask: ${words.join(", ")}, at port ${server.port}`);
socket.close();
