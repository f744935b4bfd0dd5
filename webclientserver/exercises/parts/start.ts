// A web server for one file. Who wants only a part of it gets all.
//
//     deno run --allow-net=127.0.0.1 --allow-read=. start.ts 8080 letters.txt
const [port = "8080", file = "letters.txt"] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
}, async (request) => {
  console.log("Range:", request.headers.get("range"));
  return new Response(await Deno.readFile(file));
});
