/**
 * Stops servers in threads in each way, and asks one that listens once more. Has
 * to end by itself then. Runs with --no-check: each thread would check again.
 */
import { Client, ClientProtocol } from "../../tcp/library/client.ts";
import { MultithreadedServer } from "../../tcp/library/server.ts";

class Ask extends ClientProtocol {
  override prepareRequest(): string {
    return "hello";
  }
  override processReply(message: string): void {
    console.log("Reply:", message);
  }
}

const server = new MultithreadedServer(0, import.meta.resolve("./moods.ts"));
let listening = server.listen();
const { port } = server.address;
server.close(); // its threads are not even loaded
await listening;

const controller = new AbortController();
const again = new MultithreadedServer(port, import.meta.resolve("./moods.ts"));
listening = again.listen({ signal: controller.signal });
await new Client(port, new Ask()).open();
controller.abort();
await listening;

listening = server.listen();
await new Client(server.address.port, new Ask()).open();
server.close();
await listening;
console.log("Closed.");
