// A UDP server that tells everybody the time.
//
//     deno run --unstable-net --allow-net=127.0.0.1 solution.ts 7000
const port = Number(Deno.args[0] ?? 7000);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port,
});
console.log(`Waiting for datagrams on port ${port}`);

// Room for the largest datagram. What does not fit would be cut off.
const buffer = new Uint8Array(65_507);
while (true) {
  try {
    // The sender's address comes with each datagram: there is no connection
    // that would know it.
    const [datagram, sender] = await socket.receive(buffer);
    const answer = `${Date.now()} ${datagram.length}`;
    await socket.send(new TextEncoder().encode(answer), sender);
  } catch (error) {
    // Windows tells us here that somebody whom we answered is gone.
    console.error(error instanceof Error ? error.message : error);
  }
}
