// fails at 2: not the one that we sent
// Writes whatever comes.
const [port = "7000", file = "received.bin"] = Deno.args;
const BLOCK = 512, LINGER_MS = 1_000;
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(port),
});
console.log(`Waiting for ${file} on port ${port}`);

const output = Deno.openSync(file, {
  create: true,
  write: true,
  truncate: true,
});
let sender: string | undefined; // who sent block 1
let have = 0; // so many blocks are in the file
let farewell: ReturnType<typeof setTimeout> | undefined;

while (true) {
  const [datagram, from] = await receive();
  if (datagram.length < 5 || datagram[0] !== "D".charCodeAt(0)) continue;
  const number = new DataView(datagram.buffer, datagram.byteOffset).getUint32(
    1,
  );
  const name = JSON.stringify(from);
  if (sender === undefined && number === 1) sender = name;
  if (name !== sender) continue; // a stranger

  if (number === have + 1 || number === have) {
    output.writeSync(datagram.subarray(5));
    have = number;
  }
  if (number > have) continue; // the one before is still to come
  // Also for a block that we had: its acknowledgement was lost, perhaps.
  const answer = new Uint8Array(5);
  answer[0] = "A".charCodeAt(0);
  new DataView(answer.buffer).setUint32(1, number);
  await socket.send(answer, from);

  // The last word may get lost. So we stay until nobody asks for it any more.
  if (number === have && datagram.length - 5 < BLOCK) {
    clearTimeout(farewell);
    farewell = setTimeout(() => Deno.exit(0), LINGER_MS);
  }
}

/** The next datagram; Windows says here that somebody is gone. */
async function receive(): Promise<[Uint8Array, Deno.Addr]> {
  while (true) {
    try {
      return await socket.receive();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }
}
