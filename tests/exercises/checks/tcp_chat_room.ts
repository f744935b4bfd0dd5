import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import { pause, type Peer, type Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "tcp/chat-room",
  title: "the state of many: who is here, and who said what",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "passes a message on to the others, with the name of who said it",
      async check(workplace) {
        await workplace.startServer();
        const ana = await enter(workplace, "Ana");
        const bo = await enter(workplace, "Bo", [ana]);
        await ana.send("hello\n");
        await hears(
          bo,
          "Ana: hello\n",
          'Ana said "hello".',
          "Send each line to " +
            "all others, with its sender's name before it.",
        );
        await bo.send("hi\n");
        await hears(
          ana,
          "Bo: hi\n",
          'Bo said "hi".',
          "The name belongs to the " +
            "connection. A variable outside of the function that serves one " +
            "client belongs to all.",
        );
        await ana.expectSilence(
          100,
          "Bo said something once, and Ana got more than that.",
          "Nobody hears himself, and nobody hears a line twice.",
        );
      },
    },
    {
      title: "takes a name and a first message that come together",
      async check(workplace) {
        await workplace.startServer();
        const ana = await enter(workplace, "Ana");
        const bo = await workplace.connect();
        await bo.send("Bo\nhello\nhow are you?\n");
        await hears(
          ana,
          "* Bo is here\nBo: hello\nBo: how are you?\n",
          'Bo sent "Bo", "hello" and "how are you?" in one piece.',
          "One read() may bring several lines. The first line is the name, " +
            "each one after it a message.",
        );
      },
    },
    {
      title: "waits for the end of a name that comes in pieces",
      async check(workplace) {
        await workplace.startServer();
        const ana = await enter(workplace, "Ana");
        const zoe = await workplace.connect();
        for (const byte of new TextEncoder().encode("Zoë\n¡Hola! 👋\n")) {
          await zoe.send(Uint8Array.of(byte));
          await pause(3);
        }
        await hears(
          ana,
          "* Zoë is here\nZoë: ¡Hola! 👋\n",
          'Zoë sent "Zoë" and ' +
            '"¡Hola! 👋" byte by byte.',
          "Keep what came until its line feed, and " +
            "decode whole lines.",
        );
      },
    },
    {
      title: "lets nobody in the way who does not give a name",
      async check(workplace) {
        await workplace.startServer();
        const silent = await workplace.connect();
        await pause(50);
        const ana = await enter(workplace, "Ana");
        const bo = await enter(workplace, "Bo", [ana]);
        await ana.send("anybody?\n");
        await hears(
          bo,
          "Ana: anybody?\n",
          "A client had connected and said no " +
            "name. Then Ana said something.",
          "Read the name where this client is " +
            "served, not around accept().",
        );
        await silent.expectSilence(
          100,
          "A client without a name got something.",
          "Whoever has no name yet is not in the room.",
        );
      },
    },
    {
      title: "tells the others who leaves, with or without a word",
      async check(workplace) {
        const program = await workplace.startServer();
        const ana = await enter(workplace, "Ana");
        const bo = await enter(workplace, "Bo", [ana]);
        const cem = await enter(workplace, "Cem", [ana, bo]);
        await bo.end();
        await hears(
          ana,
          "* Bo has left\n",
          "Bo ended his side.",
          "An empty read " +
            "(null) is the end. Take him out of the room, and tell the others.",
        );
        await hears(
          cem,
          "* Bo has left\n",
          "Bo ended his side.",
          "Tell all " +
            "others. A list that changes while you walk over it skips members.",
        );
        await cem.send("x");
        await ana.send("is he gone?\n");
        await hears(
          cem,
          "Ana: is he gone?\n",
          "Bo had left, then Ana said " +
            "something.",
          "A write to somebody who is gone throws. It must not " +
            "keep the others from getting the line.",
        );
        await workplace.vanish(new TextEncoder().encode("Dee\n"));
        await hears(
          ana,
          "* Dee is here\n* Dee has left\n",
          "Dee came, and her connection broke.",
          "A reset makes read() throw. That, too, is an end, for this one alone.",
        );
        if (!program.status) return;
        throw new NotYet({
          inWords: true,
          property: "Somebody left, and the program ended.",
          expected: "the program goes on",
          came: `exit status ${program.status.code}`,
          cause: "Catch errors where one client is served.",
        });
      },
    },
    {
      title: "does not wait for one that never reads",
      async check(workplace) {
        await workplace.startServer();
        const ana = await enter(workplace, "Ana");
        const deaf = await workplace.connectDeaf();
        await deaf.write(new TextEncoder().encode("Dov\n"));
        await hears(ana, "* Dov is here\n", "Dov came.", "Tell the others.");
        const bo = await enter(workplace, "Bo", [ana]);
        const line = `${"x".repeat(9_000)}\n`;
        // Together more than all buffers between us hold.
        let thrownOut = false;
        for (let count = 0; count < 1_500; count += 30) {
          const sending = ana.send(line.repeat(30));
          for (let i = 1; i <= 30; i++) {
            let heard = await bo.line();
            if (heard === "* Dov has left\n") {
              thrownOut = true;
              heard = await bo.line();
            }
            if (heard === `Ana: ${line}`) continue;
            throw new NotYet({
              property: "One in the room never reads. Ana said her line " +
                `number ${count + i}, and Bo did not get it.`,
              expected: `Ana: ${line}`,
              came: heard,
              cause: "A write to one that does not read never ends. Do not " +
                "await it where you send to all, and throw out whoever has " +
                "too much waiting.",
            });
          }
          await sending;
        }
        if (!thrownOut) {
          await bo.expect(
            "* Dov has left\n",
            "One in the room never reads. Over 10 MB waited for him, and he " +
              "was not thrown out.",
            "Count the bytes that wait for each member. When there are more " +
              "than 1 MB, close the connection, and tell the others.",
          );
        }
        deaf.close();
      },
    },
  ],
};

/** A new client, who has given a name; the others have heard of it. */
async function enter(
  workplace: Workplace,
  name: string,
  others: Peer[] = [],
): Promise<Peer> {
  const peer = await workplace.connect();
  await peer.send(`${name}\n`);
  for (const other of others) {
    await hears(
      other,
      `* ${name} is here\n`,
      `${name} came and gave a name.`,
      "Tell all others who has come, when the name is whole.",
    );
  }
  // Nobody can hear that this one is there, so we give the program some time.
  if (others.length === 0) await pause(300);
  return peer;
}

async function hears(
  peer: Peer,
  expected: string,
  what: string,
  cause: string,
): Promise<void> {
  const property = `${what} Another one in the room should hear it.`;
  await peer.expect(expected, property, cause);
}

export default exercise;
