import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import { type Peer, type Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "tcp/many-clients",
  title: "an echo server where nobody waits for anybody",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "serves one client, as in tcp/echo",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        await ask(peer, "alone", "One client alone got no echo.");
        await peer.end();
        await peer.expectEnd(
          "A client ended its side, and the program did not end its own.",
          "Close the connection when read() returns null.",
        );
      },
    },
    {
      title: "answers the last of three clients first",
      async check(workplace) {
        await workplace.startServer();
        const peers = await connect(workplace, 3);
        for (const [index, peer] of [...peers.entries()].reverse()) {
          await ask(
            peer,
            `client ${index + 1}`,
            `Three clients had connected. Number ${index + 1} spoke, and got ` +
              "no echo, while those before it were silent.",
          );
        }
      },
    },
    {
      title: "does not let one silent client keep out twenty others",
      async check(workplace) {
        await workplace.startServer();
        const [silent] = await connect(workplace, 1);
        for (const peer of await connect(workplace, 20)) {
          await ask(
            peer,
            "hello",
            "A client that says nothing was connected. Another one spoke, " +
              "and got no echo.",
          );
          await peer.end();
        }
        if (silent) {
          await ask(
            silent,
            "at last",
            "The silent client spoke at last, and " +
              "got no echo.",
          );
        }
      },
    },
    {
      title: "keeps the bytes of two clients apart",
      async check(workplace) {
        await workplace.startServer();
        const [a, b] = await connect(workplace, 2);
        if (!a || !b) return;
        const texts = [workplace.bytes(50_000), workplace.bytes(50_000)];
        await Promise.all(
          [a, b].map((peer, index) => peer.send(texts[index] ?? "")),
        );
        for (const [index, peer] of [a, b].entries()) {
          await peer.expect(
            texts[index] ?? "",
            "Two clients sent at the same time. One got other bytes back.",
            "Each connection needs a buffer of its own. A variable outside " +
              "of the function that serves one client belongs to all.",
          );
        }
      },
    },
    {
      title: "goes on when a client vanishes in the middle",
      async check(workplace) {
        const program = await workplace.startServer();
        const stays = await workplace.connect();
        await workplace.vanish(workplace.bytes(20_000));
        await ask(
          stays,
          "still there?",
          "One client vanished, and another one got no echo any more.",
        );
        const [next] = await connect(workplace, 1);
        if (next) {
          await ask(
            next,
            "next",
            "One client vanished, and the next one got " +
              "no echo.",
          );
        }
        if (!program.status) return;
        throw new NotYet({
          inWords: true,
          property: "One client vanished, and the program ended.",
          expected: "the program goes on",
          came: `exit status ${program.status.code}`,
          cause:
            "Catch what goes wrong with one connection where that one is " +
            "served. Nothing may reach the loop around accept().",
        });
      },
    },
  ],
};

async function connect(workplace: Workplace, count: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (let i = 0; i < count; i++) peers.push(await workplace.connect());
  return peers;
}

async function ask(peer: Peer, text: string, property: string): Promise<void> {
  await peer.send(text);
  await peer.expect(
    text,
    property,
    "The program serves one client to its end before it looks at the next. " +
      "Start serving each client without waiting for it (no await), and go " +
      "back to accept() at once.",
  );
}

export default exercise;
