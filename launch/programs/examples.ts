/**
 * The examples: which programs belong to each, and what the tour types.
 *
 * @module
 */
import type { LinkName } from "../wire/conditions/conditions.ts";
import type { Transport } from "../wire/relay.ts";

/** Where the first line of a server tells its port. */
export const LISTENING = /^.*(?:port |:)(\d+).*\n/;

/** One program of an example; `deno task EXAMPLE:ROLE` runs it alone. */
export interface Role {
  name: string;
  /** The task that runs it, if that is not `EXAMPLE:ROLE`. */
  task?: string;
  /**
   * Its arguments, given the ports of the servers that it talks to, and whether a
   * script is typed, so that there is no time to lose.
   */
  args(ports: Record<string, number>, scripted: boolean): string[];
  /** What it listens to; its first line says on which port. */
  listens?: Transport;
  /** The roles of the servers that it talks to. */
  talksTo?: string[];
  /** What it prints when it is ready, if that is not where it listens. */
  ready?: RegExp;
  /** A program of the system that runs instead of a task. */
  command?: string;
  /** What is shown of what it prints, if not all. */
  shown?: RegExp;
  /** The port that it has when it is started by hand. */
  port?: number;
  /** What its addresses begin with, if a client is given one: `http`. */
  scheme?: string;
  /** Whether it writes files: then it runs in a folder that goes afterwards. */
  writes?: true;
  /** Whether it ends by itself when its client is done. */
  endsWithClient?: true;
}

/** A line to type; not before some program has printed something since. */
export interface TypedLine {
  type: string;
  after: { role: string; prints: RegExp };
}

/** Programs that work together. */
export interface Example {
  /** Its tasks begin with it. */
  name: string;
  /** One line for people. */
  summary: string;
  /** A sentence that says what to look at in its picture. */
  look: string;
  /**
   * The programs from the one that asks to those that are asked: the columns of
   * the wire view. When the first, the client, ends, the example is over.
   */
  roles: [Role, ...Role[]];
  /** The lines that the tour types, each into the program that asks by then. */
  script: (string | TypedLine)[];
}

/** A relay that an example needs: between which roles, and what it is called. */
export interface LinkPlan extends LinkName {
  client: string;
  server: string;
}

/**
 * The relays of an example. A link has the name of its server; where several
 * programs talk to one, the first has it, and the others' are named after them.
 */
export function linksOf({ roles }: Example): LinkPlan[] {
  const links: LinkPlan[] = [];
  for (const server of roles) {
    const transport = server.listens;
    if (!transport) continue;
    for (const { name: client, talksTo } of roles) {
      if (!talksTo?.includes(server.name)) continue;
      const isFirst = !links.some((link) => link.server === server.name);
      const name = isFirst ? server.name : client;
      links.push({ name, client, server: server.name, transport });
    }
  }
  return links;
}

/** A server, and a client that is told its port. */
function pair(
  listens: Transport,
  port: number,
  server: Partial<Role> = { endsWithClient: true },
  client: Partial<Role> = {},
): [Role, Role] {
  return [
    {
      name: "client",
      args: ({ server }) => ["--port", `${server}`],
      talksTo: ["server"],
      ...client,
    },
    { name: "server", args: () => ["--port", "0"], listens, port, ...server },
  ];
}

const HTTP = { scheme: "http" } as const;

