/**
 * The examples: which programs belong to each, and what the tour types.
 *
 * @module
 */

/** Where the first line of a server tells its port. */
export const LISTENING = /^.*(?:port |:)(\d+).*\n/;

/** One program of an example; `deno task EXAMPLE:ROLE` runs it alone. */
export interface Role {
  name: string;
  /** The task that runs it, if that is not `EXAMPLE:ROLE`. */
  task?: string;
  /**
   * Its arguments, given the ports of the servers to its right, and whether a
   * script is typed, so that there is no time to lose.
   */
  args(ports: Record<string, number>, scripted: boolean): string[];
  /** What it listens to; its first line says on which port. */
  listens?: "tcp" | "udp";
  /** What it prints when it is ready, if that is not where it listens. */
  ready?: RegExp;
  /** A program of the system that runs instead of a task. */
  command?: string;
  /** What is shown of what it prints, if not all. */
  shown?: RegExp;
  /** Whether it starts before all others. */
  first?: true;
  /** The role that talks to it, if that is not the client. */
  client?: string;
  /** The port that it has when it is started by hand. */
  port?: number;
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
  /**
   * The programs from the one that asks to those that are asked: the columns of
   * the wire view. They start in the opposite order. When the first, the client,
   * ends, the example is over.
   */
  roles: [Role, ...Role[]];
  /** The lines that the tour types, each into the program that asks by then. */
  script: (string | TypedLine)[];
}

/** A server, and a client that is told its port. */
function pair(
  listens: "tcp" | "udp",
  port: number,
  server: Partial<Role> = { endsWithClient: true },
  client: Partial<Role> = {},
): [Role, Role] {
  return [
    {
      name: "client",
      args: ({ server }) => ["--port", `${server}`],
      ...client,
    },
    { name: "server", args: () => ["--port", "0"], listens, port, ...server },
  ];
}

/** In the order of the tour. */
export const EXAMPLES: Example[] = [
  {
    name: "tcp",
    summary: "one message each way over a TCP connection",
    roles: pair("tcp", 12345),
    script: [],
  },
  {
    name: "tcp:chat",
    summary: "two people take turns on a TCP connection",
    roles: pair("tcp", 23456),
    script: ["Hello, server!", "Hello, client! 👋", "exit"],
  },
  {
    name: "udp",
    summary: "one datagram each way, without a connection",
    roles: pair("udp", 12345),
    script: [],
  },
  {
    name: "udp:chat",
    summary: "two people take turns with datagrams",
    roles: pair("udp", 23457),
    script: ["Hello, server!", "Hello, client! 👋", "exit"],
  },
  {
    name: "http",
    summary: "a web page from a server that speaks HTTP by hand",
    roles: pair("tcp", 8080, {}, { task: "web:client" }),
    script: ["/", "n"],
  },
  {
    name: "http:threaded",
    summary: "the same from a server that uses all cores",
    roles: pair("tcp", 8080, {}, { task: "web:client" }),
    script: ["/", "n"],
  },
  {
    name: "http:serve",
    summary: "the same from Deno.serve, which speaks HTTP for you",
    roles: pair("tcp", 8080, {}, { task: "web:client" }),
    script: ["/", "n"],
  },
  {
    name: "broker",
    summary: "a broker passes each request to the server that can do it",
    roles: [
      { name: "client", args: ({ broker }) => ["127.0.0.1", `${broker}`] },
      {
        name: "broker",
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
        client: "broker",
        port: 8080,
      },
      {
        name: "tolower",
        args: () => ["--port", "0"],
        listens: "udp",
        client: "broker",
        port: 8081,
      },
    ],
    script: ["toupper:Hello, broker! 👋", "tolower:It's ONE: a colon", "exit"],
  },
  {
    name: "nats",
    summary: "the same, with any number of workers on any machines",
    roles: [
      {
        name: "client",
        task: "broker:client",
        args: ({ broker }) => ["127.0.0.1", `${broker}`],
      },
      {
        name: "broker",
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
        ready: /Listening for client connections on .*:(\d+)/,
        port: 4222,
        shown: /Listening for client connections on .*/,
        first: true,
      },
      ...["toupper", "tolower"].map((operation) => ({
        name: operation,
        task: "nats:worker",
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
    roles: pair("tcp", 8080),
    script: ["/test.txt", "y", "/nothing.html", "n"],
  },
  {
    name: "incrementer",
    summary: "a client that counts while you type, a server that logs it all",
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
    roles: pair("tcp", 1234, {}),
    script: [],
  },
];
