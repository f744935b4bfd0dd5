// Adds numbers, in memory. What is left of them after a crash?
//
//     deno run --allow-net=127.0.0.1 --allow-read=. --allow-write=. start.ts 7000 numbers.log
const [port = "7000", file = "numbers.log"] = Deno.args;
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
console.log(`Listening on port ${port}, the log is to be ${file}`);

let sum = 0;
for await (const connection of listener) {
  const buffer = new Uint8Array(1024);
  const length = await connection.read(buffer) ?? 0;
  const line = new TextDecoder().decode(buffer.subarray(0, length));
  sum += Number(line.split(" ")[1]);
  console.log(`The sum is ${sum}. Who should know?`);
}
