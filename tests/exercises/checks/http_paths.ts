import type { Exercise } from "../exercise.ts";
import { expectOver, expectStatus, readResponse } from "../http_response.ts";
import { NotYet } from "../verdict.ts";
import type { Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "http/paths",
  title: "choose by path: 200, 400, 404, 405",
  role: "server",
  transport: "tcp",
  steps: [
    {
      title: "has another page at each path",
      async check(workplace) {
        await workplace.startServer();
        await gets(workplace, "/", 200, "home");
        await gets(workplace, "/about", 200, "about");
        await gets(
          workplace,
          "/about?from=home",
          200,
          "about",
          "What stands " +
            "behind the ? is the query. It does not belong to the path.",
        );
      },
    },
    {
      title: "answers 404 at a path that it does not know",
      async check(workplace) {
        await workplace.startServer();
        for (const path of ["/nothing", "/aboutx", "/about/", "/constructor"]) {
          await gets(
            workplace,
            path,
            404,
            undefined,
            "A path is known only if it " +
              "is equal to one of yours. (An object knows more names than you gave " +
              "it: use a Map.)",
          );
        }
      },
    },
    {
      title: "reads a path that is percent-encoded",
      async check(workplace) {
        await workplace.startServer();
        await gets(
          workplace,
          "/%61bout",
          200,
          "about",
          "decodeURIComponent() " +
            "turns %61 into a. Compare after that.",
        );
        await gets(
          workplace,
          "/%zz",
          400,
          undefined,
          "%zz is no escape: " +
            "decodeURIComponent() throws. That is the client's mistake.",
        );
      },
    },
    {
      title: "gives nobody what lies outside, whatever the path says",
      async check(workplace) {
        await workplace.startServer();
        const out = ["/../secret", "/about/../../secret", "/%2e%2e/secret"];
        for (const path of out) {
          const asked = `We asked for ${path}.`;
          const answer = await send(workplace, request("GET", path), asked);
          if (answer.status === 400 || answer.status === 404) continue;
          expectStatus(
            answer,
            404,
            asked,
            ".. goes up. A path with it is none of " +
              "yours, in whatever form it is written.",
          );
        }
      },
    },
    {
      title: "answers 405 to other methods, and says which it knows",
      async check(workplace) {
        await workplace.startServer();
        const asked = "We sent DELETE /about.";
        const answer = await send(
          workplace,
          request("DELETE", "/about"),
          asked,
        );
        expectStatus(
          answer,
          405,
          asked,
          "The path is there, the method is not.",
        );
        const allow = answer.fields.get("allow") ?? "";
        const names = allow.split(",").map((name) => name.trim()).sort();
        if (names.join() === "GET,HEAD") return;
        throw new NotYet({
          property: `${asked} The answer does not say what is allowed.`,
          expected: "Allow: GET, HEAD",
          came: allow || "(no Allow)",
          cause: "An answer with 405 must say so (RFC 9110, 15.5.6).",
        });
      },
    },
    {
      title: "answers 400 without exactly one Host",
      async check(workplace) {
        await workplace.startServer();
        for (
          const [what, head] of [
            ["no Host", "GET / HTTP/1.1\r\n\r\n"],
            ["two of Host", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
          ] as const
        ) {
          const asked = `We sent a request with ${what}.`;
          const answer = await send(workplace, head, asked);
          expectStatus(
            answer,
            400,
            asked,
            "A request of HTTP/1.1 has one Host " +
              "field (RFC 9112, 3.2). Names of fields: any letter case.",
          );
        }
        const small = "GET / HTTP/1.1\r\nhOST: a\r\n\r\n";
        const asked = "We sent the field Host as hOST.";
        expectStatus(
          await send(workplace, small, asked),
          200,
          asked,
          "Names of " +
            "fields may be written in any letter case.",
        );
      },
    },
    {
      title: "answers 431 to a head that is too long, before memory does",
      async check(workplace) {
        await workplace.startServer();
        const peer = await workplace.connect();
        const asked = "We sent a head of 100,000 bytes.";
        const sending = peer.send(
          `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(100_000)}`,
        );
        const answer = await readResponse(peer, asked);
        expectStatus(
          answer,
          431,
          asked,
          "Stop reading at 16,384 bytes, answer, " +
            "end your side, and read on until the client has ended: to close " +
            "while bytes wait unread is a reset.",
        );
        await sending;
        peer[Symbol.dispose]();
        await gets(workplace, "/", 200, "home");
      },
    },
  ],
};

function request(method: string, path: string): string {
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
}

async function send(workplace: Workplace, head: string, asked: string) {
  const peer = await workplace.connect();
  await peer.send(head);
  const answer = await readResponse(peer, asked);
  await expectOver(peer, asked);
  return answer;
}

async function gets(
  workplace: Workplace,
  path: string,
  status: number,
  word?: string,
  cause = "Take the path out of the request line, and look which page it is.",
): Promise<void> {
  const asked = `We asked for ${path}.`;
  const answer = await send(workplace, request("GET", path), asked);
  expectStatus(answer, status, asked, cause);
  if (word === undefined || answer.body.includes(word)) return;
  throw new NotYet({
    inWords: true,
    property: `${asked} It was not the right page.`,
    expected: `a page with the word "${word}"`,
    came: answer.body,
    cause,
  });
}

export default exercise;
