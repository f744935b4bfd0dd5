import type { Exercise } from "../exercise.ts";
import { toBytes } from "../verdict.ts";
import { pause, type Peer, type Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "tcp/length",
  title: "count before content: four bytes say how long a message is",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "sends back a message, backwards",
      async check(workplace) {
        const peer = await connect(workplace);
        await peer.send(message("abc"));
        await peer.expect(
          message("cba"),
          'We sent the length 3 and "abc". The answer was not right.',
          "A length has its highest byte first, in what comes and in what you " +
            "send: getUint32 and setUint32 of a DataView do that. Read the other " +
            "way round, 00 00 00 03 is 50,331,648.",
        );
      },
    },
    {
      title: "answers two messages that come together",
      async check(workplace) {
        const peer = await connect(workplace);
        await peer.send(join(message("one"), message("three")));
        await peer.expect(
          join(message("eno"), message("eerht")),
          'We sent "one" and "three" in one piece. The answers were not right.',
          "After a message look whether another one is there already.",
        );
      },
    },
    {
      title: "answers a message of no bytes",
      async check(workplace) {
        const peer = await connect(workplace);
        await peer.send(join(message(""), message("x")));
        await peer.expect(
          join(message(""), message("x")),
          'We sent a message of length 0, then "x". The answers were not right.',
          "Nothing is a message, too: its answer is four zero bytes. Do not " +
            "read at all for it: a read of nothing looks like an end.",
        );
      },
    },
    {
      title: "puts a length together that was cut",
      async check(workplace) {
        const peer = await connect(workplace);
        for (const byte of message("cut")) {
          await peer.send(Uint8Array.of(byte));
          await pause(10);
        }
        await peer.expect(
          message("tuc"),
          'We sent the length 3 and "cut" byte by byte. The answer was not right.',
          "A read may bring one byte of the length. Read until all four are " +
            "there, then until the content is.",
        );
      },
    },
    {
      title: "answers a message of 70,000 bytes, of any bytes",
      async check(workplace) {
        const peer = await connect(workplace);
        const bytes = workplace.bytes(70_000);
        await peer.send(message(bytes));
        await peer.expect(
          message(bytes.slice().reverse()),
          "We sent a message of 70,000 bytes. The answer was not right.",
          "70,000 does not fit into two bytes, nor one read. And not all bytes " +
            "are text: turn bytes around, not characters.",
        );
      },
    },
    {
      title: "does not believe a length that lies",
      async check(workplace) {
        await workplace.startServer();
        const liar = await workplace.connect();
        await liar.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3));
        await liar.expectEnd(
          "We announced 4,294,967,295 bytes. The connection stayed open.",
          "A stranger must not decide how much memory you take. Close at " +
            "once when the length is over 1,000,000. The highest bit may " +
            "have made it negative: use getUint32, not <<.",
        );
        const early = await workplace.connect();
        await early.send(message("whole").subarray(0, 6));
        await early.end();
        await early.expectEnd(
          "We announced 5 bytes, sent 2 and ended. The program answered, or " +
            "did not end its side.",
          "Half a message is none. Close without an answer.",
        );
        const next = await workplace.connect();
        await next.send(message("on"));
        await next.expect(
          message("no"),
          "After two bad clients the next one got no right answer.",
          "What is wrong with one connection ends that one alone.",
        );
      },
    },
  ],
};

async function connect(workplace: Workplace): Promise<Peer> {
  await workplace.startServer();
  return await workplace.connect();
}

/** A message as the exercise wants it: its length in four bytes, then itself. */
function message(data: string | Uint8Array): Uint8Array {
  const content = toBytes(data);
  const bytes = new Uint8Array(4 + content.length);
  new DataView(bytes.buffer).setUint32(0, content.length);
  bytes.set(content, 4);
  return bytes;
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export default exercise;
