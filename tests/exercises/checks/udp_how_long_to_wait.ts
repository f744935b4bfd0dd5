import { blocksOf } from "../blocks.ts";
import type { Exercise } from "../exercise.ts";
import { Receiver } from "../receiver.ts";
import { NotYet } from "../verdict.ts";
import type { Workplace } from "../workplace.ts";

const MEASURE =
  "Measure how long an acknowledgement takes, and wait for longer than " +
  "that. The text has the formula.";

const KARN =
  "A block that was sent twice has two possible beginnings: nobody knows " +
  "which of them was acknowledged. Do not measure it. Keep the doubled wait until " +
  "a block was acknowledged that was sent once.";

/** All datagrams of a direction but the first ten. */
const FROM_THE_ELEVENTH = Array.from({ length: 90 }, (_, i) => `#${i + 11}`)
  .join(",");

const exercise: Exercise = {
  name: "udp/how-long-to-wait",
  title: "measure how long answers take, and wait as long as that",
  role: "client",
  transport: "udp",
  more: "README.md",
  flags: ["--allow-read={folder}"],
  steps: [
    {
      title: "sends each block once when answers come at once",
      check: (workplace) =>
        check(workplace, 12, 1, "Answers came at once.", MEASURE),
    },
    {
      title: "sends hardly a block twice when a round trip takes 600 ms",
      net: ["delay=300ms"],
      check: (workplace) =>
        check(workplace, 12, 2, "A round trip took 600 ms.", MEASURE),
    },
    {
      title: "sends hardly a block twice when round trips vary",
      net: ["delay=300ms", "jitter=150ms"],
      check: (workplace) =>
        check(
          workplace,
          20,
          2,
          "A round trip took 300 to 900 ms.",
          "The average is " +
            "not enough: answers that take longer than it are not lost. Add four times " +
            "the deviation.",
        ),
    },
    {
      title: "finds the new wait when round trips become longer on the way",
      net: [`delay=400ms:${FROM_THE_ELEVENTH}`],
      check: (workplace) =>
        check(
          workplace,
          26,
          5,
          "A round trip took no time, and 800 ms from the tenth " +
            "block on.",
          KARN,
        ),
    },
    {
      title: "does not wait long when answers are fast and a block is lost",
      net: ["up.loss=#5,#9"],
      async check(workplace) {
        const what = "Answers came at once, and two blocks were lost.";
        const took = await transfer(workplace, 12, 2, what, MEASURE);
        if (took < 4_000) return;
        throw new NotYet({
          inWords: true,
          property: what,
          expected: "about 1 s for all of it: two waits of 0.5 s",
          came: `${(took / 1000).toFixed(1)} s`,
          cause:
            `${MEASURE} A fixed wait is too short for one network and too long ` +
            "for another.",
        });
      },
    },
    {
      title: "waits twice as long each time, and gives up with status 1",
      async check(workplace) {
        const receiver = await Receiver.start(
          workplace,
          workplace.bytes(600),
          "Nobody " +
            "acknowledged anything.",
        );
        const times: number[] = [];
        await receiver.serve((_number, _times, { at }) => {
          times.push(at);
          return [];
        }, 30_000);
        const waits = times.slice(1).map((at, i) => at - (times[i] ?? at));
        const code = workplace.program?.status?.code;
        const grow = waits.every((wait, i) =>
          i === 0 || wait > (waits[i - 1] ?? 0) * 1.4
        );
        if (code === 1 && times.length === 4 && grow) return;
        const text = waits.map((wait) => `${(wait / 1000).toFixed(1)} s`).join(
          ", ",
        );
        throw new NotYet({
          inWords: true,
          property: "Nobody acknowledged anything.",
          expected:
            "4 tries, each wait twice the one before, then exit status 1",
          came:
            `${times.length} tries, waits of ${text}, then exit status ${code}`,
          cause:
            "Perhaps the network is just slower than you think. Whoever does not " +
            "hear anything waits longer each time.",
        });
      },
    },
  ],
};

async function check(
  workplace: Workplace,
  blocks: number,
  most: number,
  what: string,
  cause: string,
): Promise<void> {
  await transfer(workplace, blocks, most, what, cause);
}

/** Has a file of so many blocks sent; at most so many may be sent in vain. */
async function transfer(
  workplace: Workplace,
  blocks: number,
  most: number,
  what: string,
  cause: string,
): Promise<number> {
  const file = workplace.bytes(blocks * 512 - 100);
  const receiver = await Receiver.start(workplace, file, what);
  let start = 0;
  await receiver.serve((number) => {
    start ||= performance.now();
    return [number];
  }, 60_000);
  receiver.expectWhole(file, "Blocks are those of udp/send-file.");
  receiver.expectAtMost(blocksOf(file).length + most, cause);
  return receiver.lastAt - start;
}

export default exercise;
