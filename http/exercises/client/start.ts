// Asks for a page and prints all that comes. When is the answer over?
//
//     deno run --allow-net=127.0.0.1 start.ts 8080 /
const [port = "8080", path = "/"] = Deno.args;
const connection = await Deno.connect({
  hostname: "127.0.0.1",
  port: Number(port),
});
const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
await connection.write(new TextEncoder().encode(request));
for await (const bytes of connection.readable) {
  console.log(new TextDecoder().decode(bytes));
}
