// fails at 2: More blocks were sent than needed
// Always waits 0.5 s.
const [port = "7000", file = "solution.ts"] = Deno.args;
const BLOCK = 512, TRIES = 4, LEAST_MS = 500;
const hostname = "127.0.0.1", transport = "udp";
const receiver = { transport, hostname, port: Number(port) } as const;
const socket = Deno.listenDatagram({ transport, hostname, port: 0 });
const bytes = await Deno.readFile(file);

let wait = 500; // in ms, until something is known
let average: number | undefined, deviation = 0;
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
    const start = performance.now();
    await socket.send(block, receiver);
    if (await within(wait, promise)) {
      // Of a block that was sent twice, nobody knows which one was acknowledged:
      // so it is not measured, and the doubled wait stays (Karn's rule).
      if (tries === 1) measure(performance.now() - start);
      return;
    }
    wait *= 2; // perhaps the network is just slower than we thought
  }
  console.error(`Nobody acknowledged block ${number}, sent ${TRIES} times.`);
  Deno.exit(1);
}

/** Learns from a round trip of so many ms (RFC 6298, 2). */
function measure(ms: number): void {
  deviation = average === undefined
    ? ms / 2
    : deviation * 3 / 4 + Math.abs(average - ms) / 4;
  average = average === undefined ? ms : average * 7 / 8 + ms / 8;
  wait = 500;
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
