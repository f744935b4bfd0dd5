import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import { pause, type Peer, type Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "http/client",
  title: "read an answer to its end: by length, by chunks, to the end",
  role: "client",
  transport: "tcp",
  more: "/",
  steps: [
    {
      title: "asks as HTTP wants it, and prints a body by its length",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        // The connection stays: only the length says that the body is over.
        await prints(
          workplace,
          "hello",
          "We answered with Content-Length: 5, and " +
            "did not end the connection.",
          "Stop reading when so many bytes have " +
            "come. A server may keep the connection.",
        );
      },
    },
    {
      title: "finds fields in any letter case, and a body in pieces",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send("HTTP/1.1 200 OK\r\ncontent-LENGTH:12\r");
        await pause(20);
        await peer.send("\n\r\nGrüße,");
        await pause(20);
        await peer.send(" you");
        await prints(
          workplace,
          "Grüße, you",
          'We sent "content-LENGTH:12", and ' +
            "the body in pieces.",
          "One read() may bring only a part: read on until the body is whole. " +
            "Names of fields may be written in any letter case, a blank after the colon may be missing, and the length counts " +
            "bytes.",
        );
      },
    },
    {
      title: "reads to the end of the connection when nothing says the length",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send("HTTP/1.1 200 OK\r\n\r\nto the ");
        await pause(50);
        await peer.send("end");
        await peer.end();
        await prints(
          workplace,
          "to the end",
          "We sent no length and ended the " +
            "connection behind the body.",
          "Without Content-Length and chunks the " +
            "body ends with the connection (RFC 9112, 6.3).",
        );
      },
    },
    {
      title: "puts chunks together, also when a chunk's size is cut",
      async check(workplace) {
        const peer = await asked(workplace);
        const chunks =
          "5\r\nhello\r\n1\r\n \r\nA;name=x\r\n0123456789\r\n0\r\n\r\n";
        const text =
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`;
        const head = text.indexOf("\r\n\r\n") + 4;
        await peer.send(text.slice(0, head));
        for (const byte of text.slice(head)) {
          await peer.send(byte);
          await pause(1);
        }
        await prints(
          workplace,
          "hello 0123456789",
          "We sent the body in chunks of " +
            "5, 1 and 10 bytes, byte by byte.",
          "A chunk is its size in hexadecimal, " +
            "perhaps with ;something, CR LF, so many bytes, CR LF. A size of 0 is " +
            "the last one (RFC 9112, 7.1).",
        );
      },
    },
    {
      title: "passes over what stands behind the last chunk",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
            "2\r\nok\r\n0\r\nChecksum: 42\r\n\r\n",
        );
        await prints(
          workplace,
          "ok",
          "We sent a field behind the last chunk.",
          "Fields may follow the last chunk, up to a blank line. They do not " +
            "belong to the body.",
        );
      },
    },
    {
      title: "knows that some answers have no body, whatever they announce",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send(
          "HTTP/1.1 100 Continue\r\n\r\n" +
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
        );
        await ends(
          workplace,
          1,
          "We sent 100 Continue, then 304 with " +
            "Content-Length: 99, and no body.",
          "1xx is not the answer yet: another " +
            "head follows. 204 and 304 never have a body. And a status that is not " +
            "200 is exit status 1.",
        );
      },
    },
    {
      title: "accepts heads whose lines end with LF alone",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
        await prints(
          workplace,
          "ok",
          "We sent a head whose lines end with LF alone.",
          "Old servers do so, and a client should understand it (RFC 9112, 2.2).",
        );
      },
    },
    {
      title: "says when an answer ends too early",
      async check(workplace) {
        const peer = await asked(workplace);
        await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        await peer.end();
        await ends(
          workplace,
          1,
          "We announced 10 bytes, sent 4 and ended.",
          "Half " +
            "an answer must not look like a whole one. Say so, and end with 1.",
        );
        const { stderr = "" } = workplace.program ?? {};
        if (stderr.trim().split("\n").length === 1 && stderr.trim()) return;
        throw new NotYet({
          inWords: true,
          property:
            "We announced 10 bytes, sent 4 and ended. The program did not " +
            "say so in one line on standard error.",
          expected: "one line on standard error",
          came: stderr,
          cause: "console.error() and Deno.exit(1).",
        });
      },
    },
  ],
};

/** The program has asked for /page, and said who is asked. */
async function asked(workplace: Workplace): Promise<Peer> {
  const listener = workplace.listen();
  await workplace.startClient(listener.port, "/page");
  const peer = await listener.accept();
  const lines: string[] = [];
  while (lines.at(-1) !== "\r\n") {
    const line = await peer.line();
    lines.push(line);
    if (line.endsWith("\r\n")) continue;
    throw new NotYet({
      property: "We waited for a request. Its head did not come whole.",
      expected: "GET /page HTTP/1.1\r\nHost: …\r\n\r\n",
      came: lines.join(""),
      cause: "Each line ends with CR LF, and a blank line ends the head.",
    });
  }
  const [first, ...fields] = lines;
  const hosts = fields.filter((line) => /^host:/i.test(line));
  if (first === "GET /page HTTP/1.1\r\n" && hosts.length === 1) return peer;
  throw new NotYet({
    property: "The request is not what the text asks for.",
    expected: "GET /page HTTP/1.1\r\nHost: …\r\n\r\n",
    came: lines.join(""),
    cause: "The path is the second argument. HTTP/1.1 needs one Host field.",
  });
}

async function ends(
  workplace: Workplace,
  status: number,
  what: string,
  cause: string,
): Promise<void> {
  const property = `${what} The program did not end.`;
  const code = await workplace.exits(() => ({ property, cause }));
  if (code === status) return;
  throw new NotYet({
    inWords: true,
    property: `${what} The exit status was not the right one.`,
    expected: `exit status ${status}`,
    came: `exit status ${code}`,
    cause,
  });
}

async function prints(
  workplace: Workplace,
  body: string,
  what: string,
  cause: string,
): Promise<void> {
  await ends(workplace, 0, what, cause);
  const printed = workplace.program?.stdout ?? "";
  if (printed === body || printed === `${body}\n`) return;
  throw new NotYet({
    property: `${what} What was printed is not the body.`,
    expected: body,
    came: printed,
    cause,
  });
}

export default exercise;
