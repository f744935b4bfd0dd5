/**
 * The guide to `web`.
 *
 * @module
 */
import type { Guide } from "./guide.ts";
import { answered } from "./http.ts";
import {
  arrived,
  edited,
  ending,
  LOOK_INSIDE,
  messages,
  printed,
  textOf,
  when,
} from "./watch.ts";

/** Files over HTTP, on a connection that is kept. */
export const web: Guide = {
  example: "web",
  title: "Files, and a connection that stays",
  steps: [
    {
      title: "Ask for a file, and keep the line",
      do: "Press Start. Type /test.txt under the client, then y.",
      look:
        "Your y became Connection: Keep-Alive in the request. The answer comes, and no FIN follows.",
      done: (items) =>
        when([
          answered(items, 200),
          "a response that begins with HTTP/1.1 200",
        ]),
    },
    {
      title: "Ask again",
      do: "Type /nothing.html, then y.",
      look:
        "There is no second connect: both requests went over the same connection. The file is not there, so the status is 404.",
      done: (items) =>
        when(
          [answered(items, 404), "the answer 404"],
          [
            arrived(items, "client").every(({ connection }) =>
              connection === 1
            ) && arrived(items, "client").length >= 2,
            "two requests on one connection",
          ],
        ),
    },
    {
      ...LOOK_INSIDE,
      look:
        "The response's head says what kind of file it is (Content-Type), how long it is, and when it was changed.",
    },
    {
      title: "Ask for a part of a file",
      do:
        "Open the client's source. In the line with GET ${path}, write Range: bytes=0-4\\r\\n before Connection. Press Run edited, and ask for /test.txt, then y.",
      look:
        "The status is 206, Partial Content, with five bytes. A browser does this when it goes on with a download.",
      done: (items) =>
        when(
          [edited(items, "client"), "the client as you have edited it"],
          [answered(items, 206), "the answer 206"],
        ),
    },
    {
      title: "Try to break in",
      do: "Type /../deno.json into the client, then y.",
      look: "deno.json stands in the folder above public/. Does it come?",
      guess: {
        question:
          "Two dots lead to the folder above. Can a client read files there?",
        answers: [
          "Yes, if it knows their names.",
          "No: the server answers that there is no such file.",
          "No: the server ends the connection.",
        ],
        right: 1,
        because:
          "The server takes the dots out before it looks for a file, and it opens nothing outside its root. Deno's permission --allow-read=public is a second wall.",
      },
      done: (items) =>
        when([
          messages(items).some((event) =>
            event.from === "client" && /deno\.json/.test(textOf(event))
          ) && (answered(items, 404) || answered(items, 400)),
          "a request for /../deno.json, and its answer",
        ]),
    },
    {
      title: "Close",
      do: "Type / into the client, then n.",
      look:
        "Your n became Connection: Close. This server ends when a client says that, as its original does. Others only close the connection.",
      done: (items) =>
        when(
          [
            printed(items, "server", /^Close request received/),
            "the server, which reads that",
          ],
          [ending(items, "server")?.code === 0, "the server, which ends"],
        ),
    },
  ],
};
