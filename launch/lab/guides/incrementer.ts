/**
 * The guide to `incrementer`.
 *
 * @module
 */
import type { Guide } from "./guide.ts";
import {
  arrived,
  ending,
  LOOK_INSIDE,
  messages,
  sinceRestart,
  typed,
  when,
} from "./watch.ts";

/** Counting while you type, and a server that remembers. */
export const incrementer: Guide = {
  example: "incrementer",
  title: "Who was number seven?",
  steps: [
    {
      title: "Count",
      do:
        "Press Start. Type c into the client. Wait for some numbers, then type s.",
      look:
        "The client counts and sends while it still listens to your keyboard. s stops it.",
      done: (items) =>
        when(
          [arrived(items, "client").length >= 2, "numbers that arrive"],
          [typed(items, "client") >= 2, "an s that you type"],
        ),
    },
    {
      ...LOOK_INSIDE,
      look:
        "Each number ends in a blank. That is the sentinel: it marks the end, because it can never be part of a number.",
    },
    {
      title: "Cut the numbers",
      do:
        "In Network, choose “To the server” and set Cut to 1 byte. Type c into the client.",
      look: "Each digit arrives alone. Does the server log wrong numbers?",
      guess: {
        question:
          "The number 12 arrives as “1”, then “2”, then a blank. What does the server log?",
        answers: [
          "1 and 2, two numbers.",
          "12, because it waits for the blank.",
          "Nothing, because a number was cut.",
        ],
        right: 1,
        because:
          "The server collects bytes until the sentinel comes. That is what a mark at the end of a message is good for.",
      },
      done: (items) =>
        when(
          [
            messages(items).filter((event) =>
              event.from === "client" && event.marks.includes("piece")
            ).length >= 2,
            "numbers in pieces",
          ],
          [
            arrived(items, "server").length > 0,
            "the server's answers",
          ],
        ),
    },
    {
      title: "Kill the client",
      do:
        "Choose Calm. Kill the client (End it, Kill), press Start above it, and type c.",
      look:
        "The server knows it again by its number, and goes on where it was.",
      done: (items) =>
        when(
          [
            sinceRestart(items, "client") !== null,
            "a client that you kill and start again",
          ],
          [
            arrived(sinceRestart(items, "client") ?? [], "server").length > 0,
            "the server's answer to it",
          ],
        ),
    },
    {
      title: "Kill the server",
      do:
        "While the client counts, kill the server. Press Start above it, and type c into the client once more.",
      look:
        "The server reads its log and knows its clients. What it has answered is in the log, even after kill -9.",
      done: (items) =>
        when(
          [
            sinceRestart(items, "server") !== null,
            "a server that you kill and start again",
          ],
          [
            arrived(sinceRestart(items, "server") ?? [], "server").length > 0,
            "its answer to the client",
          ],
        ),
    },
    {
      title: "Leave",
      do: "If the client has ended, start it again. Type exit into it.",
      look:
        "The client says goodbye, so the server logs that it has left. A client that is killed cannot say that.",
      done: (items) =>
        when([
          ending(items, "client")?.code === 0,
          "the client, which ends with status 0",
        ]),
    },
  ],
};
