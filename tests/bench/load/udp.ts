/**
 * Requests and replies over UDP, a socket for each client.
 *
 * @module
 */
import type { Load } from "../servers.ts";

/** Round trips per second, with so many clients that wait for their answers. */
export function roundTrips(
  clients: number,
  request: (text: string) => string,
  reply: (text: string) => string,
): Load {
  return async (port, seconds) => {
    const begin = performance.now();
    const end = begin + seconds * 1000;
    const counts = await Promise.all(Array.from({ length: clients }, client));
    const total = counts.reduce((sum, count) => sum + count, 0);
    return total / (performance.now() - begin) * 1000;

    async function client(_: unknown, id: number): Promise<number> {
      const hostname = "127.0.0.1";
      const socket = Deno.listenDatagram({
        transport: "udp",
        hostname,
        port: 0,
      });
      // An answer that does not come makes receive() fail instead of hang.
      const timer = setTimeout(() => socket.close(), seconds * 1000 + 5_000);
      const buffer = new Uint8Array(1024);
      const server = { transport: "udp", hostname, port } as const;
      let count = 0;
      for (; performance.now() < end; count++) {
        const text = `Client ${id} says ${count}`;
        await socket.send(encoder.encode(request(text)), server);
        const [bytes] = await socket.receive(buffer);
        const answer = decoder.decode(bytes);
        if (answer !== reply(text)) throw new Error(`${text}: ${answer}`);
      }
      clearTimeout(timer);
      socket.close();
      return count;
    }
  };
}

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** Whether a UDP server answers this request within 100 ms. */
export async function answers(port: number, request: string): Promise<boolean> {
  const hostname = "127.0.0.1";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const timer = setTimeout(() => socket.close(), 100);
  try {
    const server = { transport: "udp", hostname, port } as const;
    await socket.send(encoder.encode(request), server);
    const [bytes] = await socket.receive();
    clearTimeout(timer);
    socket.close();
    return !decoder.decode(bytes).startsWith("error: ");
  } catch {
    return false;
  }
}

/** Ports are told apart by transport: one free for TCP need not be for UDP. */
export function freeUdpPort(): number {
  const address = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const socket = Deno.listenDatagram(address);
  const { addr } = socket;
  socket.close();
  return addr.transport === "udp" ? addr.port : 0;
}
