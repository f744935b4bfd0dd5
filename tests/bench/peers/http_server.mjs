// The same page from Node's `http`: node http_server.mjs PORT
import { createServer } from "node:http";

const page = `<!DOCTYPE html>
<html>
<head><title>Mini Server</title></head>
<body>
<h1>Hello from Node</h1>
</body>
</html>
`;
createServer((_request, response) => {
  response.setHeader("Content-Type", "text/html");
  response.end(page);
}).listen(Number(process.argv[2]), "127.0.0.1", 1024);
