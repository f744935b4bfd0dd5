import type { Exercise } from "../exercise.ts";
import { CannotTell, NotYet } from "../verdict.ts";
import type { Datagram, Socket, Workplace } from "../workplace.ts";

const MATCH =
  "Give each request a number of its own, and keep a Map from the " +
  "number to the client's address. The answer brings the number back.";

const exercise: Exercise = {
  name: "broker/by-number",
  title: "a broker that gives each answer to the one who asked",
  role: "server",
  transport: "udp",
  more: "7002",
  steps: [
    {
      title: "hands a request on with a number, and its answer back without",
      async check(workplace) {
        const server = await start(workplace);
        const client = workplace.socket();
        await client.send("hello: world");
        const request = await next(server, "hello: world");
        await answer(server, request);
        await gets(
          client,
          "HELLO: WORLD",
          "One client asked.",
          "Send the answer " +
            "without its number to the address that asked.",
        );
      },
    },
    {
      title: "gives three clients who ask the same each their own answer",
      async check(workplace) {
        const server = await start(workplace);
        const clients = [1, 2, 3].map(() => workplace.socket());
        const requests: Request[] = [];
        for (const client of clients) {
          await client.send("same");
          requests.push(await next(server, "same"));
        }
        for (const index of [1, 2, 0]) {
          const { number, from } = requests[index] ??
            await next(server, "same");
          await server.send(`${number} for ${index + 1}`, from);
          const client = clients[index] ?? workplace.socket();
          await gets(
            client,
            `for ${index + 1}`,
            "Three clients asked the same. " +
              "The second was answered first.",
            MATCH,
          );
        }
      },
    },
    {
      title: "matches a hundred answers that come in another order",
      async check(workplace) {
        const server = await start(workplace);
        const clients = Array.from({ length: 100 }, () => workplace.socket());
        const requests = new Map<string, Request>();
        const sent = performance.now();
        for (const [index, client] of clients.entries()) {
          await client.send(`text ${index}`);
        }
        while (requests.size < clients.length) {
          const request = await next(server);
          requests.set(request.text, request);
        }
        if (performance.now() - sent > 1_500) {
          throw new CannotTell(
            "This machine was too busy for 100 requests.",
            true,
          );
        }
        for (const request of [...requests.values()].reverse()) {
          await answer(server, request);
        }
        for (const [index, client] of clients.entries()) {
          await gets(
            client,
            `TEXT ${index}`,
            "A hundred clients asked. The last " +
              "one was answered first.",
            MATCH,
          );
        }
      },
    },
    {
      title: "hands on an answer that comes twice only once",
      async check(workplace) {
        const server = await start(workplace);
        const client = workplace.socket();
        await client.send("one");
        const request = await next(server, "one");
        await answer(server, request);
        await answer(server, request);
        await gets(client, "ONE", "The server answered twice.", "Answer.");
        await nothing(
          client,
          "The server answered twice, and the client got both.",
          "Once it is answered, take a request out of the Map.",
        );
      },
    },
    {
      title: "tells a client that the server does not answer, and nobody else",
      async check(workplace) {
        const server = await start(workplace);
        const [a, b] = [workplace.socket(), workplace.socket()];
        const sent = performance.now();
        await a.send("lost");
        const lost = await next(server, "lost");
        await b.send("found");
        await answer(server, await next(server, "found"));
        await gets(
          b,
          "FOUND",
          "The server left one request without an answer. " +
            "Another client asked.",
          "Do not wait for one answer before you look at " +
            "the next request.",
        );
        const complaint = await a.receive(6_000);
        const took = (complaint?.at ?? 0) - sent;
        if (complaint && took < 1_500) {
          throw new NotYet({
            inWords: true,
            property: "The server had not answered for " +
              `${(took / 1000).toFixed(1)} s. Its client was told already.`,
            expected: "error: no answer, after 2 s",
            came: `${complaint.text}, after ${(took / 1000).toFixed(1)} s`,
            cause: "A server may take its time. The timer is 2,000 ms.",
          });
        }
        if (complaint?.text !== "error: no answer") {
          throw new NotYet({
            property: "The server left a request without an answer. " +
              (complaint
                ? "Its client was told in other words."
                : "After 6 s its client had not been told."),
            expected: "error: no answer",
            came: complaint?.text ?? "(no datagram)",
            cause:
              "Set a timer of 2 s for each request. If it is still in the Map " +
              "then, take it out and send an error.",
          });
        }
        // Now the answer comes, too late.
        await answer(server, lost);
        await b.send("after");
        await answer(server, await next(server, "after"));
        await gets(
          b,
          "AFTER",
          "An answer had come too late.",
          "Numbers are used " +
            "once. An answer whose number is not in the Map is nobody's.",
        );
        await nothing(
          a,
          "A client had been told of an error. Then it got the late " +
            "answer.",
          "Take the request out of the Map when you give it up.",
        );
      },
    },
    {
      title: "believes nobody but its server",
      async check(workplace) {
        const server = await start(workplace);
        const client = workplace.socket(), stranger = workplace.socket();
        await client.send("truth");
        const request = await next(server, "truth");
        await stranger.send(`${request.number} lies`, request.from);
        await new Promise((resolve) => setTimeout(resolve, 100));
        await answer(server, request);
        await gets(
          client,
          "TRUTH",
          "A stranger answered first, with the right " +
            "number.",
          "receive() tells who sent a datagram. Compare it with the " +
            "server's address.",
        );
      },
    },
  ],
};

/** A request as the server gets it. */
interface Request {
  number: string;
  text: string;
  from: Deno.NetAddr;
}

/** Starts the broker; returns the socket of the server behind it. */
async function start(workplace: Workplace): Promise<Socket> {
  const server = workplace.socket();
  await workplace.startServer(`${server.port}`);
  return server;
}

/** The next request that reaches the server. */
async function next(server: Socket, text?: string): Promise<Request> {
  const datagram: Datagram | undefined = await server.receive();
  const [, number = "", rest] = /^(\d+) (.*)$/s.exec(datagram?.text ?? "") ??
    [];
  if (datagram && rest !== undefined && rest === (text ?? rest)) {
    return { number, text: rest, from: datagram.from };
  }
  throw new NotYet({
    property:
      "A client asked. The server did not get the request as it should.",
    expected: `1 ${text ?? "text 0"}`,
    came: datagram?.text ?? "(no datagram)",
    cause:
      "Send a number, a blank and the text to 127.0.0.1 and the port that is " +
      "the second argument.",
  });
}

async function answer(server: Socket, request: Request): Promise<void> {
  const { number, text, from } = request;
  await server.send(`${number} ${text.toUpperCase()}`, from);
}

async function gets(
  client: Socket,
  text: string,
  what: string,
  cause: string,
): Promise<void> {
  await client.expect(text, `${what} A client did not get its answer.`, cause);
}

async function nothing(
  client: Socket,
  property: string,
  cause: string,
): Promise<void> {
  const datagram = await client.receive(200);
  if (!datagram) return;
  throw new NotYet({ property, expected: "", came: datagram.text, cause });
}

export default exercise;
