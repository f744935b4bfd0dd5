/**
 * A cash machine, written as a user of the library would: the server's
 * protocol. Requests: USER PIN WITHDRAW 20, USER PIN DEPOSIT 20,
 * USER PIN GET_BALANCE.
 */
import { ServerProtocol } from "../../tcp/library/server.ts";

interface Account {
  pin: string;
  balance: number;
}

export default class Atm extends ServerProtocol {
  readonly #accounts = new Map<string, Account>([
    ["ada", { pin: "1815", balance: 100 }],
    ["grace", { pin: "1906", balance: 0 }],
  ]);

  override processRequest(message: string): string {
    const [user = "", pin, command, amount] = message.split(" ");
    const account = this.#accounts.get(user);
    if (!account || account.pin !== pin) return "ERROR wrong user or PIN";
    const sum = Number(amount ?? "0");
    if (!Number.isInteger(sum) || sum < 0) return "ERROR not an amount";
    if (command === "GET_BALANCE") return `BALANCE ${account.balance}`;
    if (command === "DEPOSIT") return `BALANCE ${account.balance += sum}`;
    if (command !== "WITHDRAW") return "ERROR unknown command";
    if (sum > account.balance) return "ERROR not enough money";
    return `BALANCE ${account.balance -= sum}`;
  }
}
