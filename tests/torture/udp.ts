/**
 * Attacks on UDP servers.
 *
 * @module
 */
import { LARGEST_DATAGRAM } from "../assertions.ts";
import { type Attack, attempts, limited, pause } from "./attack.ts";
import type { Random } from "./random.ts";

/** A UDP socket of its own, for one client. */
export function udpSocket(): Deno.DatagramConn {
  const hostname = "127.0.0.1";
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

/** How long an honest client waits, the first time, the second time, … (ms) */
const WAITS = [500, 2_000, 3_000, 5_000];

/**
 * Sends a request and returns the answer. What the flood of others pushes out
 * of the system's buffers is sent again, from another socket, as UDP clients
 * must. Throws when there is no answer to any of the requests.
 */
export async function ask(port: number, request: Uint8Array): Promise<string> {
  for (const [index, wait] of WAITS.entries()) {
    const socket = udpSocket();
    try {
      await socket.send(request, to(port));
      return await limited(wait, answerFrom(socket, port));
    } catch (error) {
      if (index === WAITS.length - 1) throw error;
    } finally {
      socket.close();
    }
  }
  return "";
}

/** The next datagram from that port; whatever strangers send is passed over. */
async function answerFrom(
  socket: Deno.DatagramConn,
  port: number,
): Promise<string> {
  while (true) {
    const [bytes, sender] = await socket.receive();
    if (sender.transport !== "udp" || sender.port !== port) continue;
    return new TextDecoder().decode(bytes);
  }
}

function to(port: number): Deno.NetAddr {
  return { transport: "udp", hostname: "127.0.0.1", port };
}

/** All attacks that any UDP server must stand. */
export function udpAttacks(request: (random: Random) => Uint8Array): Attack[] {
  const flood =
    (datagram: (random: Random) => Uint8Array): Attack["run"] => (scene) =>
      attempts(scene, 4, async (random) => {
        const socket = udpSocket();
        for (let count = random.integer(1, 5); count > 0; count--) {
          await socket.send(datagram(random), to(scene.victim.port));
        }
        // Some wait for the answer, some have gone by then.
        const answer = socket.receive().catch(() => {});
        if (random.chance(0.5)) await Promise.race([answer, pause(5)]);
        socket.close();
      });
  return [
    {
      name: "random datagrams",
      run: flood((random) => random.bytes(random.size(8_000))),
    },
    {
      name: "mutated requests",
      run: flood((random) => random.mutate(request(random))),
    },
    {
      name: "empty, huge, cut datagrams",
      run: flood((random) => {
        const whole = request(random);
        return random.pick(
          new Uint8Array(0),
          new Uint8Array(LARGEST_DATAGRAM).fill(random.integer(0, 255)),
          whole.subarray(0, random.integer(0, whole.length)),
        );
      }),
    },
    { name: "clients that vanish", run: flood(request) },
  ];
}
