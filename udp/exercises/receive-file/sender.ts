// Sends a file in blocks, to try a receiver. It believes whatever comes.
//
//     deno run --unstable-net --allow-net=127.0.0.1 --allow-read=. sender.ts 7000 FILE
const [port = "7000", file = "sender.ts"] = Deno.args;
const hostname = "127.0.0.1", transport = "udp";
const receiver = { transport, hostname, port: Number(port) } as const;
const socket = Deno.listenDatagram({ transport, hostname, port: 0 });
const bytes = await Deno.readFile(file);

let acknowledged = () => {};
(async () => {
  for await (const _ of socket) acknowledged();
})();

for (let number = 1, at = 0; at <= bytes.length; number++, at += 512) {
  const content = bytes.subarray(at, at + 512);
  const block = new Uint8Array(5 + content.length);
  block[0] = "D".charCodeAt(0);
  new DataView(block.buffer).setUint32(1, number);
  block.set(content, 5);
  for (let done = false; !done;) {
    await socket.send(block, receiver);
    done = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, 500, false);
      acknowledged = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
    console.log(`block ${number}: ${done ? "acknowledged" : "once more"}`);
  }
}
Deno.exit(0);
