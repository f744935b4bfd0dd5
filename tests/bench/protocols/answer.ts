/** Answers at once. */
import { ServerProtocol } from "../../../tcp/library/server.ts";

export default class Answer extends ServerProtocol {
  override processRequest(message: string): string {
    return `Hello, ${message}`;
  }
}
