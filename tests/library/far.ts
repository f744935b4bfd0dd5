/** Asks for the lengths of long requests: far.ts HOST PORT BYTES... */
import { Client, ClientProtocol } from "../../tcp/library/client.ts";

const [host = "", port, ...sizes] = Deno.args;

class Length extends ClientProtocol {
  constructor(readonly size: number) {
    super();
  }
  override prepareRequest(): string {
    return "length ".padEnd(this.size, "x");
  }
  override processReply(message: string): void {
    console.log(message);
  }
}

for (const size of sizes) {
  await new Client(host, Number(port), new Length(Number(size))).open();
}
