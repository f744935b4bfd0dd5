/**
 * The guide to `udp`.
 *
 * @module
 */
import type { Item, PageEvent } from "../messages.ts";
import type { Guide } from "./guide.ts";

/** The datagrams of a run, each once, as they are now. */
function datagrams(items: readonly Item[]): PageEvent[] {
  const events = new Map<number, PageEvent>();
  for (const item of items) {
    if (item.kind === "wire" && item.event.kind === "datagram") {
      events.set(item.event.number, item.event);
    }
  }
  return [...events.values()];
}

/** Whether a program has ended with an exit status that is not 0. */
function hasFailed(items: readonly Item[], role: string): boolean {
  return items.some((item) =>
    item.kind === "program" && item.role === role && item.state === "ended" &&
    item.code !== 0
  );
}

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
        datagrams(items).filter(({ fate }) => fate === "delivered").length >= 2
          ? true
          : "two datagrams that arrive",
    },
    {
      title: "Look inside",
      do:
        "Click on the first arrow, or go to it with the arrow keys and press Enter.",
      look:
        "The text is 18 characters long, and 18 bytes. Nothing else was sent: UDP adds no end mark.",
      done: (items) =>
        items.some((item) => item.kind === "did" && item.action === "bytes")
          ? true
          : "a message that you open (or skip this step)",
    },
    {
      title: "See the time that it takes",
      do: "Open Network, choose slow-motion, and press Start again.",
      look:
        "Both arrows are slopes now. They take one second each way, so the answer comes two seconds after the question.",
      done: (items) =>
        datagrams(items).some(({ fate, sent, delivered }) =>
            fate === "delivered" && delivered !== null &&
            delivered - sent > 500_000
          )
          ? true
          : "a datagram that takes longer than half a second",
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
      done: (items) => {
        const isLost = datagrams(items).some(({ from, fate }) =>
          from === "server" && fate === "lost"
        );
        if (!isLost) return "an answer that is lost";
        return hasFailed(items, "client")
          ? true
          : "the client, which waits for up to three seconds";
      },
    },
    {
      title: "Be the network yourself",
      do:
        "Choose Calm, open Hold, switch it on, and Start again. Let the question through with Next. Then wait.",
      look:
        "The answer lies at the relay, in your hand. After three seconds the client gives up, although the answer is there.",
      done: (items) => {
        const isHeld =
          datagrams(items).some(({ marks }) => marks.includes("held")) ||
          items.some((item) => item.kind === "hold" && item.held.length > 0);
        if (!isHeld) return "a datagram that you hold";
        return hasFailed(items, "client") ? true : "the client, which gives up";
      },
    },
  ],
};
