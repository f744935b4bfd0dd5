/**
 * The guide to `library`.
 *
 * @module
 */
import type { Guide } from "./guide.ts";
import {
  arrived,
  delay,
  edited,
  events,
  held,
  LOOK_INSIDE,
  textOf,
  when,
} from "./watch.ts";

/** A request that ends with a FIN. */
export const library: Guide = {
  example: "library",
  title: "When is a request whole?",
  steps: [
    {
      title: "One request, one reply",
      do: "Press Start.",
      look:
        "The client's FIN comes before the reply. It means: that was my whole request. The other direction stays open.",
      done: (items) =>
        when(
          [arrived(items, "server").length > 0, "a reply"],
          [
            events(items).some(({ kind, from }) =>
              kind === "end" && from === "client"
            ),
            "the client's FIN",
          ],
        ),
    },
    {
      ...LOOK_INSIDE,
      look:
        "There is nothing but the text: no length before it, no mark behind it. The FIN is the mark.",
    },
    {
      title: "Slow motion",
      do: "Open Network, choose slow-motion, and press Start again.",
      look:
        "The request and its FIN travel side by side. The reply starts when the server has read both.",
      done: (items) =>
        when([
          arrived(items).some((event) => delay(event) > 500_000),
          "a message that takes longer than half a second",
        ]),
    },
    {
      title: "Hold the FIN back",
      do:
        "Choose Calm, open Hold, switch it on, and press Start again. Let the request through, but not the FIN that waits behind it.",
      look:
        "The request is there, and its end is not. A reply would wait at the relay, too. Does one come?",
      guess: {
        question: "The request arrives, but its FIN does not. What happens?",
        answers: [
          "The server waits for the FIN, for ever.",
          "The server replies after a short silence, because the request is short.",
          "The server breaks the connection off.",
        ],
        right: 1,
        because:
          "The original client sends no FIN. So a request of up to 1,024 bytes also ends when nothing follows for 20 ms. A longer one waits for the FIN.",
      },
      done: (items) =>
        when(
          [held(items), "something that you hold"],
          [
            events(items).some((event) =>
              event.kind === "message" && event.from === "server"
            ),
            "the server's reply",
          ],
        ),
    },
    {
      title: "A protocol of your own",
      do:
        "Switch Hold off. Open the server's source, change what it replies, and press Run edited.",
      look:
        "You changed one method. The library does the sockets, the waiting and the ends.",
      done: (items) =>
        when(
          [edited(items, "server"), "the server as you have edited it"],
          [
            arrived(items, "server").some((event) =>
              textOf(event) !== "Hello Client!"
            ),
            "another reply",
          ],
        ),
    },
  ],
};
