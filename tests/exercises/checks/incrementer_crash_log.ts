import { join } from "@std/path";
import type { Exercise } from "../exercise.ts";
import type { Peer, Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "incrementer/crash-log",
  title: "what was answered survives a crash",
  role: "server",
  transport: "tcp",
  more: "numbers.log",
  flags: ["--allow-read={folder}", "--allow-write={folder}"],
  steps: [
    {
      title: "adds numbers and answers with the sum",
      async check(workplace) {
        const peer = await start(workplace);
        await says(peer, "add 5", "5", "We added 5.");
        await says(peer, "add 12", "17", "We added 5 and 12.");
        await says(peer, "sum", "17", "We asked for the sum of 5 and 12.");
      },
    },
    {
      title: "goes on from its log after a crash",
      async check(workplace) {
        const peer = await start(workplace);
        await says(peer, "add 5", "5", "We added 5.");
        await says(peer, "add 12", "17", "We added 5 and 12.");
        const next = await crash(workplace);
        await says(
          next,
          "sum",
          "17",
          "We added 5 and 12, got both answers, and " +
            "ended the program with kill -9. It was started again.",
          "Append each " +
            "number to the file before you answer, and read the file at the start.",
        );
        await says(next, "add 1", "18", "We added 1 after the crash.");
      },
    },
    {
      title: "loses nothing that it has answered, with many on the way",
      async check(workplace) {
        const peer = await start(workplace);
        const count = 137; // no round number: what waits for one is lost
        await peer.send("add 1\n".repeat(count));
        for (let i = 1; i <= count; i++) {
          await peer.expect(
            `${i}\n`,
            `We sent "add 1" ${count} times at once. Answer ${i} was not right.`,
            "Answer each line, in the order in which they came.",
          );
        }
        const next = await crash(workplace);
        await says(
          next,
          "sum",
          `${count}`,
          `We added 1 for ${count} times, got ` +
            "all answers, and ended the program with kill -9.",
          "What waits in a " +
            "buffer or for a timer dies with the program. Write first, wait until " +
            "that is done, then answer.",
        );
      },
    },
    {
      title: "does not count a last line that is torn",
      async check(workplace) {
        // The crash may come at every byte of a write.
        const whole = "1200\n";
        for (let length = 1; length < whole.length; length++) {
          await write(workplace, `5\n7\n${whole.slice(0, length)}`);
          const peer = workplace.program
            ? await crash(workplace)
            : await start(workplace);
          await says(
            peer,
            "sum",
            "12",
            "The log held 5, 7 and the first " +
              `${length} bytes of the line "1200": the program had crashed in the ` +
              "middle of writing it.",
            "A line counts when its line feed is there. " +
              "Nobody was answered before that.",
          );
        }
      },
    },
    {
      title: "writes behind a torn line so that both can be told apart",
      async check(workplace) {
        await write(workplace, "5\n7\n12");
        const peer = await start(workplace);
        await says(
          peer,
          "add 3",
          "15",
          "The log held 5, 7 and a torn line. We " +
            "added 3.",
        );
        const next = await crash(workplace);
        await says(
          next,
          "sum",
          "15",
          "The log held 5, 7 and the torn line 12. We " +
            "added 3, got the answer 15, and the program crashed again.",
          "A new " +
            "line behind a torn one makes one line of both. Cut the torn one off " +
            "at the start (truncate), or end it so that you know it.",
        );
      },
    },
    {
      title: "reads a log that an editor has saved with CR LF",
      async check(workplace) {
        await write(workplace, "5\r\n7\r\n");
        const peer = await start(workplace);
        await says(
          peer,
          "sum",
          "12",
          "The log held 5 and 7, each with CR LF.",
          "Editors on Windows write CR LF. Take a CR from the end of a line.",
        );
        await says(peer, "add 1", "13", "We added 1 to a log with CR LF.");
        const next = await crash(workplace);
        await says(next, "sum", "13", "We added 1 to a log with CR LF.");
      },
    },
    {
      title: "answers error to what it does not know, and goes on",
      async check(workplace) {
        const peer = await start(workplace);
        for (
          const line of ["add", "add x", "add 1 2", "subtract 5", "add 1e3"]
        ) {
          await says(
            peer,
            line,
            "error",
            `We sent "${line}".`,
            "Numbers are " +
              "digits, up to nine of them, and nothing else.",
          );
        }
        await says(peer, "add 2", "2", "After five wrong lines we added 2.");
        const next = await crash(workplace);
        await says(
          next,
          "sum",
          "2",
          "After five wrong lines we added 2, and the " +
            "program crashed.",
          "What is wrong does not belong into the log.",
        );
      },
    },
  ],
};

function log({ folder }: Workplace): string {
  return join(folder, "numbers.log");
}

async function write(workplace: Workplace, text: string): Promise<void> {
  await Deno.writeTextFile(log(workplace), text);
}

async function start(workplace: Workplace): Promise<Peer> {
  await workplace.startServer(log(workplace));
  return await workplace.connect();
}

async function crash(workplace: Workplace): Promise<Peer> {
  await workplace.crash(log(workplace));
  return await workplace.connect();
}

async function says(
  peer: Peer,
  line: string,
  answer: string,
  what: string,
  cause = "A line in, a line out: add NUMBER and sum answer with the sum.",
): Promise<void> {
  await peer.send(`${line}\n`);
  await peer.expect(`${answer}\n`, `${what} The answer was not right.`, cause);
}

export default exercise;
