/**
 * The guides to `tcp:chat` and `udp:chat`.
 *
 * @module
 */
import type { Item } from "../messages.ts";
import type { Guide, Step } from "./guide.ts";
import {
  arrived,
  ending,
  events,
  killed,
  messages,
  printed,
  textOf,
  typed,
  when,
} from "./watch.ts";

/** A character of several bytes in UTF-8. */
const FOREIGN = /[\u0080-\u{10ffff}]/u;

const talk: Step = {
  title: "Take turns",
  do:
    "Press Start. Type a line under the client and press Enter. Then answer under the server.",
  look:
    "The prompt moves from one side to the other. That is this chat's protocol: client, server, client.",
  done: (items) =>
    when(
      [typed(items, "client") > 0, "a line that you type into the client"],
      [typed(items, "server") > 0, "a line that you type into the server"],
      [arrived(items, "server").length > 0, "the answer, which arrives"],
    ),
};

const leave: Step = {
  title: "Say goodbye",
  do:
    "If the programs have ended, press Start again. Type exit into the client.",
  look:
    "Both programs end with status 0. “exit” is only a message: both have agreed on what it means.",
  done: (items) =>
    when([
      ended(items, "client") && ended(items, "server"),
      "both programs, which end with status 0",
    ]),
};

function ended(items: readonly Item[], role: string): boolean {
  return ending(items, role)?.code === 0;
}

/** Turns, characters of several bytes, and partners that vanish. */
export const tcpChat: Guide = {
  example: "tcp:chat",
  title: "Two people, one line",
  steps: [
    talk,
    {
      title: "Send a character of several bytes",
      do: "Type a line with ü, € or an emoji into the client.",
      look:
        "Compare the number of characters with the number of bytes. UTF-8 needs two bytes for ü, three for €, four for an emoji.",
      done: (items) =>
        when([
          arrived(items).some((event) => FOREIGN.test(textOf(event))),
          "a message with such a character",
        ]),
    },
    {
      title: "Cut a character in two",
      do:
        "In Network, choose “To the server” and set Cut to 1 byte. Answer under the server, then send ü from the client.",
      look: "There are two arrows of one byte each. What does the server show?",
      guess: {
        question:
          "The two bytes of ü arrive one by one. What does the server show?",
        answers: [
          "�� – each half is no character.",
          "ü – it waits for the other half.",
          "Nothing – a broken character is thrown away.",
        ],
        right: 1,
        because:
          "The server keeps the first byte until the second one is there. A program that decodes each read by itself would show two broken characters.",
      },
      done: (items) =>
        when(
          [
            messages(items).some(({ marks }) => marks.includes("piece")),
            "a message in pieces",
          ],
          [
            printed(items, "server", /^Client: .*[\u0080-\u{10ffff}]/u),
            "the server, which shows the character",
          ],
        ),
    },
    {
      title: "Kill the partner",
      do: "In Network, choose Calm. Then kill the server (End it, Kill).",
      look:
        "The client is told at once. When a program dies, its system still ends the connection for it.",
      done: (items) =>
        when(
          [killed(items, "server"), "a server that you kill"],
          [
            ending(items, "client") !== undefined,
            "the client, which notices",
          ],
        ),
    },
    leave,
  ],
};

/** The same talk without a connection: nobody is told what gets lost. */
export const udpChat: Guide = {
  example: "udp:chat",
  title: "Postcards",
  steps: [
    talk,
    {
      title: "Count the arrows",
      do: "Say one more thing on each side.",
      look:
        "There is one arrow for each line, and nothing else: no connect, no FIN. Neither side knows whether the other one is still there.",
      done: (items) =>
        when([
          arrived(items).length >= 4 &&
          events(items).every(({ kind }) => kind !== "connect"),
          "four datagrams in all",
        ]),
    },
    {
      title: "Lose an answer",
      do:
        "In Network, write down.loss=#1 under “Exactly which” and press Enter. Press Start again. Say something, and answer under the server.",
      look: "The arrow ends in ✕. Watch both sides for ten seconds.",
      guess: {
        question: "The server's answer is lost. What happens next?",
        answers: [
          "UDP sends it once more.",
          "The server is told, and says it again.",
          "Each side waits for the other one.",
        ],
        right: 2,
        because:
          "The server has spoken, so it waits for the client. The client has heard nothing, so it waits for the server. Only a clock helps: after ten seconds the client says that no answer has come.",
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
            printed(items, "client", /^No answer/),
            "the client, which says so after ten seconds",
          ],
        ),
    },
    {
      title: "Say it again",
      do: "Type the same line into the client once more.",
      look:
        "The server gets the line twice. It cannot know that you have only repeated yourself: the datagrams have no numbers.",
      done: (items) =>
        when([
          arrived(items, "client").length >= 2 &&
          messages(items).some(({ fate }) => fate === "lost"),
          "a second line from the client",
        ]),
    },
    {
      title: "Be a stranger",
      do:
        "Open Hold and “Send your own”. As a stranger, send hello to the server.",
      look:
        "The server looks at where each datagram comes from. It answers you that it is busy with somebody else.",
      done: (items) =>
        when(
          [
            messages(items).some(({ marks }) => marks.includes("injected")),
            "a datagram of your own",
          ],
          [
            messages(items).some((event) =>
              event.from === "server" && /busy/.test(textOf(event))
            ),
            "the server's answer to the stranger",
          ],
        ),
    },
    leave,
  ],
};
