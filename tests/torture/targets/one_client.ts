/**
 * The servers that serve one client and end: started again for each attempt.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { LARGEST_DATAGRAM, startServer } from "../../assertions.ts";
import {
  type Attack,
  attempts,
  pause,
  type Target,
  type Victim,
} from "../attack.ts";
import type { Random } from "../random.ts";
import { ask } from "../udp.ts";

/** A server that runs for one client. */
interface Kind {
  name: string;
  task: string;
  transport: "tcp" | "udp";
  chat: boolean;
}

const KINDS: Kind[] = [
  { name: "tcp_server", task: "tcp:server", transport: "tcp", chat: false },
  { name: "tcp_chat", task: "tcp:chat:server", transport: "tcp", chat: true },
  { name: "udp_server", task: "udp:server", transport: "udp", chat: false },
  { name: "udp_chat", task: "udp:chat:server", transport: "udp", chat: true },
];

/** A client that says this and hears what comes back, to the end. */
async function talk(
  { transport }: Kind,
  port: number,
  text: string,
): Promise<string> {
  if (transport === "udp") {
    return await ask(port, new TextEncoder().encode(text));
  }
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  const buffer = new Uint8Array(4096);
  const count = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
}

/** A whole run with an honest client. */
async function check(kind: Kind, random: Random): Promise<void> {
  await using program = await startServer(kind.task);
  const { server, port } = program;
  const text = random.word();
  const answer = await talk(kind, port, kind.chat ? "exit" : text);
  const session = kind.transport === "udp" ? "session" : "connection";
  assertEquals(
    answer,
    kind.chat ? `Goodbye! Closing ${session}.` : "Hello from server!",
  );
  assertEquals(await server.exits(), 0, server.stderr);
  assert(kind.chat || server.stdout.includes(text), server.stdout);
}

/** Something hostile, after which the server ends, in an orderly way. */
function attack(
  kind: Kind,
  name: string,
  bytes: (random: Random) => Uint8Array,
): Attack {
  const attempt = async (random: Random) => {
    await using program = await startServer(kind.task);
    const { server, port } = program;
    if (kind.transport === "tcp") {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      let rest = bytes(random);
      while (rest.length > 0) {
        const sent = connection.write(rest).catch(() => rest.length);
        rest = rest.subarray(await sent);
      }
      await pause(random.pick(0, 1, 30));
      connection.close();
    } else {
      const hostname = "127.0.0.1";
      const socket = Deno.listenDatagram({
        transport: "udp",
        hostname,
        port: 0,
      });
      const to = { transport: "udp", hostname, port } as const;
      for (let count = random.integer(1, 3); count > 0; count--) {
        await socket.send(bytes(random).subarray(0, LARGEST_DATAGRAM), to);
      }
      await pause(random.pick(0, 1, 30));
      socket.close();
    }
    await server.endInput();
    // Some end by themselves now, some wait for another client.
    await Promise.race([server.ended, pause(300)]);
    server.kill(random.pick("SIGTERM", "SIGINT"));
    const code = await server.exits();
    // A signal may also meet it while it ends by itself.
    const served = /Client says: |Server closed\./.test(server.stdout);
    const orderly = code === 0 || code === 1 || served && code > 128;
    assert(orderly, `exit status ${code}`);
    assert(/^([^\n]+\n)?$/.test(server.stderr), server.stderr);
  };
  return { name, slow: true, run: (scene) => attempts(scene, 2, attempt) };
}

function target(kind: Kind): Target {
  const word = (random: Random) => new TextEncoder().encode(random.word());
  // Each attempt has a server of its own, so no attack can harm the next honest
  // client: one is enough.
  let checked: Promise<void> | undefined;
  const victim: Victim = {
    port: 0,
    witnesses: 0,
    pids: () => [],
    check: (random) => checked ??= check(kind, random),
    complaints: () => "",
    async [Symbol.asyncDispose]() {},
  };
  return {
    name: kind.name,
    start: () => Promise.resolve(victim),
    attacks: [
      attack(
        kind,
        "random bytes",
        (random) => random.bytes(random.size(99_999)),
      ),
      attack(kind, "mutated messages", (random) => random.mutate(word(random))),
      attack(kind, "a client that vanishes", word),
    ],
  };
}

/** Both pairs of both transports. */
export const oneClientTargets: Target[] = KINDS.map(target);
