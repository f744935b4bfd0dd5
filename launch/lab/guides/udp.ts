/**
 * The guide to `udp`.
 *
 * @module
 */
import type { Guide } from "./guide.ts";
import {
  arrived,
  delay,
  failed,
  held,
  LOOK_INSIDE,
  messages,
  when,
} from "./watch.ts";

/** Two datagrams, and what happens when one of them is lost. */
export const udp: Guide = {
  example: "udp",
  title: "A letter without a receipt",
  steps: [
    {
      title: "Send one datagram each way",
      do: "Press Start.",
      look:
        "There are two arrows and no connection. Each arrow is one datagram: a packet that travels alone.",
      done: (items) =>
        when([arrived(items).length >= 2, "two datagrams that arrive"]),
    },
    {
      ...LOOK_INSIDE,
      look:
        "The text is 18 characters long, and 18 bytes. Nothing else was sent: UDP adds no end mark.",
    },
    {
      title: "See the time that it takes",
      do: "Open Network, choose slow-motion, and press Start again.",
      look:
        "Both arrows are slopes now. They take one second each way, so the answer comes two seconds after the question.",
      done: (items) =>
        when([
          arrived(items).some((event) => delay(event) > 500_000),
          "a datagram that takes longer than half a second",
        ]),
    },
    {
      title: "Lose the answer",
      do:
        "In Network, choose Calm, then write down.loss=#1 under “Exactly which” and press Enter. Start again.",
      look: "The answer's arrow ends in ✕. Who notices, and when?",
      guess: {
        question:
          "The server's answer gets lost. Which of the two programs can tell?",
        answers: [
          "Both: the network reports the loss to both sides.",
          "The server: it sent the datagram, so it is told.",
          "Only the client: it waits for an answer that does not come.",
        ],
        right: 2,
        because:
          "Nobody reports a lost datagram. The client only notices that it has waited for too long, and it cannot know whether its question or the answer was lost.",
      },
      done: (items) =>
        when(
          [
            messages(items).some(({ from, fate }) =>
              from === "server" && fate === "lost"
            ),
            "an answer that is lost",
          ],
          [
            failed(items, "client"),
            "the client, which waits for up to three seconds",
          ],
        ),
    },
    {
      title: "Be the network yourself",
      do:
        "Choose Calm, open Hold, switch it on, and Start again. Let the question through with Next. Then wait.",
      look:
        "The answer lies at the relay, in your hand. After three seconds the client gives up, although the answer is there.",
      done: (items) =>
        when(
          [held(items), "a datagram that you hold"],
          [failed(items, "client"), "the client, which gives up"],
        ),
    },
  ],
};
