// The page server on Node's `net`: node net_server.mjs PORT
import { createServer } from "node:net";

const page = `<!DOCTYPE html>
<html>
<head><title>Mini Server</title></head>
<body>
<h1>Hello from Node</h1>
<p>This is a raw socket HTTP response!</p>
</body>
</html>
`;
const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" +
  `Content-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`;

createServer((connection) => {
  connection.on("error", () => {});
  connection.once("data", () => connection.end(answer));
}).listen(Number(process.argv[2]), "127.0.0.1", 1024);
