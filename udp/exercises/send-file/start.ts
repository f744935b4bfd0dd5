// Sends the first block of a file. Did it arrive?
//
//     deno run --unstable-net --allow-net=127.0.0.1 --allow-read=. start.ts 7000 FILE
const [port = "7000", file = "start.ts"] = Deno.args;
const hostname = "127.0.0.1", transport = "udp";
const receiver = { transport, hostname, port: Number(port) } as const;
const socket = Deno.listenDatagram({ transport, hostname, port: 0 });

const content = (await Deno.readFile(file)).subarray(0, 512);
const block = new Uint8Array(5 + content.length);
block[0] = "D".charCodeAt(0);
new DataView(block.buffer).setUint32(1, 1);
block.set(content, 5);
await socket.send(block, receiver);
console.error("Block 1 is on its way, or lost.");
