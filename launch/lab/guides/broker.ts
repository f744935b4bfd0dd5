/**
 * The guides to `broker` and `nats`.
 *
 * @module
 */
import type { Item } from "../messages.ts";
import type { Guide, Step } from "./guide.ts";
import {
  arrived,
  delay,
  killed,
  LOOK_INSIDE,
  messages,
  sinceRestart,
  textOf,
  when,
} from "./watch.ts";

/** Whether the client has got an answer like this. */
function replied(items: readonly Item[], pattern: RegExp): boolean {
  return arrived(items, "server", "broker")
    .some((event) => pattern.test(textOf(event)));
}

const NO_ERROR = /^(?!error: )/;

const restart: Step = {
  title: "Bring it back",
  do:
    "Press Start above toupper. When it says that it waits, type toupper:back into the client.",
  look:
    "The answer comes again. Nobody had to start the client or the broker again.",
  done: (items) =>
    when(
      [
        sinceRestart(items, "toupper") !== null,
        "toupper, which you kill and start again",
      ],
      [
        replied(sinceRestart(items, "toupper") ?? [], NO_ERROR),
        "an answer in capitals after that",
      ],
    ),
};

/** One program between a client and servers that it never meets. */
export const broker: Guide = {
  example: "broker",
  title: "The one in the middle",
  steps: [
    {
      title: "Follow a text",
      do: "Press Start. Type toupper:hello into the client.",
      look:
        "There are four arrows: to the broker, to toupper, back, and back. The client never meets toupper.",
      done: (items) => when([replied(items, NO_ERROR), "an answer"]),
    },
    {
      title: "Ask for the other one",
      do: "Type tolower:HELLO into the client.",
      look:
        "The broker reads the word before the first colon, and asks another server. It sends only what stands behind the colon.",
      done: (items) =>
        when([
          arrived(items, "server", "tolower").length > 0,
          "an answer from tolower",
        ]),
    },
    {
      ...LOOK_INSIDE,
      look:
        "Open a question and its copy to the server. The second one is shorter by the word and the colon.",
    },
    {
      title: "Lose the question",
      do:
        "In Network, choose the link to toupper, write up.loss=#1 under “Exactly which” and press Enter. Press Start again, and ask toupper:hello.",
      look:
        "The broker hears nothing, and asks toupper again. The client only sees that it takes longer.",
      done: (items) =>
        when(
          [
            messages(items).some(({ link, fate }) =>
              link === "toupper" && fate === "lost"
            ),
            "a question that is lost",
          ],
          [replied(items, NO_ERROR), "the client's answer"],
        ),
    },
    {
      title: "An answer that comes too late",
      do:
        "Choose Calm for toupper. Then choose “Back” and write 3000 into Delay. Press Start again. Ask toupper:late, and wait some seconds.",
      look:
        "The answer of toupper arrives at the broker at last. Where does it go?",
      guess: {
        question:
          "Toupper's answer needs longer than the broker's patience. What does the client get?",
        answers: [
          "The answer, only later.",
          "An error first, and the answer later.",
          "An error, and the late answer is thrown away.",
        ],
        right: 2,
        because:
          "After two seconds the broker says error. What comes later meets nobody: the broker has closed that question, so a late answer cannot reach somebody else's.",
      },
      done: (items) =>
        when(
          [replied(items, /^error: /), "an error after two seconds"],
          [
            messages(items).some((event) =>
              event.link === "toupper" && delay(event) > 2_000_000
            ),
            "a datagram that is late",
          ],
        ),
    },
    {
      title: "One server is gone",
      do:
        "Choose Calm for toupper, and press Start again. When the client asks you, kill toupper (End it, Kill). Ask toupper:hello, then tolower:HELLO.",
      look:
        "The first request costs an error, within two seconds. The second one is answered as ever.",
      done: (items) =>
        when(
          [killed(items, "toupper"), "a toupper that you kill"],
          [replied(items, /^error: /), "an error for its request"],
          [
            arrived(items, "server", "tolower").length > 0,
            "an answer from tolower",
          ],
        ),
    },
    restart,
  ],
};

/** The same, with everybody connected to NATS. */
export const nats: Guide = {
  example: "nats",
  title: "Nobody knows where anybody is",
  steps: [
    {
      title: "Ask for capitals",
      do: "Press Start. Type toupper:hello into the client.",
      look:
        "The broker and both workers have a connection to nats, and to nobody else. The text goes through nats to a worker and back.",
      done: (items) => when([replied(items, NO_ERROR), "an answer"]),
    },
    {
      ...LOOK_INSIDE,
      look:
        "NATS speaks in lines. SUB says what a worker wants to hear, PUB publishes, and MSG brings what somebody has published.",
    },
    {
      title: "Take the worker away",
      do:
        "Kill toupper (End it, Kill). Then type toupper:hello into the client.",
      look: "See how long the client waits, and what it gets.",
      guess: {
        question:
          "The only worker for toupper is dead. How soon does the client know?",
        answers: [
          "Never: nobody answers.",
          "After two seconds, when the broker's patience is over.",
          "At once: nats knows that nobody has subscribed.",
        ],
        right: 2,
        because:
          "The worker's connection ended with it, so nats knows that nobody listens to this subject, and says so to the broker.",
      },
      done: (items) =>
        when(
          [killed(items, "toupper"), "a toupper that you kill"],
          [replied(items, /^error: /), "an error"],
        ),
    },
    restart,
    {
      title: "Slow down one worker",
      do:
        "In Network, choose the link to nats that tolower has, and write 500 into Delay. Ask tolower:HELLO.",
      look:
        "Only this worker's connection is slow. The broker and the other worker don't notice.",
      done: (items) =>
        when([
          arrived(items).some((event) =>
            event.link === "tolower" && delay(event) > 400_000
          ),
          "a message of tolower that is late",
        ]),
    },
  ],
};
