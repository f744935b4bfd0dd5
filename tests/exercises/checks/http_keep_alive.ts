import type { Exercise } from "../exercise.ts";
import { expectStatus, readResponse } from "../http_response.ts";
import { NotYet } from "../verdict.ts";
import { pause, type Peer } from "../workplace.ts";

const exercise: Exercise = {
  name: "http/keep-alive",
  title: "several requests on a connection: where does a message end?",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "answers three requests on one connection",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        for (const number of [1, 2, 3]) {
          await peer.send(get(`/${number}`));
          await answers(
            peer,
            `GET /${number}`,
            `We sent request number ${number} ` +
              "on the same connection.",
            "HTTP/1.1 keeps the connection unless " +
              "somebody says otherwise. Answer in a loop.",
          );
        }
      },
    },
    {
      title: "answers two requests that come in one piece, in their order",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        await peer.send(get("/first") + get("/second"));
        const cause = "What stands behind the first blank line is the next " +
          "request. Keep it for the next turn.";
        await answers(
          peer,
          "GET /first",
          "We sent two requests in one piece.",
          cause,
        );
        await answers(
          peer,
          "GET /second",
          "We sent two requests in one piece, and " +
            "got the answer to the first.",
          cause,
        );
      },
    },
    {
      title: "reads a request's body, and does not take it for a request",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        const body = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";
        await peer.send(post(body) + get("/next"));
        await answers(
          peer,
          `POST ${body.length}`,
          "We sent a POST whose body looks " +
            "like a request, and a GET behind it.",
          "Content-Length says how many " +
            "bytes behind the blank line belong to the request.",
        );
        await answers(
          peer,
          "GET /next",
          "We sent a POST whose body looks like a " +
            "request, and GET /next behind it.",
          "Whoever takes a body for a request " +
            "answers a question that nobody asked: request smuggling. Skip exactly " +
            "Content-Length bytes.",
        );
      },
    },
    {
      title: "waits for a body that comes in pieces",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        const whole = post("ü".repeat(5_000));
        const bytes = new TextEncoder().encode(whole);
        await peer.send(bytes.subarray(0, 3_001));
        await peer.expectSilence(
          150,
          "We sent a part of a body, and an answer " +
            "came.",
          "Answer when as many bytes have come as Content-Length says.",
        );
        await peer.send(bytes.subarray(3_001));
        await peer.send(get("/x"));
        await answers(
          peer,
          "POST 10000",
          "We sent a body of 10,000 bytes in two " +
            "pieces.",
          "Count bytes, not characters.",
        );
        await answers(
          peer,
          "GET /x",
          "We sent a GET behind a body in pieces.",
          "Count bytes, not characters.",
        );
      },
    },
    {
      title: "closes when the client says Connection: close",
      async check(workplace) {
        await workplace.startServer();
        for (const field of ["Connection: close", "connection: Close"]) {
          const peer = await workplace.connect();
          await peer.send(get("/last", field));
          await answers(
            peer,
            "GET /last",
            `We sent "${field}".`,
            "Answer first.",
          );
          await peer.expectEnd(
            `We sent "${field}" and got the answer. The ` +
              "connection stayed open.",
            "The client announces its last request. " +
              "Names and this value are the same in any letter case.",
          );
        }
      },
    },
    {
      title: "refuses a length that is none, and closes",
      async check(workplace) {
        await workplace.startServer();
        for (const length of ["abc", "-1", "1, 2", "1e3"]) {
          const peer = await workplace.connect();
          await peer.send(
            `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nx`,
          );
          const asked = `We sent "Content-Length: ${length}".`;
          expectStatus(
            await readResponse(peer, asked),
            400,
            asked,
            "It must be " +
              "digits, and nothing else. Number() takes more than that.",
          );
          await peer.expectEnd(
            `${asked} After the 400 the connection stayed open.`,
            "Nobody knows where the next request begins. So the connection is over.",
          );
        }
      },
    },
    {
      title: "goes on when a client leaves between two requests",
      async check(workplace) {
        const program = await workplace.startServer();
        const gone = await workplace.connect();
        await gone.send(get("/a"));
        await answers(gone, "GET /a", "We sent a request.", "Answer it.");
        await gone.end();
        await gone.expectEnd(
          "We ended our side between two requests. The program " +
            "did not end its own.",
          "An end before a request is no error.",
        );
        const half = await workplace.connect();
        await half.send(
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        );
        half[Symbol.dispose]();
        await pause(100);
        const next = await workplace.connect();
        await next.send(get("/b"));
        await answers(
          next,
          "GET /b",
          "Two clients had left.",
          "One connection ends " +
            "alone.",
        );
        if (!program.status) return;
        throw new NotYet({
          inWords: true,
          property: "A client left, and the program ended.",
          expected: "the program goes on",
          came: `exit status ${program.status.code}`,
          cause: "Catch errors where one connection is served.",
        });
      },
    },
  ],
};

function get(path: string, ...fields: string[]): string {
  return ["GET " + path + " HTTP/1.1", "Host: a", ...fields, "\r\n"].join(
    "\r\n",
  );
}

function post(body: string): string {
  const { length } = new TextEncoder().encode(body);
  return `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

async function answers(
  peer: Peer,
  body: string,
  asked: string,
  cause: string,
): Promise<void> {
  const answer = await readResponse(peer, asked);
  expectStatus(answer, 200, asked, cause);
  if (answer.body === body) return;
  throw new NotYet({
    property: `${asked} The body of the answer was not the right one.`,
    expected: body,
    came: answer.body,
    cause,
  });
}

export default exercise;