/** In the order of the tour. */
export const EXAMPLES: Example[] = [
  {
    name: "tcp",
    summary: "one message each way over a TCP connection",
    look:
      "The connection comes first, then one message each way. Look at who says that it sends no more.",
    roles: pair("tcp", 12345),
    script: [],
  },
  {
    name: "tcp:chat",
    summary: "two people take turns on a TCP connection",
    look:
      "Each line that is typed is one message. Look at the size of the hand: one character, four bytes.",
    roles: pair("tcp", 23456),
    script: ["Hello, server!", "Hello, client! 👋", "exit"],
  },
  {
    name: "udp",
    summary: "one datagram each way, without a connection",
    look: "No connection, no end: two datagrams, and nobody says goodbye.",
    roles: pair("udp", 12345),
    script: [],
  },
  {
    name: "udp:chat",
    summary: "two people take turns with datagrams",
    look:
      "The same talk without a connection. Count the arrows: there is one for each line, and no more.",
    roles: pair("udp", 23457),
    script: ["Hello, server!", "Hello, client! 👋", "exit"],
  },
  {
    name: "http",
    summary: "a web page from a server that speaks HTTP by hand",
    look:
      "HTTP is text. The client asks in a few lines that end in \\r\\n, and an empty line ends the request.",
    roles: pair("tcp", 8080, HTTP, { task: "web:client" }),
    script: ["/", "n"],
  },
  {
    name: "http:threaded",
    summary: "the same from a server that uses all cores",
    look:
      "The bytes are nearly those of the last picture. What differs is how many clients it can serve at a time.",
    roles: pair("tcp", 8080, HTTP, { task: "web:client" }),
    script: ["/", "n"],
  },
  {
    name: "http:serve",
    summary: "the same from Deno.serve, which speaks HTTP for you",
    look:
      "The request is the same, and Deno writes the response. Compare its headers with those made by hand.",
    roles: pair("tcp", 8080, HTTP, { task: "web:client" }),
    script: ["/", "n"],
  },
  {
    name: "broker",
    summary: "a broker passes each request to the server that can do it",
    look:
      "The client talks with the broker alone. Follow one text through four arrows, and count its bytes.",
    roles: [
      {
        name: "client",
        args: ({ broker }) => ["127.0.0.1", `${broker}`],
        talksTo: ["broker"],
      },
      {
        name: "broker",
        talksTo: ["toupper", "tolower"],
        args: ({ toupper, tolower }) => [
          ...["--port", "0", "--toupper", `127.0.0.1:${toupper}`],
          ...["--tolower", `127.0.0.1:${tolower}`],
        ],
        listens: "udp",
        port: 8082,
      },
      {
        name: "toupper",
        args: () => ["--port", "0"],
        listens: "udp",
        port: 8080,
      },
      {
        name: "tolower",
        args: () => ["--port", "0"],
        listens: "udp",
        port: 8081,
      },
    ],
    script: ["toupper:Hello, broker! 👋", "tolower:It's ONE: a colon", "exit"],
  },
  {
    name: "nats",
    summary: "the same, with any number of workers on any machines",
    look:
      "All of them talk with nats-server alone. Look for SUB, PUB and MSG: subscribe, publish, and what comes of it.",
    roles: [
      {
        name: "client",
        task: "broker:client",
        args: ({ broker }) => ["127.0.0.1", `${broker}`],
        talksTo: ["broker"],
      },
      {
        name: "broker",
        talksTo: ["nats"],
        args: ({ nats }) => [
          ...["--port", "0", "--nats", `nats://127.0.0.1:${nats}`],
        ],
        listens: "udp",
        port: 8082,
        ready: /Connected to/,
      },
      {
        name: "nats",
        command: "nats-server",
        args: () => ["--addr", "127.0.0.1", "--port", "-1"],
        listens: "tcp",
        ready: /Listening for client connections on .*:(\d+)/,
        port: 4222,
        scheme: "nats",
        shown: /Listening for client connections on .*/,
      },
      ...["toupper", "tolower"].map((operation) => ({
        name: operation,
        task: "nats:worker",
        talksTo: ["nats"],
        args: ({ nats }: Record<string, number>) => [
          ...["--nats", `nats://127.0.0.1:${nats}`, "--operation", operation],
        ],
        ready: /Waiting for requests/,
      })),
    ],
    script: ["toupper:Hello, broker! 👋", "tolower:It's ONE: a colon", "exit"],
  },
  {
    name: "web",
    summary: "files over HTTP, to a client that speaks it by hand",
    look:
      "Two requests on one connection: the first keeps it open, the second closes it.",
    roles: pair("tcp", 8080, { ...HTTP, endsWithClient: true }),
    script: ["/test.txt", "y", "/nothing.html", "n"],
  },
  {
    name: "incrementer",
    summary: "a client that counts while you type, a server that logs it all",
    look:
      "Each number ends in a blank (␣). The server knows the client by its number, also when it comes back.",
    roles: pair("tcp", 2004, { writes: true }, {
      args: ({ server }, scripted) => [
        ...["--port", `${server}`, "--id", "7"],
        ...(scripted ? ["--tick", "800", "--pause", "2000-2000"] : []),
      ],
    }),
    script: [
      "c",
      { type: "s", after: { role: "client", prints: /increment[^]*Number/ } },
      "c",
      { type: "s", after: { role: "client", prints: /Number/ } },
      "exit",
    ],
  },
  {
    name: "library",
    summary: "a request and a reply, with a server class that you choose",
    look:
      "The client says that it sends no more, so the server knows that the request is whole.",
    roles: pair("tcp", 1234, {}),
    script: [],
  },
];
