// A cash machine, to finish: it knows one request, and serves one at a time.
//
//     deno run --allow-net=127.0.0.1 start.ts 7000
import { IterativeServer, ServerProtocol } from "../../server.ts";

class CashMachine extends ServerProtocol {
  override processRequest(request: string): string {
    const [what] = request.split(" ");
    return what === "balance" ? "?" : "error: not a request";
  }
}

/** Asks the bank whether it may pay. That takes a while. */
export async function approve(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
}

const port = Number(Deno.args[0] ?? 7000);
await new IterativeServer(port, new CashMachine()).listen();
