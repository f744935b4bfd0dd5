import { ack, blocksOf } from "../blocks.ts";
import type { Exercise } from "../exercise.ts";
import { Receiver } from "../receiver.ts";
import { NotYet } from "../verdict.ts";
import { pause } from "../workplace.ts";

const BELIEVE =
  "An acknowledgement counts if it has the number of the block that " +
  "you wait for, and comes from the receiver. Pass over all others, and go on " +
  "waiting.";

const REPEAT =
  "After 0.3 s without the acknowledgement send the same block again. " +
  "The timer must end the wait: a loop that only looks at what comes never sees " +
  "that nothing does.";

/** So often block 2 is lost: a program may be late for the first lie. */
const LOST = 2;

const exercise: Exercise = {
  name: "udp/send-file",
  title: "send a file in blocks: repeat, and believe only the right answer",
  role: "client",
  transport: "udp",
  more: "README.md",
  flags: ["--allow-read={folder}"],
  steps: [
    {
      title: "sends a file, each block once",
      async check(workplace) {
        const file = workplace.bytes(1_200);
        const receiver = await Receiver.start(
          workplace,
          file,
          "Nothing was lost.",
        );
        await receiver.serve();
        receiver.expectWhole(
          file,
          "A block is D, its number and 512 bytes of the " +
            "file. The first one with fewer bytes ends it.",
        );
        receiver.expectAtMost(
          // One more, because a busy machine may be late once.
          blocksOf(file).length + 1,
          "Nothing was lost, so nothing " +
            "needs to be sent twice.",
        );
      },
    },
    {
      title: "ends a file of exactly two blocks with an empty one",
      async check(workplace) {
        const file = workplace.bytes(1_024);
        const receiver = await Receiver.start(
          workplace,
          file,
          "The file had 1,024 " +
            "bytes.",
        );
        await receiver.serve();
        receiver.expectWhole(
          file,
          "A full block never ends the file. After the last " +
            "full one comes one without content.",
        );
      },
    },
    {
      title: "gets through when two of each five datagrams are lost, both ways",
      net: ["loss=2/5"],
      async check(workplace) {
        const file = workplace.bytes(2_200);
        const receiver = await Receiver.start(
          workplace,
          file,
          "Two of each five " +
            "datagrams were lost, both ways.",
        );
        await receiver.serve();
        receiver.expectWhole(file, REPEAT);
      },
    },
    {
      title: "is not deceived by an old acknowledgement",
      async check(workplace) {
        const file = workplace.bytes(1_200);
        const receiver = await Receiver.start(
          workplace,
          file,
          "The acknowledgement " +
            "of block 1 came once more while block 2 was lost, twice.",
        );
        await receiver.serve((number, times) =>
          number === 2 && times <= LOST ? [1] : [number]
        );
        receiver.expectWhole(file, BELIEVE);
        if ((receiver.times.get(2) ?? 0) > LOST) return;
        throw new NotYet({
          inWords: true,
          property: "Block 2 was lost twice. It was not sent again.",
          expected: "block 2 three times",
          came: `block 2 ${receiver.times.get(2) ?? 0} times`,
          cause: BELIEVE,
        });
      },
    },
    {
      title: "sends no block twice because an acknowledgement came twice",
      async check(workplace) {
        const file = workplace.bytes(4_000);
        const receiver = await Receiver.start(
          workplace,
          file,
          "Each acknowledgement " +
            "came twice more, late.",
        );
        await receiver.serve((number) => [
          ...number > 1 ? [number - 1, number - 1] : [],
          number,
        ]);
        receiver.expectWhole(file, BELIEVE);
        receiver.expectAtMost(
          blocksOf(file).length + 1,
          "An old acknowledgement is " +
            "no reason to send. Whoever answers each one with a block doubles the " +
            "traffic with every doubled datagram (the Sorcerer's Apprentice).",
        );
      },
    },
    {
      title: "does not believe a stranger's acknowledgement",
      async check(workplace) {
        const file = workplace.bytes(1_200);
        const stranger = workplace.socket();
        const receiver = await Receiver.start(
          workplace,
          file,
          "A stranger acknowledged block 2, which was lost, twice.",
          { direct: true },
        );
        await receiver.serve(async (number, times, block) => {
          if (number !== 2 || times > LOST) return [number];
          await stranger.send(ack(2), block.from);
          await pause(50);
          return [];
        });
        receiver.expectWhole(file, BELIEVE);
        if ((receiver.times.get(2) ?? 0) > LOST) return;
        throw new NotYet({
          inWords: true,
          property:
            "A stranger acknowledged block 2, and it was not sent again.",
          expected: "block 2 three times",
          came: `block 2 ${receiver.times.get(2) ?? 0} times`,
          cause: BELIEVE,
        });
      },
    },
    {
      title: "sends the last block again whose acknowledgement was lost",
      net: ["down.loss=#3"],
      async check(workplace) {
        const file = workplace.bytes(1_200);
        const receiver = await Receiver.start(
          workplace,
          file,
          "The last " +
            "acknowledgement was lost.",
        );
        await receiver.serve();
        receiver.expectWhole(file, REPEAT);
        if ((receiver.times.get(3) ?? 0) >= 2) return;
        throw new NotYet({
          inWords: true,
          property:
            "The last acknowledgement was lost. The last block was not sent " +
            "again.",
          expected: "block 3 twice",
          came: "block 3 once",
          cause: "The end needs its acknowledgement like every other block.",
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
        let first = 0;
        await receiver.serve((_number, _times, { at }) => {
          first ||= at;
          return [];
        });
        const code = workplace.program?.status?.code;
        const took = receiver.lastAt - first;
        if (code === 1 && receiver.total === 10 && took < 2_000) {
          throw new NotYet({
            inWords: true,
            property: "Nobody acknowledged anything.",
            expected: "10 datagrams, 0.3 s between them",
            came: `10 datagrams in ${(took / 1000).toFixed(1)} s`,
            cause: "An acknowledgement takes its time. Wait 0.3 s for it.",
          });
        }
        if (code === 1 && receiver.total === 10) return;
        throw new NotYet({
          inWords: true,
          property: "Nobody acknowledged anything.",
          expected: "10 datagrams, then exit status 1",
          came: `${receiver.total} datagrams, then exit status ${code}`,
          cause:
            "Count the tries of each block. After ten, say on standard error " +
            "that nobody answers, and end with Deno.exit(1).",
        });
      },
    },
  ],
};

export default exercise;
