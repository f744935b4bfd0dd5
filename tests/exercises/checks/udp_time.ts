import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import { pause, type Socket } from "../workplace.ts";

const exercise: Exercise = {
  name: "udp/time",
  title: "answer whoever asks, without a connection",
  role: "server",
  transport: "udp",
  steps: [
    {
      title: "answers a datagram with the time and its size",
      async check(workplace) {
        await workplace.startServer();
        await asks(workplace.socket(), "hello", "One asker sent 5 bytes.");
      },
    },
    {
      title: "answers each of two askers, who ask in turns",
      async check(workplace) {
        await workplace.startServer();
        const [a, b] = [workplace.socket(), workplace.socket()];
        for (const size of [1, 2, 3]) {
          await a.send("a".repeat(size));
          await b.send("b".repeat(10 * size));
          await answered(a, size, "Two askers asked in turns.");
          await answered(b, 10 * size, "Two askers asked in turns.");
        }
      },
    },
    {
      title: "answers an empty datagram, too",
      async check(workplace) {
        await workplace.startServer();
        const socket = workplace.socket();
        await asks(socket, "", "One asker sent a datagram of no bytes.");
        await asks(
          socket,
          "x",
          "After a datagram of no bytes came one of 1 byte.",
        );
      },
    },
    {
      title: "takes the largest datagram that there is",
      async check(workplace) {
        await workplace.startServer();
        // macOS sends no more than 9,216 bytes by default.
        const size = Deno.build.os === "darwin" ? 9_216 : 65_507;
        const socket = workplace.socket();
        await asks(
          socket,
          "x".repeat(size),
          "One asker sent a large datagram.",
        );
      },
    },
    {
      title: "goes on when an asker has gone before the answer comes",
      async check(workplace) {
        const program = await workplace.startServer();
        for (let i = 0; i < 3; i++) {
          const gone = workplace.socket();
          await gone.send("quick");
          gone[Symbol.dispose]();
        }
        await pause(100);
        await asks(
          workplace.socket(),
          "still there?",
          "Three askers had gone " +
            "before their answers came. Another one sent 12 bytes.",
        );
        if (!program.status) return;
        throw new NotYet({
          inWords: true,
          property: "Askers had gone, and the program ended.",
          expected: "the program goes on",
          came: `exit status ${program.status.code}`,
          cause: "An answer that cannot be delivered is lost. On Windows the " +
            "next receive() says so with an error: catch it, and go on.",
        });
      },
    },
  ],
};

async function asks(socket: Socket, text: string, what: string): Promise<void> {
  await socket.send(text);
  await answered(socket, text.length, what);
}

async function answered(
  socket: Socket,
  size: number,
  what: string,
): Promise<void> {
  const datagram = await socket.receive();
  const [, time, bytes] = /^(\d+) (\d+)$/.exec(datagram?.text ?? "") ?? [];
  const right = Number(bytes) === size &&
    Math.abs(Number(time) - Date.now()) < 60_000;
  if (right) return;
  throw new NotYet({
    property: `${what} The answer was not right.`,
    expected: `${Date.now()} ${size}`,
    came: datagram?.text ?? "(no datagram)",
    cause: datagram === undefined
      ? "Answer to the address that receive() returns with the datagram, and " +
        "receive again. An empty datagram is no end: UDP has none. The buffer " +
        "must have room for 65,507 bytes."
      : "The answer is Date.now(), a blank, and how many bytes came.",
  });
}

export default exercise;
