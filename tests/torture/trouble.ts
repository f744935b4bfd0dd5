/** Says what it was told; or fails, when it was told to. */
import process from "node:process";
import { ServerProtocol } from "../../tcp/library/server.ts";

export default class Trouble extends ServerProtocol {
  override processRequest(message: string): string | Promise<string> {
    if (message === "throw") throw new Error("as requested");
    if (message === "reject") return Promise.reject(new Error("as requested"));
    if (message === "exit") process.exit(); // in a thread: the thread
    return `You said: ${message}`;
  }
}
