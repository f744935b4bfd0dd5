/**
 * The guide to `tcp`.
 *
 * @module
 */
import type { Guide } from "./guide.ts";
import {
  arrived,
  delay,
  edited,
  events,
  failed,
  held,
  LOOK_INSIDE,
  messages,
  printed,
  textOf,
  when,
} from "./watch.ts";

/** A connection, what goes over it, and how it ends. */
export const tcp: Guide = {
  example: "tcp",
  title: "A telephone call",
  steps: [
    {
      title: "Make the call",
      do: "Press Start.",
      look:
        "First the client connects. Then one message goes each way. Then each side says that it sends no more: FIN. A connection has two directions, and each one ends by itself.",
      done: (items) =>
        when(
          [arrived(items).length >= 2, "a message each way"],
          [
            events(items).filter(({ kind }) => kind === "end").length >= 2,
            "a FIN from each side",
          ],
        ),
    },
    {
      ...LOOK_INSIDE,
      look:
        "The message has 18 bytes, one for each character. There is no mark at its end: a stream has none.",
    },
    {
      title: "See the time that it takes",
      do: "Open Network, choose slow-motion, and press Start again.",
      look:
        "Every arrow is a slope. The connection alone costs the client a second before it can send, because nobody listens sooner.",
      done: (items) =>
        when([
          arrived(items).some((event) => delay(event) > 500_000),
          "a message that takes longer than half a second",
        ]),
    },
    {
      title: "Cut the message into pieces",
      do:
        "In Network, choose Calm and “To the server”, and set Cut to 3 bytes. Press Start again.",
      look:
        "The first piece arrives alone, and the server takes it for the whole message.",
      guess: {
        question:
          "The client writes “Hello from client!” once. The network delivers it in pieces of three bytes. The server reads once. What does it print?",
        answers: [
          "Hello from client! – TCP puts the pieces together again.",
          "Hel – one read gives what is there by then.",
          "Nothing – a piece of a message is an error.",
        ],
        right: 1,
        because:
          "TCP keeps the order of bytes, and nothing else. A read returns what has arrived so far. Programs must say themselves where a message ends.",
      },
      done: (items) =>
        when(
          [
            messages(items).some(({ marks }) => marks.includes("piece")),
            "a message in pieces",
          ],
          [
            printed(items, "server", /^Client says: /),
            "the server, which prints what it has read",
          ],
        ),
    },
    {
      title: "Hold the message",
      do:
        "Choose Calm. Open Hold, switch it on, and press Start again. Wait as long as you like. Then press Release all.",
      look:
        "Both programs wait. TCP has no clock for you: without a time limit of its own, a program waits for ever.",
      done: (items) =>
        when(
          [held(items), "a message that you hold"],
          [
            arrived(items).some(({ marks }) => marks.includes("held")),
            "the message, which you let through",
          ],
        ),
    },
    {
      title: "Break the connection",
      do:
        "With Hold still on, press Start again. At the end of Hold, open “Break the connection” and press Reset.",
      look:
        "A reset (RST) ends both directions at once. The client gets an error instead of an answer, and says so in one line.",
      done: (items) =>
        when(
          [
            events(items).some(({ kind }) => kind === "reset"),
            "a connection that you reset",
          ],
          [failed(items, "client"), "the client, which gives up"],
        ),
    },
    {
      title: "Say something else",
      do:
        "Switch Hold off. Open the client's source, change the text that it sends, and press Run edited.",
      look: "The server prints your words. It knows nothing of your change.",
      done: (items) =>
        when(
          [edited(items, "client"), "the client as you have edited it"],
          [
            arrived(items, "client").some((event) =>
              textOf(event) !== "Hello from client!"
            ),
            "a message with other words",
          ],
        ),
    },
  ],
};
