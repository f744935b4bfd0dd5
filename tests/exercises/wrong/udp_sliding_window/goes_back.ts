// fails at 6: Each tenth datagram was lost
// Passes over acknowledgements that are not those of the oldest block.
const [port = "7000", file = "solution.ts"] = Deno.args;
const BLOCK = 512, WAIT_MS = 300, TRIES = 10, WINDOW = 8;
const hostname = "127.0.0.1", transport = "udp";
const receiver = { transport, hostname, port: Number(port) } as const;
const socket = Deno.listenDatagram({ transport, hostname, port: 0 });
const bytes = await Deno.readFile(file);
const last = Math.floor(bytes.length / BLOCK) + 1;

// The window: blocks that are under way, by number, with what to do when they
// are acknowledged. The oldest one stands first.
const underWay = new Map<number, () => void>();
let next = 1; // the block that has not been sent yet
takeAcknowledgements();
slide();

/** Sends what the window has room for. It begins at the oldest block under way. */
function slide(): void {
  const [oldest = next] = underWay.keys();
  while (next <= last && next < oldest + WINDOW) deliver(next++);
  if (underWay.size === 0) Deno.exit(0); // all are acknowledged
}

/** Sends a block until it is acknowledged; each one has its own timer. */
async function deliver(number: number): Promise<void> {
  const content = bytes.subarray((number - 1) * BLOCK, number * BLOCK);
  const block = new Uint8Array(5 + content.length);
  block[0] = "D".charCodeAt(0);
  new DataView(block.buffer).setUint32(1, number);
  block.set(content, 5);

  let again: ReturnType<typeof setTimeout> | undefined;
  underWay.set(number, () => {
    clearTimeout(again);
    underWay.delete(number);
    slide();
  });
  for (let i = 0; i < TRIES && underWay.has(number); i++) {
    await socket.send(block, receiver);
    await new Promise((resolve) => again = setTimeout(resolve, WAIT_MS));
  }
  console.error(`Nobody acknowledged block ${number}, sent ${TRIES} times.`);
  Deno.exit(1);
}

/** Only numbers that are under way count, from the right address. */
async function takeAcknowledgements(): Promise<never> {
  while (true) {
    try {
      const [datagram, sender] = await socket.receive();
      if ((sender as Deno.NetAddr).port !== receiver.port) continue;
      if (datagram.length !== 5 || datagram[0] !== "A".charCodeAt(0)) continue;
      const view = new DataView(datagram.buffer, datagram.byteOffset);
      const [oldest = 0] = underWay.keys();
      if (view.getUint32(1) === oldest) underWay.get(oldest)?.();
    } catch {
      // Windows says here that nobody listens. The tries are counted above.
    }
  }
}
