/**
 * One request a connection over TCP, as the library's client makes them.
 *
 * @module
 */
import type { Load } from "../servers.ts";

/** Requests answered per second, with so many clients at a time. */
export function exchanges(
  clients: number,
  request: string,
): Load {
  return async (port, seconds) => {
    const begin = performance.now();
    const end = begin + seconds * 1000;
    const counts = await Promise.all(Array.from({ length: clients }, client));
    const total = counts.reduce((sum, count) => sum + count, 0);
    return total / (performance.now() - begin) * 1000;

    async function client(): Promise<number> {
      let count = 0;
      for (; performance.now() < end; count++) {
        if (await exchange(port, request) === "") throw new Error("No reply");
      }
      return count;
    }
  };
}

/** Sends a request, closes the sending side, and reads the reply to its end. */
export async function exchange(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  await connection.closeWrite();
  const buffer = new Uint8Array(4096);
  let reply = "";
  while (true) {
    const count = await connection.read(buffer);
    if (count === null) return reply;
    reply += new TextDecoder().decode(buffer.subarray(0, count));
  }
}
