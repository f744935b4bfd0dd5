import type { Exercise } from "../exercise.ts";
import { NotYet, toBytes } from "../verdict.ts";
import { type Peer, type Workplace } from "../workplace.ts";

/** The longest line that the text promises to send. */
const LONGEST = 1_000_000;

const exercise: Exercise = {
  name: "tcp/lines",
  title: "a message is a line, not a read: answer each with its length",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "answers a line with the number of its characters",
      async check(workplace) {
        const peer = await connect(workplace);
        await peer.send("hello\n");
        await answers(
          peer,
          "5\n",
          'We sent the line "hello".',
          "Count without " +
            "the line feed, and end the answer with one.",
        );
      },
    },
    {
      title: "answers two lines that come together with two lines",
      async check(workplace) {
        const peer = await connect(workplace);
        await peer.send("one\nthree\n\n");
        await answers(
          peer,
          "3\n5\n0\n",
          'We sent "one", "three" and an empty line in one piece.',
          "One read() may bring several messages. Split what has come at each " +
            "line feed, and answer each part.",
        );
      },
    },
    {
      title: "waits for the rest of a line that comes in pieces",
      async check(workplace) {
        const peer = await connect(workplace);
        for (const piece of ["hel", "lo wor"]) {
          await peer.send(piece);
          await peer.expectSilence(
            200,
            "We sent a part of a line, and an answer came before its end.",
            "A read is not a message. Keep what came until its line feed.",
          );
        }
        await peer.send("ld\nnext");
        await answers(
          peer,
          "11\n",
          'We sent "hel", "lo wor", "ld" and a line ' +
            "feed.",
          "Put the new bytes behind those that you have kept.",
        );
        await peer.send("\n");
        await answers(
          peer,
          "4\n",
          'The beginning of the line "next" came with ' +
            "the end of the one before.",
          "What stands behind a line feed begins " +
            "the next line. Keep it.",
        );
      },
    },
    {
      title: "counts characters that were cut in two",
      async check(workplace) {
        const peer = await connect(workplace);
        const bytes = toBytes("grüße 👋\n");
        for (const byte of bytes) {
          await peer.send(Uint8Array.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await answers(
          peer,
          "7\n",
          'We sent "grüße 👋" byte by byte.',
          "Find " +
            "the line feed among the bytes, then decode the line. Count with " +
            "[...line].length: a string's own length says 8.",
        );
      },
    },
    {
      title: "does not count the CR of a line that ends with CR LF",
      async check(workplace) {
        const peer = await connect(workplace);
        await peer.send("hello\r\na\rb\r\n");
        await answers(
          peer,
          "5\n3\n",
          'We sent "hello" and "a", CR, "b", each ' +
            "with CR LF at its end.",
          "Windows and many protocols end lines with " +
            "CR LF. Take one CR away from the end, and no other.",
        );
      },
    },
    {
      title: "answers a last line that has no end",
      async check(workplace) {
        const peer = await connect(workplace);
        await peer.send("first\nlast");
        await peer.end();
        await answers(
          peer,
          "5\n4\n",
          'We sent "first", a line feed and "last", ' +
            "and ended our side.",
          "When read() returns null, what you have kept " +
            "is the last line. Answer it, too, unless it is empty.",
        );
        await peer.expectEnd(
          "We ended our side, and the program did not end its own.",
          "Close the connection after the last answer.",
        );
      },
    },
    {
      title: "refuses a line that does not end, before memory does",
      async check(workplace) {
        const program = await workplace.startServer();
        const good = await workplace.connect();
        await good.send("x".repeat(LONGEST) + "\n");
        await answers(
          good,
          `${LONGEST}\n`,
          "We sent a line of 1,000,000 " +
            "characters.",
          "It is allowed. Collect its pieces.",
        );
        const bad = await workplace.connect();
        const sending = bad.send("x".repeat(4 * LONGEST));
        await answers(
          bad,
          "too long\n",
          "We sent 4,000,000 characters without " +
            "a line feed.",
          "Stop when more than 1,000,000 bytes wait for a line " +
            'feed: answer "too long" and close.',
        );
        await bad.rest();
        if (!bad.ended) {
          throw new NotYet({
            inWords: true,
            property:
              "One client sent too long a line. Its connection stayed " +
              "open.",
            expected: "too long, and the end",
            came: "too long, and no end",
            cause: 'Close that connection after "too long".',
          });
        }
        await sending;
        await good.send("still here\n");
        await answers(
          good,
          "10\n",
          "One client sent too long a line. Another " +
            "one got no answer any more.",
          "Close that connection alone.",
        );
        if (!program.status) return;
        throw new NotYet({
          inWords: true,
          property: "One client sent too long a line, and the program ended.",
          expected: "the program goes on",
          came: `exit status ${program.status.code}`,
          cause: "What is wrong with one connection ends that one alone.",
        });
      },
    },
  ],
};

async function connect(workplace: Workplace): Promise<Peer> {
  await workplace.startServer();
  return await workplace.connect();
}

async function answers(
  peer: Peer,
  expected: string,
  sent: string,
  cause: string,
): Promise<void> {
  await peer.expect(expected, `${sent} The answer was not right.`, cause);
}

export default exercise;
