// A broker, to finish: requests go to the server. And the answers?
//
//     deno run --unstable-net --allow-net=127.0.0.1 start.ts 7000 7001
const [port = "7000", serverPort = "7001"] = Deno.args;
const hostname = "127.0.0.1", transport = "udp";
const clients = Deno.listenDatagram({
  transport,
  hostname,
  port: Number(port),
});
console.log(`Waiting for requests on port ${port}`);

const server = { transport, hostname, port: Number(serverPort) } as const;
for await (const [datagram, client] of clients) {
  await clients.send(datagram, server);
  const { port } = client as Deno.NetAddr;
  console.log(`Port ${port} asked. How will its answer find it?`);
}
