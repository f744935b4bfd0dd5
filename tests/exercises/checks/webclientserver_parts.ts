import { join } from "@std/path";
import type { Exercise } from "../exercise.ts";
import { expectStatus, readResponse, type Response } from "../http_response.ts";
import { NotYet } from "../verdict.ts";
import type { Workplace } from "../workplace.ts";

/** The file that is served: 26 bytes, each of them known. */
const TEXT = "abcdefghijklmnopqrstuvwxyz";

const exercise: Exercise = {
  name: "webclientserver/parts",
  title: "send a part of a file, or nothing if the client has it",
  role: "server",
  transport: "tcp",
  more: "README.md",
  flags: ["--allow-read={folder}"],
  steps: [
    {
      title: "sends the whole file, and says that it can send parts",
      async check(workplace) {
        await start(workplace);
        const answer = await ask(workplace, []);
        expectStatus(
          answer,
          200,
          "We asked for the file.",
          "Without Range it is 200.",
        );
        body(answer, TEXT, "We asked for the file.");
        field(answer, "accept-ranges", "bytes", "We asked for the file.");
      },
    },
    {
      title: "sends the first bytes, the middle, and from a place to the end",
      async check(workplace) {
        await start(workplace);
        await part(workplace, "bytes=0-4", 0, 4);
        await part(workplace, "bytes=10-10", 10, 10);
        await part(workplace, "bytes=20-", 20, 25);
        await part(workplace, "bytes=20-1000", 20, 25);
      },
    },
    {
      title: "sends the last bytes",
      async check(workplace) {
        await start(workplace);
        await part(workplace, "bytes=-3", 23, 25);
        await part(workplace, "bytes=-1000", 0, 25);
      },
    },
    {
      title: "answers 416 to a part that does not exist",
      async check(workplace) {
        await start(workplace);
        for (const range of ["bytes=26-30", "bytes=-0"]) {
          const asked = `We asked with "Range: ${range}".`;
          const answer = await ask(workplace, [`Range: ${range}`]);
          expectStatus(
            answer,
            416,
            asked,
            "The file has 26 bytes, from 0 to 25. " +
              "What begins behind them, or has no bytes, cannot be sent.",
          );
          field(answer, "content-range", "bytes */26", asked);
        }
      },
    },
    {
      title: "ignores a Range that it does not understand",
      async check(workplace) {
        await start(workplace);
        for (
          const range of ["bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=-"]
        ) {
          const asked = `We asked with "Range: ${range}".`;
          const answer = await ask(workplace, [`Range: ${range}`]);
          expectStatus(
            answer,
            200,
            asked,
            "What is no range of bytes is passed " +
              "over: the whole file is a right answer, too (RFC 9110, 14.2).",
          );
          body(answer, TEXT, asked);
        }
      },
    },
    {
      title: "sends nothing to a client that has the file already",
      async check(workplace) {
        await start(workplace);
        const first = await ask(workplace, []);
        const tag = first.fields.get("etag") ?? "";
        if (!/^"[^"]+"$/.test(tag)) {
          throw new NotYet({
            property: "The answer has no strong ETag.",
            expected: 'ETag: "…"',
            came: tag || "(no ETag)",
            cause: "A name for this version of the file, in quotation marks. " +
              "Its size and time of change make one.",
          });
        }
        for (const list of [tag, `"other", ${tag}`, `W/${tag}`, "*"]) {
          const asked = `We asked with "If-None-Match: ${list}".`;
          const answer = await ask(workplace, [`If-None-Match: ${list}`], true);
          expectStatus(
            answer,
            304,
            asked,
            "The client has this version. Answer 304 " +
              "without a body. The field may hold several tags, weak ones (W/), or *.",
          );
          field(answer, "etag", tag, asked);
        }
        const asked = 'We asked with "If-None-Match: "other"".';
        const answer = await ask(workplace, ['If-None-Match: "other"']);
        expectStatus(answer, 200, asked, "The client has another version.");
      },
    },
    {
      title: "compares dates, and gives a part only of the same version",
      async check(workplace) {
        const { time } = await start(workplace);
        const since = (ms: number) => new Date(time + ms).toUTCString();
        const first = await ask(workplace, []);
        field(first, "last-modified", since(0), "We asked for the file.");
        for (
          const [ms, status] of [[0, 304], [5_000, 304], [-5_000, 200]] as const
        ) {
          const text = `If-Modified-Since: ${since(ms)}`;
          const asked = `The file was changed at ${
            since(0)
          }. We asked with "${text}".`;
          const answer = await ask(workplace, [text], status === 304);
          expectStatus(
            answer,
            status,
            asked,
            "304, unless it was changed later than " +
              "that. The date has whole seconds; the file's time has not.",
          );
        }
        const tag = first.fields.get("etag") ?? "";
        await part(workplace, "bytes=0-4", 0, 4, [`If-Range: ${tag}`]);
        const asked =
          'We asked with "Range: bytes=0-4" and "If-Range: "other"".';
        const answer = await ask(workplace, [
          "Range: bytes=0-4",
          'If-Range: "other"',
        ]);
        expectStatus(
          answer,
          200,
          asked,
          "The client has a part of another version. " +
            "Parts of two versions do not make a file: send all of it.",
        );
        body(answer, TEXT, asked);
      },
    },
  ],
};

async function start(workplace: Workplace): Promise<{ time: number }> {
  const file = join(workplace.folder, "letters.txt");
  await Deno.writeTextFile(file, TEXT);
  const time = Date.UTC(2026, 0, 2, 3, 4, 5);
  // Not a whole second: as files are.
  await Deno.utime(file, (time + 500) / 1000, (time + 500) / 1000);
  await workplace.startServer(file);
  return { time };
}

async function ask(
  workplace: Workplace,
  fields: string[],
  head = false,
): Promise<Response> {
  const peer = await workplace.connect();
  const lines = ["GET / HTTP/1.1", "Host: 127.0.0.1", ...fields];
  await peer.send([...lines, "Connection: close", "\r\n"].join("\r\n"));
  const asked = `We asked with "${fields.join('" and "')}".`;
  return await readResponse(peer, asked, { head });
}

async function part(
  workplace: Workplace,
  range: string,
  from: number,
  to: number,
  more: string[] = [],
): Promise<void> {
  const asked = `We asked for 26 letters with "Range: ${range}".`;
  const answer = await ask(workplace, [`Range: ${range}`, ...more]);
  expectStatus(
    answer,
    206,
    asked,
    "A part is 206. Both ends of a range are in it; " +
      "an end behind the file is the file's; -3 is the last three bytes.",
  );
  field(answer, "content-range", `bytes ${from}-${to}/26`, asked);
  body(answer, TEXT.slice(from, to + 1), asked);
}

function body(answer: Response, expected: string, asked: string): void {
  if (answer.body === expected) return;
  throw new NotYet({
    property: `${asked} The body was not the right one.`,
    expected,
    came: answer.body,
    cause: "Bytes are counted from 0, and the last one that is named is in it.",
  });
}

function field(
  answer: Response,
  name: string,
  expected: string,
  asked: string,
): void {
  const came = answer.fields.get(name);
  if (came === expected) return;
  throw new NotYet({
    property: `${asked} The field ${name} was not the right one.`,
    expected,
    came: came ?? "(no such field)",
    cause: "RFC 9110, 14 has the form of each of these fields.",
  });
}

export default exercise;
