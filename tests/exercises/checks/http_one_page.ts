import type { Exercise } from "../exercise.ts";
import { expectOver, expectStatus, readResponse } from "../http_response.ts";
import { NotYet } from "../verdict.ts";
import { pause, type Workplace } from "../workplace.ts";

/** What a browser sends, more or less. */
const GET = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: check\r\n\r\n";

const exercise: Exercise = {
  name: "http/one-page",
  title: "read a request up to its blank line, answer with a page",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "answers a request with a page",
      async check(workplace) {
        await workplace.startServer();
        await page(workplace, [GET], "We sent a GET request.");
      },
    },
    {
      title: "waits for the blank line, wherever the head is cut",
      async check(workplace) {
        await workplace.startServer();
        for (const at of [1, 20, GET.length - 3, GET.length - 1]) {
          const peer = await workplace.connect();
          await peer.send(GET.slice(0, at));
          await peer.expectSilence(
            150,
            `We sent a request up to byte ${at}, and the program answered or ` +
              "closed.",
            "One read() brings what has arrived, perhaps half of the head. " +
              'Read on until it holds the blank line ("\\r\\n\\r\\n").',
          );
          await peer.send(GET.slice(at));
          const asked = `We sent a request in two pieces, cut at byte ${at}.`;
          await readResponse(peer, asked);
          await expectOver(peer, asked);
        }
      },
    },
    {
      title: "counts the bytes of its page, not the characters",
      async check(workplace) {
        await workplace.startServer();
        const { body } = await page(workplace, [GET], "We sent a GET request.");
        // deno-lint-ignore no-control-regex
        if (/[^\x00-\x7f]/.test(body)) return;
        throw new NotYet({
          inWords: true,
          property: "The page has no character of more than one byte.",
          expected: "for example <p>Grüße 👋</p>",
          came: body,
          cause: "The text asks for one, because Content-Length counts bytes.",
        });
      },
    },
    {
      title: "answers HEAD with the head alone",
      async check(workplace) {
        await workplace.startServer();
        const { fields } = await page(
          workplace,
          [GET],
          "We sent a GET request.",
        );
        const asked = "We sent a HEAD request.";
        const peer = await workplace.connect();
        await peer.send(GET.replace("GET", "HEAD"));
        const answer = await readResponse(peer, asked, { head: true });
        expectStatus(answer, 200, asked, "HEAD is answered as GET is.");
        await peer.expectEnd(
          `${asked} A body came.`,
          "An answer to HEAD has the same head as one to GET, and no body " +
            "(RFC 9110, 9.3.2).",
        );
        const length = fields.get("content-length") ?? "";
        if (answer.fields.get("content-length") === length) return;
        throw new NotYet({
          property: `${asked} Its Content-Length was not that of the page.`,
          expected: length,
          came: answer.fields.get("content-length") ?? "",
          cause: "HEAD asks how long the page would be.",
        });
      },
    },
    {
      title: "gives up a client that stops in the middle of its head",
      async check(workplace) {
        await workplace.startServer();
        const silent = await workplace.connect();
        await silent.send("GET / HTTP/1.1\r\nHost: 127.");
        const start = performance.now();
        await page(
          workplace,
          [GET],
          "One client had stopped in the middle of " +
            "its head. Another one sent a whole request.",
        );
        await silent.rest(8_000);
        const took = performance.now() - start;
        if (silent.ended && took > 1_000) return;
        throw new NotYet({
          inWords: true,
          property: silent.ended
            ? `A client had stopped, and was given up after ${
              Math.round(took)
            } ms.`
            : "A client had stopped in its head. 8 s later the connection was " +
              "still open.",
          expected: "closed after 2 to 5 s",
          came: silent.ended ? `${Math.round(took)} ms` : "still open",
          cause:
            "Such clients would fill the server. Give each head a limit, " +
            "as in tcp/patience.",
        });
      },
    },
    {
      title: "answers 400 to what is not HTTP, and goes on",
      async check(workplace) {
        await workplace.startServer();
        const asked = 'We sent "hello there", CR LF and a blank line.';
        const peer = await workplace.connect();
        await peer.send("hello there\r\n\r\n");
        const answer = await readResponse(peer, asked);
        expectStatus(
          answer,
          400,
          asked,
          "A request line is a method, a path and " +
            "HTTP/1.1, with one blank between them. Look at it.",
        );
        const gone = await workplace.connect();
        await gone.send("GET / HT");
        gone[Symbol.dispose]();
        await pause(100);
        await page(
          workplace,
          [GET],
          "A client had left in the middle of its " +
            "head. The next one sent a GET request.",
        );
      },
    },
  ],
};

/** Sends a request in pieces; the answer must be a page, and the end. */
async function page(workplace: Workplace, pieces: string[], asked: string) {
  const peer = await workplace.connect();
  for (const piece of pieces) await peer.send(piece);
  const answer = await readResponse(peer, asked);
  expectStatus(answer, 200, asked, "A page that is there is 200.");
  await expectOver(peer, asked);
  const type = answer.fields.get("content-type") ?? "";
  if (/^text\/html; *charset=utf-8$/i.test(type)) return answer;
  throw new NotYet({
    property: `${asked} The answer does not say that it is HTML in UTF-8.`,
    expected: "Content-Type: text/html; charset=utf-8",
    came: type || "(no Content-Type)",
    cause: "A browser must know what the bytes are.",
  });
}

export default exercise;
