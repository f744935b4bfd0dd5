import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import type { Datagram, Socket, Workplace } from "../workplace.ts";

const WORDS = ["red", "green", "blue"];

/** What a right program prints: each word backwards, in this order. */
const ANSWERS = "der\nneerg\neulb";

const exercise: Exercise = {
  name: "udp/ask-again",
  title: "datagrams get lost: ask again, and know the answer to your question",
  role: "client",
  transport: "udp",
  more: "red green blue",
  steps: [
    {
      title: "asks three questions and prints their answers",
      async check(workplace) {
        const asked = await serve(workplace, "Nothing was lost.");
        // One more may come if the machine is too busy to answer in half a second.
        if (asked <= WORDS.length + 1) return;
        workplace.measures();
        throw new NotYet({
          inWords: true,
          property: "Nothing was lost. The program asked more often than that.",
          expected: "3 datagrams",
          came: `${asked} datagrams`,
          cause: "Send a question, then wait for half a second. Only when no " +
            "answer has come by then send it again.",
        });
      },
    },
    {
      title: "asks again when a question is lost",
      net: ["up.loss=#1"],
      async check(workplace) {
        await serve(workplace, "The first question was lost.");
      },
    },
    {
      title: "asks again when an answer is lost",
      net: ["down.loss=#1"],
      async check(workplace) {
        await serve(workplace, "The first answer was lost.");
      },
    },
    {
      title: "is not confused by answers that come twice",
      async check(workplace) {
        await serve(
          workplace,
          "Each answer came twice.",
          (socket, question, answer) =>
            [1, 2].map(() => socket.send(answer, question.from)),
        );
      },
    },
    {
      title: "is not confused by an answer that comes late",
      async check(workplace) {
        const late: string[] = [];
        await serve(
          workplace,
          "The answer to question 1 came only when it was asked again, and once " +
            "more after question 2.",
          (socket, question, answer) => {
            if (late.length === 0) return [late.push(answer)];
            const all = [...late, answer];
            return all.map((text) => socket.send(text, question.from));
          },
        );
      },
    },
    {
      title: "believes nobody but the server that it asked",
      async check(workplace) {
        const socket = workplace.socket(), stranger = workplace.socket();
        // Without the relay, so that the stranger finds the program itself.
        workplace.startDirectly(socket.port, ...WORDS);
        await run(
          workplace,
          socket,
          "A stranger answered, too, with lies.",
          async (question, answer) => {
            const [number] = answer.split(" ");
            await stranger.send(`${number} lies`, question.from);
            await new Promise((resolve) => setTimeout(resolve, 50));
            await socket.send(answer, question.from);
          },
        );
      },
    },
    {
      title: "gives up with status 1 when nobody answers",
      async check(workplace) {
        const socket = workplace.socket();
        await workplace.startClient(socket.port, ...WORDS);
        const status = await workplace.exits(() => ({
          property: "Nobody answered. After 15 s the program was still trying.",
          expected: "exit status 1 after 5 tries",
          came: `${socket.all.length} datagrams`,
          cause:
            "Count the tries. Whoever is not there will not come by asking " +
            "for ever.",
        }), 15_000);
        const tries = socket.all.length;
        const took = (socket.all.at(-1)?.at ?? 0) - (socket.all[0]?.at ?? 0);
        if (status === 1 && tries === 5 && took < 1_500) {
          throw new NotYet({
            inWords: true,
            property:
              "Nobody answered. The program did not wait for an answer.",
            expected: "5 datagrams, 0.5 s between them",
            came: `5 datagrams in ${(took / 1000).toFixed(1)} s`,
            cause: "An answer takes its time. Wait 0.5 s before you ask again.",
          });
        }
        if (status === 1 && tries === 5) return;
        throw new NotYet({
          inWords: true,
          property: "Nobody answered.",
          expected: "5 datagrams, then exit status 1",
          came: `${tries} datagrams, then exit status ${status}`,
          cause:
            "Ask 5 times, then say on standard error that nobody answers, " +
            "and end with Deno.exit(1).",
        });
      },
    },
  ],
};

type Answer = (
  socket: Socket,
  question: Datagram,
  answer: string,
) => unknown[];

/** Answers as the step wants it; returns how many questions came. */
async function serve(
  workplace: Workplace,
  what: string,
  give: Answer = (socket, question, answer) => [
    socket.send(answer, question.from),
  ],
): Promise<number> {
  const socket = workplace.socket();
  await workplace.startClient(socket.port, ...WORDS);
  await run(workplace, socket, what, async (question, answer) => {
    await Promise.all(give(socket, question, answer));
  });
  return socket.all.length;
}

/** Answers until the program ends, and looks at what it asked and printed. */
async function run(
  workplace: Workplace,
  socket: Socket,
  what: string,
  give: (question: Datagram, answer: string) => Promise<void>,
): Promise<void> {
  const { program } = workplace;
  const end = performance.now() + 10_000;
  const answered = new Set<number>();
  while (!program?.status && performance.now() < end) {
    const question = await socket.receive(100);
    if (!question) continue;
    const [, number, word = ""] = /^([123]) (\w+)$/.exec(question.text) ?? [];
    if (word !== WORDS[Number(number) - 1]) {
      throw new NotYet({
        property: `${what} A question was not as the text says.`,
        expected: "1 red",
        came: question.text,
        cause:
          "A question is its number, a blank and the word, and nothing else. " +
          "Asked again, it has the same number.",
      });
    }
    if (Number(number) > 1 && !answered.has(Number(number) - 1)) {
      throw new NotYet({
        inWords: true,
        property: `${what} Question ${number} came too early.`,
        expected: `question ${number} after the answer to the one before`,
        came: `question ${number} before it`,
        cause: "Ask one question at a time. await its answer.",
      });
    }
    await give(question, `${number} ${[...word].reverse().join("")}`);
    answered.add(Number(number));
  }
  const cause =
    "Wait half a second for an answer, then send the same question " +
    "again. Take an answer only if it begins with the number of the question, and " +
    "comes from the server's port: receive() tells.";
  if (!program?.status) {
    throw new NotYet({
      property: `${what} After 10 s the program had not ended.`,
      expected: ANSWERS,
      came: program?.stdout.trimEnd() ?? "",
      cause,
    });
  }
  if (answered.size < WORDS.length && program.status.code === 0) {
    const missing = WORDS.findIndex((_, index) => !answered.has(index + 1));
    throw new NotYet({
      inWords: true,
      property: `${what} The program did not ask question ${missing + 1}.`,
      expected: `${missing + 1} ${WORDS[missing]}`,
      came: "(no such datagram)",
      cause: "What the server answers is its own affair. Ask, and print what " +
        "comes.",
    });
  }
  const printed = program.stdout.trimEnd().replaceAll("\r\n", "\n");
  if (printed === ANSWERS && program.status.code === 0) return;
  throw new NotYet({
    property: `${what} The three answers were not printed as they should be.`,
    expected: ANSWERS,
    came: printed,
    cause,
  });
}

export default exercise;
