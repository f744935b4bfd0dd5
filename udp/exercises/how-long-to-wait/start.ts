// Sends a file. It always waits 0.3 s: too short for some networks.
//
//     deno run --unstable-net --allow-net=127.0.0.1 --allow-read=. start.ts 7000 FILE
const [port = "7000", file = "start.ts"] = Deno.args;
const BLOCK = 512, TRIES = 4;
const hostname = "127.0.0.1", transport = "udp";
const receiver = { transport, hostname, port: Number(port) } as const;
const socket = Deno.listenDatagram({ transport, hostname, port: 0 });
const bytes = await Deno.readFile(file);

const wait = 300; // in ms
let waitingFor = 0; // the number of the block that is under way
let acknowledged = () => {};
takeAcknowledgements();

for (let number = 1, at = 0; at <= bytes.length; number++, at += BLOCK) {
  await deliver(number, bytes.subarray(at, at + BLOCK));
}
Deno.exit(0);

/** Sends a block until it is acknowledged. */
async function deliver(number: number, content: Uint8Array): Promise<void> {
  const block = new Uint8Array(5 + content.length);
  block[0] = "D".charCodeAt(0);
  new DataView(block.buffer).setUint32(1, number);
  block.set(content, 5);

  const { promise, resolve } = Promise.withResolvers<void>();
  acknowledged = resolve;
  waitingFor = number;
  for (let tries = 1; tries <= TRIES; tries++) {
    await socket.send(block, receiver);
    if (await within(wait, promise)) return;
  }
  console.error(`Nobody acknowledged block ${number}, sent ${TRIES} times.`);
  Deno.exit(1);
}

/** Whether the promise resolves within so many ms. */
async function within(ms: number, promise: Promise<void>): Promise<boolean> {
  let timer;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

/** Only the right number from the right address counts. */
async function takeAcknowledgements(): Promise<never> {
  while (true) {
    const received = await socket.receive().catch(() => null); // Windows: gone
    if (received === null) continue;
    const [datagram, sender] = received;
    if ((sender as Deno.NetAddr).port !== receiver.port) continue;
    const view = new DataView(datagram.buffer, datagram.byteOffset);
    if (datagram.length === 5 && view.getUint32(1) === waitingFor) {
      acknowledged();
    }
  }
}
