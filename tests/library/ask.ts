/** A client program of a user: ask.ts PORT REQUEST. */
import { Client, ClientProtocol } from "../../tcp/library/client.ts";

const [port, request = ""] = Deno.args;

class Ask extends ClientProtocol {
  override prepareRequest(): string {
    return request;
  }

  override processReply(message: string): void {
    console.log(`Reply: ${message}`);
  }
}

await new Client(Number(port), new Ask()).open();
