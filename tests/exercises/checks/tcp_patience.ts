import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import { pause, type Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "tcp/patience",
  title: "a client that gives up, and says why",
  role: "client",
  transport: "tcp",
  steps: [
    {
      title: "prints the answer and ends with status 0",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send("12:00\n");
        await peer.end();
        await ends(
          workplace,
          0,
          "We answered and ended.",
          "After the answer " +
            "there is nothing to wait for.",
        );
        printed(workplace, "12:00");
      },
    },
    {
      title: "ends with status 3 when nobody listens",
      async check(workplace) {
        const listener = workplace.listen();
        const { port } = listener;
        listener[Symbol.dispose](); // now nobody listens there
        await workplace.startClient(port);
        await ends(
          workplace,
          3,
          "Nobody listened at the port.",
          "Deno.connect() " +
            "throws ConnectionRefused, or the first read or write fails. Catch " +
            "it, say so, and end with Deno.exit(3).",
        );
        complaint(workplace);
      },
    },
    {
      title: "ends with status 3 when the server leaves without an answer",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.end();
        await ends(
          workplace,
          3,
          "The server ended without an answer.",
          "read() " +
            "returned null before a line had come.",
        );
        complaint(workplace);
      },
    },
    {
      title: "gives up after 2 s of silence, with status 4",
      async check(workplace) {
        const peer = await asked(workplace);
        const start = performance.now();
        const what = "The server took the question and said nothing.";
        const cause = "Give up after 2 s: a timer (setTimeout) that ends the " +
          "program, or Promise.race() of the read and a timer.";
        await ends(workplace, 4, what, cause);
        const took = performance.now() - start;
        early(took, 1_500);
        if (took > 5_000) {
          throw new NotYet({
            inWords: true,
            property: `${what} The program gave up after ${
              (took / 1000).toFixed(1)
            } s.`,
            expected: "exit status 4 after 2 s without a byte",
            came: `exit status 4 after ${(took / 1000).toFixed(1)} s`,
            cause: "There are two limits: 2 s without a byte, 6 s for all.",
          });
        }
        complaint(workplace);
        void peer;
      },
    },
    {
      title: "gives up after 2 s of silence, not before, though drops come",
      async check(workplace) {
        const peer = await asked(workplace);
        // Slower than the answer should be, but never 2 s without a byte.
        for (const byte of "12:") {
          await peer.send(byte);
          await pause(900);
        }
        if (workplace.program?.status) {
          throw new NotYet({
            inWords: true,
            property: "A byte came every 0.9 s, and the program gave up.",
            expected: "it waits: no silence lasted 2 s",
            came: `exit status ${workplace.program.status.code}`,
            cause: "Each byte that comes begins the 2 s anew. Set the timer " +
              "again after each read.",
          });
        }
        await peer.send("00\n");
        await peer.end();
        await ends(
          workplace,
          0,
          "The rest of the answer came, too.",
          "Collect " +
            "all pieces up to the line feed.",
        );
        printed(workplace, "12:00");
      },
    },
    {
      title: "gives up after 6 s in all, whatever drops still come",
      async check(workplace) {
        const peer = await asked(workplace);
        const start = performance.now();
        const program = workplace.program;
        while (!program?.status && performance.now() - start < 10_000) {
          await peer.send(".");
          await pause(300);
        }
        const cause = "A limit for each read is not enough: whoever sends a " +
          "byte now and then holds you for ever. Set a second timer when you " +
          "begin, and never set it again.";
        const what = "A byte came every 0.3 s, and no line end.";
        if (!program?.status) {
          throw new NotYet({
            inWords: true,
            property: `${what} After 10 s the program was still waiting.`,
            expected: "exit status 4 after 6 s",
            came: "no end",
            cause,
          });
        }
        await ends(workplace, 4, what, cause);
        early(performance.now() - start, 5_000);
        complaint(workplace);
      },
    },
  ],
};

/** The program has asked for the time. */
async function asked(workplace: Workplace) {
  const listener = workplace.listen();
  await workplace.startClient(listener.port);
  const peer = await listener.accept();
  await peer.expect(
    "time?\n",
    "We waited for the question.",
    'Send "time?" and ' +
      "a line feed as soon as you have connected.",
  );
  return peer;
}

async function ends(
  workplace: Workplace,
  status: number,
  what: string,
  cause: string,
): Promise<void> {
  const code = await workplace.exits(() => ({
    property: `${what} The program did not end.`,
    cause,
  }), 8_000);
  if (code === status) return;
  throw new NotYet({
    inWords: true,
    property: `${what} The program's exit status was not the right one.`,
    expected: `exit status ${status}`,
    came: `exit status ${code}`,
    cause,
  });
}

function early(took: number, least: number): void {
  if (took >= least) return;
  throw new NotYet({
    inWords: true,
    property: `The program gave up after ${(took / 1000).toFixed(1)} s.`,
    expected: `it waits for at least ${(least / 1000).toFixed(1)} s`,
    came: `${(took / 1000).toFixed(1)} s`,
    cause: "A server may be slow. Compare the limit with the text.",
  });
}

function printed({ program }: Workplace, text: string): void {
  if (program?.stdout.trimEnd() === text) return;
  throw new NotYet({
    property: "The program did not print the answer, and nothing else.",
    expected: text,
    came: program?.stdout.trimEnd() ?? "",
    cause: "Print the answer's line with console.log(), the rest with " +
      "console.error().",
  });
}

function complaint({ program }: Workplace): void {
  const lines = program?.stderr.trimEnd().split("\n") ?? [];
  if (lines.length === 1 && lines[0] !== "" && program?.stdout === "") return;
  throw new NotYet({
    inWords: true,
    property: "The program did not say in one line on standard error why it " +
      "gave up.",
    expected: "one line on standard error, nothing on standard output",
    came: `${program?.stderr}${program?.stdout}`,
    cause: "Catch the error and print one sentence with console.error(). A " +
      "stack trace is for programmers.",
  });
}

export default exercise;
