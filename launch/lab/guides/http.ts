/**
 * The guides to the three servers of `http/`.
 *
 * @module
 */
import type { Item } from "../messages.ts";
import type { Guide, Step } from "./guide.ts";
import {
  arrived,
  edited,
  ending,
  events,
  killed,
  LOOK_INSIDE,
  sinceRestart,
  textOf,
  when,
} from "./watch.ts";

/** Whether a response with such a status has arrived. */
export function answered(items: readonly Item[], status: number): boolean {
  return arrived(items, "server")
    .some((event) => textOf(event).startsWith(`HTTP/1.1 ${status} `));
}

const ask: Step = {
  title: "Ask for the page",
  do:
    "Press Start. Type / under the client and press Enter. Then type n, since one page is enough.",
  look:
    "One message asks, one answers. Both begin with a line that you can read, and headers follow.",
  done: (items) =>
    when([answered(items, 200), "a response that begins with HTTP/1.1 200"]),
};

const browse: Step = {
  title: "Your browser is a client, too",
  do:
    "Open http://127.0.0.1:8080 in another tab, or the port that the diagram names for the relay. If the programs have ended, press Start before.",
  look:
    "Your browser gets a connection of its own, with a number. Its request has many more headers, and it may ask for a picture (favicon) without being told to.",
  done: (items) =>
    when([
      arrived(items, "client").some((event) => /Mozilla/.test(textOf(event))),
      "a request from a browser",
    ]),
};

/** A page by hand: the request, the response, and who ends the connection. */
export const http: Guide = {
  example: "http",
  title: "A page by hand",
  steps: [
    ask,
    {
      ...LOOK_INSIDE,
      look:
        "Every line ends in \\r\\n. An empty line ends the head. Content-Length says how many bytes of page follow.",
    },
    {
      title: "Who ends the connection?",
      do: "Look at the dashed arrows below the response.",
      look:
        "The server sends its FIN first, because it answers one request and closes.",
      done: (items) =>
        when([
          events(items).some(({ kind, from }) =>
            kind === "end" && from === "server"
          ),
          "a FIN from the server",
        ]),
    },
    {
      title: "Stop in the middle of the request",
      do:
        "In Network, choose “To the server”, and set Stall to 10 bytes (it is under More). Press Start again and ask for / once more. Wait.",
      look: "Ten bytes of the request arrive, and then nothing more.",
      guess: {
        question:
          "The first ten bytes of a request arrive, and the rest never does. What does the server do?",
        answers: [
          "It waits for ever, and nobody else is served.",
          "It answers with status 408 after some seconds.",
          "It answers the ten bytes that it has.",
        ],
        right: 1,
        because:
          "This server serves one client after the other, so a client that is silent holds up all the others. A limit of five seconds ends that.",
      },
      done: (items) =>
        when([answered(items, 408), "the answer 408, after five seconds"]),
    },
    {
      title: "Say something that is not HTTP",
      do:
        "Choose Calm. Open the client's source. Find the line with GET ${path}, and change HTTP to HTPP there. Press Run edited, and ask for / again.",
      look:
        "The server cannot read that as HTTP, and says so: 400 Bad Request. An answer in HTTP tells more than a connection that just ends.",
      done: (items) =>
        when(
          [edited(items, "client"), "the client as you have edited it"],
          [answered(items, 400), "the answer 400"],
        ),
    },
    {
      title: "Write a page of your own",
      do:
        "Press Back to the original. Then open the server's source, change the text of the page, and press Run edited. Ask for / again.",
      look:
        "Content-Length has changed with the text. The client needs it to know where the page ends.",
      done: (items) =>
        when(
          [edited(items, "server"), "the server as you have edited it"],
          [answered(items, 200), "a response with status 200"],
        ),
    },
  ],
};

/** Many clients at a time. */
export const threaded: Guide = {
  example: "http:threaded",
  title: "Many at a time",
  steps: [
    ask,
    browse,
    {
      ...LOOK_INSIDE,
      look:
        "The response says Connection: close. This server, too, answers once and closes. It only serves many clients at the same time.",
    },
    {
      title: "Kill the server",
      do:
        "Press Start again. When the client asks you for a link, kill the server (End it, Kill). Then type / and n into the client.",
      look: "Nobody listens any more. What does the client say?",
      guess: {
        question: "The server is gone. How does the client find out?",
        answers: [
          "It is told at once, at the moment the server dies.",
          "Only when it tries to connect.",
          "It waits until its patience is over.",
        ],
        right: 1,
        because:
          "The client has no connection yet, so nobody can tell it anything. When it tries, the machine answers that nobody listens there.",
      },
      done: (items) =>
        when(
          [killed(items, "server"), "a server that you kill"],
          [
            ending(items, "client") !== undefined,
            "the client, which tries to connect",
          ],
        ),
    },
    {
      title: "Bring it back",
      do:
        "Press Start again. When the client asks you, kill the server, and then press Start above it. When it listens again, type / and n into the client.",
      look:
        "The client notices nothing. A server that keeps nothing between two requests is easy to replace.",
      done: (items) =>
        when(
          [
            sinceRestart(items, "server") !== null,
            "a server that you kill and start again",
          ],
          [
            answered(sinceRestart(items, "server") ?? [], 200),
            "a response from the new server",
          ],
        ),
    },
  ],
};

/** What the runtime does. */
export const serve: Guide = {
  example: "http:serve",
  title: "What the runtime does for you",
  steps: [
    ask,
    {
      ...LOOK_INSIDE,
      look:
        "Compare the headers with those of the server by hand. Deno has added some, and they are in small letters: HTTP does not care.",
    },
    browse,
    {
      title: "One byte at a time",
      do:
        "In Network, choose “To the server” and set Cut to 1 byte. Press Start again and ask for /.",
      look: "Each byte of the request is an arrow of its own.",
      guess: {
        question:
          "The request arrives in pieces of one byte. Does Deno.serve answer it?",
        answers: [
          "No: the first piece is no request, so it answers 400.",
          "Yes: it reads on until the empty line.",
          "Yes, but sixty times: once for each piece.",
        ],
        right: 1,
        because:
          "A stream has no borders, so every HTTP server must read until the head is whole. The runtime does that for you.",
      },
      done: (items) =>
        when(
          [
            arrived(items, "client").filter(({ size }) => size === 1).length >=
              10,
            "a request in pieces of one byte",
          ],
          [answered(items, 200), "the response"],
        ),
    },
    {
      title: "Break the answer off",
      do:
        "Choose Calm and “Back”, and set Reset to 100 bytes (it is under More). Press Start again and ask for /.",
      look:
        "The client gets a hundred bytes and then a reset. It knows from Content-Length that something is missing.",
      done: (items) =>
        when(
          [
            events(items).some(({ kind }) => kind === "reset"),
            "a connection that is reset",
          ],
          [
            items.some((item) =>
              item.kind === "line" && item.role === "client" &&
              item.stream === "stderr"
            ),
            "the client, which complains",
          ],
        ),
    },
  ],
};
