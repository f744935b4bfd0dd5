// fails at 4: had to wait
// Serves one client after the other.
import {
  IterativeServer,
  ServerProtocol,
} from "../../../../tcp/library/server.ts";

class CashMachine extends ServerProtocol {
  // The accounts belong to the protocol object, which all connections share.
  readonly #accounts = new Map<string, number>();

  override async processRequest(request: string): Promise<string> {
    const pattern =
      /^(?:balance (\w+)|(deposit|withdraw) (\w+) ([1-9]\d{0,8}))$/;
    const match = pattern.exec(request);
    if (match === null) return "error: not a request";
    const [, asked, what, other = "", digits] = match;
    const name = asked ?? other, amount = Number(digits ?? 0);
    const balance = this.#accounts.get(name) ?? 0;
    if (what === "deposit") this.#accounts.set(name, balance + amount);
    if (what === "withdraw") {
      if (balance < amount) return "error: not enough";
      // Take the money off before the await: while we wait, other requests run,
      // and must not see it any more.
      this.#accounts.set(name, balance - amount);
      await approve();
    }
    return `${this.#accounts.get(name) ?? 0}`;
  }
}

/** Asks the bank whether it may pay. That takes a while. */
async function approve(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
}

const port = Number(Deno.args[0] ?? 7000);
await new IterativeServer(port, new CashMachine()).listen();
