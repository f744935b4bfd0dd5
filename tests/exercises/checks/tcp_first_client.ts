import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import { type Peer, type Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "tcp/first-client",
  title: "connect, say a line, print all that comes back",
  role: "client",
  transport: "tcp",
  steps: [
    {
      title: "asks, and prints an answer that comes in one piece",
      check: (workplace) => converse(workplace, ["Good morning!"]),
    },
    {
      title: "prints an answer that comes in five pieces",
      net: ["down.cut=4B"],
      check: (workplace) => converse(workplace, ["One answer, in pieces."]),
    },
    {
      title: "puts a character together that was cut in two",
      net: ["down.cut=1B"],
      check: (workplace) => converse(workplace, ["Grüße, 你好 👋"]),
    },
    {
      title: "prints an answer of 100,000 bytes whole",
      check: (workplace) => {
        const lines = Array.from(
          { length: 5_000 },
          (_, index) => `line ${index} ${workplace.random(10 ** 6)}`,
        );
        return converse(workplace, [lines.join("\n")]);
      },
    },
    {
      title: "waits for the rest of an answer that pauses",
      check: (workplace) =>
        converse(workplace, ["First half,", " second half."]),
    },
    {
      title: "ends with status 1 when the server leaves without a word",
      async check(workplace) {
        const peer = await greet(workplace);
        await peer.end();
        const status = await workplace.exits(() => ({
          property: "The server left, and the program goes on waiting.",
          cause: "read() returns null at the end. Stop reading then.",
        }));
        if (status === 1) return;
        throw new NotYet({
          inWords: true,
          property: "The server left without an answer.",
          expected: "exit status 1",
          came: `exit status ${status}`,
          cause: "No answer is a failure. Say so on standard error, and end " +
            "with Deno.exit(1).",
        });
      },
    },
  ],
};

/** The program's question has come. */
async function greet(workplace: Workplace): Promise<Peer> {
  const listener = workplace.listen();
  await workplace.startClient(listener.port);
  const peer = await listener.accept();
  await peer.expect(
    "Hello from client!\n",
    "We waited for the line that the program should send.",
    "Send it as soon as the program has connected, with a line feed (\\n) at " +
      "its end.",
  );
  return peer;
}

/** Answers in pieces and ends; the program must print the whole answer. */
async function converse(workplace: Workplace, pieces: string[]) {
  const peer = await greet(workplace);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 300));
    await peer.send(piece);
  }
  await peer.end();
  const status = await workplace.exits(() => ({
    property: "We answered and ended our side. The program did not end.",
    cause: "Read until the server ends (read() returns null), then stop.",
  }));
  const answer = pieces.join("");
  const printed = workplace.program?.stdout ?? "";
  const came = printed.replace(/\r?\n$/, "");
  if (came !== answer) {
    throw new NotYet({
      property: "The program did not print the answer as it was.",
      expected: answer,
      came,
      cause: came.includes(answer)
        ? "Print the answer and nothing else. What you want to say besides " +
          "goes to standard error: console.error()."
        : "One read() returns what has arrived by then, perhaps a part, " +
          "perhaps half a character. Collect the bytes up to the end, and " +
          "decode them then.",
    });
  }
  if (status !== 0) {
    throw new NotYet({
      inWords: true,
      property: "The program printed the answer and ended with an error.",
      expected: "exit status 0",
      came: `exit status ${status}`,
      cause: "Its last lines say why.",
    });
  }
}

export default exercise;
