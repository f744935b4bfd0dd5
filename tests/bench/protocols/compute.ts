/** Counts the steps of the Collatz sequences up to the number asked for. */
import { ServerProtocol } from "../../../tcp/library/server.ts";

export default class Compute extends ServerProtocol {
  override processRequest(message: string): string {
    let steps = 0;
    for (let start = 2; start < Number(message); start++) {
      for (let number = start; number !== 1; steps++) {
        number = number % 2 === 0 ? number / 2 : 3 * number + 1;
      }
    }
    return `${steps}`;
  }
}
