/**
 * The examples: which programs belong to each, and what the tour types.
 *
 * @module
 */

/** One program of an example; `deno task EXAMPLE:ROLE` runs it alone. */
export interface Role {
  name: string;
  /** Its arguments, given the ports of the servers that started before it. */
  args(ports: Record<string, number>): string[];
  /** Whether it ends by itself when its client is done. */
  endsWithClient?: true;
}

/** Programs that work together. */
export interface Example {
  /** Its tasks begin with it. */
  name: string;
  /** One line for people. */
  summary: string;
  /** In the order to start them; each prints first where it listens. */
  servers: Role[];
  /** When it ends, the example is over. */
  client: Role;
  /** The lines that the tour types, each into the program that asks by then. */
  script: string[];
}

/** The server and the client of the simple pairs. */
const server: Role = {
  name: "server",
  args: () => ["--port", "0"],
  endsWithClient: true,
};
const client: Role = {
  name: "client",
  args: ({ server }) => ["--port", `${server}`],
};

/** In the order of the tour. */
export const EXAMPLES: Example[] = [
  {
    name: "tcp",
    summary: "one message each way over a TCP connection",
    servers: [server],
    client,
    script: [],
  },
  {
    name: "tcp:chat",
    summary: "two people take turns on a TCP connection",
    servers: [server],
    client,
    script: ["Hello, server!", "Hello, client! 👋", "exit"],
  },
  {
    name: "udp",
    summary: "one datagram each way, without a connection",
    servers: [server],
    client,
    script: [],
  },
  {
    name: "udp:chat",
    summary: "two people take turns with datagrams",
    servers: [server],
    client,
    script: ["Hello, server!", "Hello, client! 👋", "exit"],
  },
  {
    name: "broker",
    summary: "a broker takes requests to two servers, and their answers back",
    servers: [
      { name: "toupper", args: () => ["--port", "0"] },
      { name: "tolower", args: () => ["--port", "0"] },
      {
        name: "broker",
        args: ({ toupper, tolower }) => [
          ...["--port", "0", "--toupper", `127.0.0.1:${toupper}`],
          ...["--tolower", `127.0.0.1:${tolower}`],
        ],
      },
    ],
    client: {
      name: "client",
      args: ({ broker }) => ["127.0.0.1", `${broker}`],
    },
    script: ["toupper:Hello, broker! 👋", "tolower:It's ONE: a colon", "exit"],
  },
  {
    name: "incrementer",
    summary: "a client that counts while you type, a server that logs it all",
    servers: [{ name: "server", args: () => ["--port", "0"] }],
    client: {
      name: "client",
      args: ({ server }) => [
        ...["--port", `${server}`, "--tick", "100", "--pause", "250-250"],
      ],
    },
    // Enter alone waits for the next line that the client prints.
    script: ["c", "", "", "", "", "", "", "", "s", "c", "", "", "s", "exit"],
  },
  {
    name: "library",
    summary: "a request and a reply, with a server class that you choose",
    servers: [{ name: "server", args: () => ["--port", "0"] }],
    client,
    script: [],
  },
  {
    name: "web",
    summary: "files over HTTP, to a client that speaks it by hand",
    servers: [server],
    client,
    script: ["/test.txt", "y", "/nothing.html", "n"],
  },
];
