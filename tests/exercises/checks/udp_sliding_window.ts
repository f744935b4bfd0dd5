import { blocksOf } from "../blocks.ts";
import type { Exercise } from "../exercise.ts";
import { Receiver } from "../receiver.ts";
import { BUSY, CannotTell, NotYet } from "../verdict.ts";
import type { Workplace } from "../workplace.ts";

/** So many blocks may be under way. */
const WINDOW = 8;

const SLIDE =
  "The window slides: as soon as its oldest block is acknowledged, the " +
  "next one may go. Keep a timer and a count of tries for each block that is " +
  "under way.";

const exercise: Exercise = {
  name: "udp/sliding-window",
  title: "eight blocks under way: fill the time that answers take",
  role: "client",
  transport: "udp",
  more: "README.md",
  flags: ["--allow-read={folder}"],
  steps: [
    {
      title: "sends a file, each block once",
      async check(workplace) {
        const file = workplace.bytes(10_000);
        const receiver = await Receiver.start(
          workplace,
          file,
          "Nothing was lost.",
        );
        await receiver.serve();
        receiver.expectWhole(file, "Blocks are those of udp/send-file.");
        receiver.expectAtMost(
          // When a busy machine is late once, a whole window goes out again.
          blocksOf(file).length + WINDOW,
          "Nothing was lost, so nothing " +
            "needs to be sent twice.",
        );
      },
    },
    {
      title: "has eight blocks under way, and not nine",
      async check(workplace) {
        const file = workplace.bytes(20 * 512);
        const receiver = await Receiver.start(
          workplace,
          file,
          "We acknowledged " +
            "nothing yet.",
        );
        const first = await collect(workplace, receiver, WINDOW);
        if (first !== WINDOW) {
          throw new NotYet({
            inWords: true,
            property: "We acknowledged nothing yet.",
            expected: "blocks 1 to 8",
            came: `blocks 1 to ${first}`,
            cause:
              "Do not wait for an acknowledgement before the eighth block has " +
              "gone out. Do wait then.",
          });
        }
        await receiver.serve();
        stillTrying(receiver);
        receiver.expectWhole(file, SLIDE);
      },
    },
    {
      title: "sends the next block when the oldest is acknowledged",
      async check(workplace) {
        const file = workplace.bytes(20 * 512);
        const receiver = await Receiver.start(
          workplace,
          file,
          "Eight blocks were " +
            "under way. We acknowledged block 1 alone.",
        );
        await collect(workplace, receiver, WINDOW);
        const last = receiver.lastFrom;
        if (last) await receiver.acknowledge(1, last);
        const now = await collect(workplace, receiver, WINDOW + 1);
        if (now !== WINDOW + 1) {
          throw new NotYet({
            inWords: true,
            property:
              "Eight blocks were under way. We acknowledged block 1 alone.",
            expected: "block 9",
            came: `blocks up to ${now}`,
            cause:
              `${SLIDE} Whoever waits until all eight are acknowledged sends in ` +
              "bursts, with silence between them.",
          });
        }
        await receiver.serve();
        stillTrying(receiver);
        receiver.expectWhole(file, SLIDE);
      },
    },
    {
      title:
        "is three times as fast as one block at a time, at 50 ms of round trip",
      net: ["delay=25ms"],
      async check(workplace) {
        const file = workplace.bytes(40 * 512);
        const count = blocksOf(file).length;
        const receiver = await Receiver.start(
          workplace,
          file,
          "Each block and each " +
            "acknowledgement took 25 ms.",
        );
        let start = 0;
        await receiver.serve((number) => {
          start ||= performance.now();
          return [number];
        });
        const took = receiver.lastAt - start;
        receiver.expectWhole(file, SLIDE);
        // One at a time cannot be faster than this, on any machine.
        const alone = (count - 1) * 50;
        if (took < alone / 3) return;
        workplace.measures(30);
        throw new NotYet({
          inWords: true,
          property: `A round trip took 50 ms. ${count} blocks took ` +
            `${Math.round(took)} ms.`,
          expected:
            `under ${Math.round(alone / 3)} ms: one block at a time takes ` +
            `${alone} ms`,
          came: `${Math.round(took)} ms`,
          cause: SLIDE,
        });
      },
    },
    {
      title: "gets the file there in order when datagrams overtake each other",
      net: ["reorder=every3"],
      async check(workplace) {
        const file = workplace.bytes(10_000);
        const receiver = await Receiver.start(
          workplace,
          file,
          "Each third datagram " +
            "was overtaken by the next one.",
        );
        await receiver.serve();
        receiver.expectWhole(
          file,
          "Acknowledgements come in any order. Note each " +
            "one. The window begins at the oldest block that is not acknowledged.",
        );
        receiver.expectAtMost(
          blocksOf(file).length + 2,
          "An acknowledgement of a " +
            "later block does not say that an earlier one is lost.",
        );
      },
    },
    {
      title:
        "sends no block more than three times when each tenth datagram is lost",
      net: ["loss=1/10"],
      async check(workplace) {
        const file = workplace.bytes(30 * 512);
        const receiver = await Receiver.start(
          workplace,
          file,
          "Each tenth datagram " +
            "was lost, both ways.",
        );
        await receiver.serve();
        receiver.expectWhole(file, SLIDE);
        receiver.expectAtMost(
          blocksOf(file).length + 10,
          "Send again only the block " +
            "that is missing, not all behind it.",
        );
        const most = Math.max(...receiver.times.values());
        if (most <= 3) return;
        throw new NotYet({
          inWords: true,
          property: "Each tenth datagram was lost. A block was sent too often.",
          expected: "at most three times",
          came: `${most} times`,
          cause:
            "Each block waits for its own acknowledgement, 0.3 s each time.",
        });
      },
    },
    {
      title: "gives up with status 1 when nobody is there",
      async check(workplace) {
        const receiver = await Receiver.start(
          workplace,
          workplace.bytes(600),
          "Nobody " +
            "acknowledged anything.",
        );
        await receiver.serve(() => []);
        const code = workplace.program?.status?.code;
        const most = Math.max(...receiver.times.values());
        if (code === 1 && most === 10) return;
        throw new NotYet({
          inWords: true,
          property: "Nobody acknowledged anything.",
          expected: "10 tries, then exit status 1",
          came: `${most} tries, then exit status ${code}`,
          cause: "Count the tries of each block. After ten of one, give up.",
        });
      },
    },
  ],
};

/**
 * Takes blocks without a word until so many have come, and looks whether one more
 * comes; returns the highest number. A busy machine may need some time for them, so
 * repeats may come in between.
 */
async function collect(
  { program }: Workplace,
  receiver: Receiver,
  expected: number,
): Promise<number> {
  const highest = () => Math.max(0, ...receiver.times.keys());
  const takeUpTo = async (target: number, ms: number) => {
    const end = performance.now() + ms;
    while (highest() < target && performance.now() < end && !program?.status) {
      const datagram = await receiver.socket.receive(20);
      if (datagram) await receiver.take(datagram, () => []);
    }
  };
  // The first one takes as long as the program takes to start.
  const first = await receiver.socket.receive(10_000);
  if (first) await receiver.take(first, () => []);
  await takeUpTo(expected, 2_000);
  if (highest() === expected) await takeUpTo(expected + 1, 250);
  return highest();
}

/** While we say nothing a program may give up, if we take too long for it. */
function stillTrying({ times }: Receiver): void {
  if (Math.max(...times.values()) >= 10) throw new CannotTell(BUSY, true);
}

export default exercise;
