// fails at 6: A stranger answered
// Believes everybody.
const [port = "7000", ...words] = Deno.args;
const TRIES = 5, WAIT_MS = 500;
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: 0,
});
const server = {
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(port),
} as const;

// What we wait for. Only an answer with this number is one to our question.
let number = 0;
let answered = (_text: string) => {};
receive();

for (const word of words) {
  number++;
  console.log(await ask(`${number} ${word}`));
}
Deno.exit(0);

/** Sends a question until its answer comes. */
async function ask(question: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  answered = resolve;
  for (let i = 0; i < TRIES; i++) {
    await socket.send(new TextEncoder().encode(question), server);
    let timer;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS, null);
    });
    const answer = await Promise.race([promise, late]);
    clearTimeout(timer);
    if (answer !== null) return answer;
  }
  console.error(`No answer to "${question}" after ${TRIES} tries.`);
  Deno.exit(1);
}

/** Takes what comes. Late, doubled and foreign datagrams are nobody's answer. */
async function receive(): Promise<never> {
  while (true) {
    try {
      const [datagram] = await socket.receive();
      const [first, text = ""] = new TextDecoder().decode(datagram).split(" ");
      if (first === `${number}`) answered(text);
    } catch {
      // Windows tells us here that nobody listens. It may still come.
    }
  }
}
