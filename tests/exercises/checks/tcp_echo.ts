import { type Exercise } from "../exercise.ts";
import { NotYet, toBytes } from "../verdict.ts";
import { PATIENCE } from "../workplace.ts";

/** So much that it fits into no buffer on the way. */
const MUCH = 1_000_000;

const exercise: Exercise = {
  name: "tcp/echo",
  title: "send back every byte, until the client ends",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "sends back one byte",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        await peer.send("x");
        await peer.expect(
          "x",
          "We sent one byte, and it did not come back.",
          "The program waits for more, or for the end, before it answers. " +
            "Write what each read() returns, at once.",
        );
      },
    },
    {
      title: "goes on after its first read",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        for (const text of ["one", "two", "three"]) {
          await peer.send(text);
          await peer.expect(
            text,
            `We sent "one", "two", "three", and "${text}" did not come back.`,
            "The program reads once. Read in a loop until the client ends.",
          );
        }
      },
    },
    {
      title: "sends back bytes that are no text",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        const all = Uint8Array.from({ length: 256 }, (_, index) => index);
        await peer.send(all);
        await peer.expect(
          all,
          "We sent the bytes 0 to 255, and others came back.",
          "The program decodes the bytes and encodes them again. What is not " +
            "UTF-8 is lost on the way. Send the bytes themselves.",
        );
        // A character in two halves, each in a packet of its own.
        await peer.send(Uint8Array.of(0xc3));
        await peer.expect(
          Uint8Array.of(0xc3),
          "We sent half of the character ü, and it did not come back as it was.",
          "Half a character is bytes, too. Send bytes, not text.",
        );
      },
    },
    {
      title: "sends back 1 MB while they still come in",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        const much = workplace.bytes(MUCH);
        const sending = peer.send(much);
        await peer.expect(
          much,
          `We sent ${MUCH.toLocaleString("en")} bytes, and not all of them ` +
            "came back as they were.",
          "Either write() took only a part (it returns how many bytes it " +
            "took: send the rest, too), or the program reads everything " +
            "before it writes anything.",
          3 * PATIENCE,
        );
        await workplace.within(sending, () => ({
          property: "The program does not read all that we send.",
          cause: "Read and write in turns until the client ends.",
        }));
      },
    },
    {
      title: "ends its side when the client has ended",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        await peer.send("the last words");
        await peer.end();
        await peer.expect(
          "the last words",
          "We sent a text and ended our side. The text did not come back.",
          "An end of the client is not the end of the connection: the other " +
            "direction still works. Write first, then close.",
        );
        await peer.expectEnd(
          "We ended our side, and the program did not end its own.",
          "At the end read() returns null (or nothing, in other languages). " +
            "Close the connection then.",
        );
      },
    },
    {
      title: "serves the next client, also after one that vanished",
      async check(workplace) {
        const program = await workplace.startServer();
        for (const name of ["first", "second"]) {
          const peer = await workplace.connect();
          await peer.send(name);
          await peer.expect(
            name,
            `The ${name} client got no echo.`,
            "The program serves one client and stops. accept() belongs in a " +
              "loop.",
          );
          await peer.end();
          await peer.rest();
        }
        await workplace.vanish(workplace.bytes(20_000));
        if (program.status) {
          throw new NotYet({
            inWords: true,
            property: "A client vanished, and the program ended.",
            came: `exit status ${program.status.code}`,
            expected: "the program goes on",
            cause: "A read or write that fails ends that connection alone. " +
              "Catch its error.",
          });
        }
        const next = await workplace.connect();
        await next.send(toBytes("next"));
        await next.expect(
          "next",
          "After a client that vanished, the next one got no echo.",
          "A read or write that fails ends that connection alone.",
        );
      },
    },
  ],
};

export default exercise;
