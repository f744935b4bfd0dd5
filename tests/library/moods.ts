/** A protocol that does what the request says, all that one can do wrong too. */
import { ServerProtocol } from "../../tcp/library/server.ts";

export default class Moods extends ServerProtocol {
  #count = 0;
  #release = () => {};

  override processRequest(message: string): string | Promise<string> {
    this.#count++;
    const [mood, argument] = message.split(" ");
    switch (mood) {
      case "count":
        return `${this.#count}`;
      case "length":
        return `${message.length}`;
      case "repeat":
        return "é".repeat(Number(argument));
      case "throw":
        throw new Error("a bad\nmood");
      case "reject":
        return Promise.reject(new Error("a bad mood, later"));
      case "promise":
        return new Promise((resolve) => setTimeout(resolve, 10, "kept"));
      case "never":
        return new Promise(() => {});
      case "late":
        return new Promise((resolve) => {
          setTimeout(resolve, Number(argument), message);
        });
      case "bomb":
        setTimeout(() => {
          throw new Error("the bomb");
        }, 50);
        return "lit";
      case "wait": // until another request releases it
        return new Promise((resolve) => this.#release = () => resolve("free"));
      case "release":
        this.#release();
        return "released";
      case "crash":
        setTimeout(() => {
          throw new Error("nobody catches this");
        });
        return new Promise(() => {});
      case "exit":
        Deno.exit(3);
        break;
      case "busy": {
        const end = performance.now() + Number(argument);
        while (performance.now() < end);
        break;
      }
      case "loop":
        while (true);
    }
    return message;
  }
}
