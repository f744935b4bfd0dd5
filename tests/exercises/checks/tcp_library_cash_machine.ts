import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import type { Peer, Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "tcp/library/cash-machine",
  title: "a protocol of your own, with money that must not get lost",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "keeps an account for each name",
      async check(workplace) {
        await workplace.startServer();
        await asks(workplace, "balance ana", "0", "A new name has 0.");
        await asks(workplace, "deposit ana 100", "100", "A deposit is added.");
        await asks(
          workplace,
          "deposit bo 7",
          "7",
          "Each name has its own account.",
        );
        await asks(
          workplace,
          "withdraw ana 30",
          "70",
          "A withdrawal is taken off.",
        );
        await asks(
          workplace,
          "balance ana",
          "70",
          "The account outlives the client: " +
            "it belongs to the protocol, not to the connection.",
        );
      },
    },
    {
      title: "gives nobody more than there is",
      async check(workplace) {
        await workplace.startServer();
        await asks(workplace, "deposit ana 100", "100", "A deposit is added.");
        await asks(
          workplace,
          "withdraw ana 101",
          "error: not enough",
          "Compare " +
            "before you pay.",
        );
        await asks(
          workplace,
          "withdraw ana 100",
          "0",
          "All of it may be taken.",
        );
      },
    },
    {
      title: "refuses what is no request",
      async check(workplace) {
        await workplace.startServer();
        await asks(workplace, "deposit ana 50", "50", "A deposit is added.");
        for (
          const request of [
            "hello",
            "deposit ana",
            "deposit ana -5",
            "withdraw ana -5",
            "deposit ana 1.5",
            "deposit ana 1e3",
            "withdraw ana 0",
            "balance",
            "balance constructor 1",
          ]
        ) {
          await asks(
            workplace,
            request,
            "error: not a request",
            "A request is " +
              "balance NAME, deposit NAME AMOUNT or withdraw NAME AMOUNT. An amount " +
              "is digits, and not 0: whoever withdraws -5 would get richer.",
          );
        }
        await asks(
          workplace,
          "balance constructor",
          "0",
          "An object knows more names " +
            "than you gave it. Use a Map.",
        );
        await asks(
          workplace,
          "balance ana",
          "50",
          "What is refused changes nothing.",
        );
      },
    },
    {
      title: "does not let others wait for a withdrawal",
      async check(workplace) {
        await workplace.startServer();
        await asks(workplace, "deposit ana 100", "100", "A deposit is added.");
        const start = performance.now();
        const slow = await ask(workplace, "withdraw ana 10");
        await new Promise((resolve) => setTimeout(resolve, 50));
        const quick = await ask(workplace, "balance bo");
        const answers = [await text(slow), await text(quick)];
        if (performance.now() - start < 250) {
          throw new NotYet({
            inWords: true,
            property: "A withdrawal was paid at once.",
            expected: "90, after 0.3 s",
            came: `${answers[0]}, after ${
              Math.round(performance.now() - start)
            } ms`,
            cause: "Nobody asked the bank: await approve() before you pay.",
          });
        }
        // By the order on the wire, because we may be slow to look.
        const order = workplace.events
          .filter(({ kind, from }) => kind === "message" && from === "server")
          .map(({ bytes }) => new TextDecoder().decode(bytes));
        if (order.join() === "100,0,90") return;
        if (answers.join() !== "90,0") {
          throw new NotYet({
            property: 'We asked "withdraw ana 10" and "balance bo".',
            expected: "90, 0",
            came: answers.join(", "),
            cause: "Ana had 100, Bo is new.",
          });
        }
        throw new NotYet({
          inWords: true,
          property:
            "A withdrawal was being approved. Somebody else asked for a " +
            "balance, and had to wait.",
          expected: "the balance first, then the withdrawal",
          came: "the withdrawal first",
          cause: "Choose the server class that serves many at a time.",
        });
      },
    },
    {
      title: "pays once, although two withdraw at the same time",
      async check(workplace) {
        await workplace.startServer();
        await asks(workplace, "deposit ana 100", "100", "A deposit is added.");
        const peers = await Promise.all(
          [1, 2, 3].map(() => ask(workplace, "withdraw ana 60")),
        );
        const answers = await Promise.all(peers.map(text));
        const paid = answers.filter((answer) => answer === "40").length;
        const refused = answers.filter((answer) =>
          answer === "error: not enough"
        );
        await asks(
          workplace,
          "balance ana",
          "40",
          "Ana had 100, and 60 were asked for " +
            "three times at once. Between the look at the account and the payment " +
            "stands an await: others run there. Take the money off before it.",
        );
        if (paid === 1 && refused.length === 2) return;
        throw new NotYet({
          property: "Ana had 100, and three withdrew 60 at the same time.",
          expected: "40, error: not enough, error: not enough",
          came: answers.join(", "),
          cause:
            "Between the look at the account and the payment stands an await: " +
            "others run there. Take the money off before it.",
        });
      },
    },
  ],
};

async function ask(workplace: Workplace, request: string): Promise<Peer> {
  const peer = await workplace.connect();
  await peer.send(request);
  await peer.end();
  return peer;
}

async function text(peer: Peer): Promise<string> {
  return new TextDecoder().decode(await peer.rest());
}

async function asks(
  workplace: Workplace,
  request: string,
  expected: string,
  cause: string,
): Promise<void> {
  const came = await text(await ask(workplace, request));
  if (came === expected) return;
  throw new NotYet({
    property: `We asked "${request}". The reply was not right.`,
    expected,
    came,
    cause,
  });
}

export default exercise;
