/**
 * Made-up runs for the tests of what the lab draws, as the lab would send them.
 *
 * @module
 */
import type { Item, PageEvent } from "../../launch/lab/messages.ts";
import type { Link } from "../../launch/programs/cast.ts";

/** An item that begins a run with these programs. */
export function run(...names: string[]): Item {
  return {
    kind: "run",
    example: "udp",
    cast: {
      name: "udp",
      summary: "One datagram each way, without a connection",
      look: "",
      members: names.map((name) => ({ name, title: `udp/${name}.ts` })),
    },
    seed: 1,
    opened: "",
    start: 0,
  };
}

/** An item with a link between two programs. */
export function link(
  client: string,
  server: string,
  transport: Link["transport"] = "udp",
): Item {
  const address = { hostname: "127.0.0.1", port: 1 };
  const both = { relay: address, target: address };
  return {
    kind: "link",
    at: 0,
    link: { name: server, client, server, transport, ...both },
  };
}

/** An event with what differs from a datagram of the client that arrives at once. */
export function event(
  number: number,
  differs: Partial<Omit<PageEvent, "bytes">> & { says?: string | Uint8Array },
): PageEvent {
  const { says = "", ...rest } = differs;
  const bytes = typeof says === "string"
    ? new TextEncoder().encode(says)
    : says;
  const sent = rest.sent ?? number * 1000;
  return {
    number,
    kind: "datagram",
    link: "server",
    connection: 1,
    from: "client",
    bytes: base64(bytes.subarray(0, 1024)),
    size: bytes.length,
    sent,
    delivered: rest.fate === "lost" || rest.fate === "under way" ? null : sent,
    fate: "delivered",
    marks: [],
    causes: [],
    of: null,
    text: "",
    lines: [],
    ...rest,
  };
}

/** The same as an item. */
export function wire(...[number, differs]: Parameters<typeof event>): Item {
  return { kind: "wire", event: event(number, differs) };
}

/** A program starts, listens or ends. */
export function program(
  at: number,
  role: string,
  state: "starting" | "listening" | "running" | "ended",
  code: number | null = state === "ended" ? 0 : null,
): Item {
  return {
    kind: "program",
    at,
    role,
    state,
    code,
    signal: null,
    stopped: false,
    edited: false,
  };
}

/** A program prints a line. */
export function line(
  at: number,
  role: string,
  text: string,
  typed: string | null = null,
  stream: "stdout" | "stderr" = "stdout",
): Item {
  return { kind: "line", at, role, text, stream, typed };
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/**
 * A run with everything that a network can do to datagrams: lost, doubled, delayed,
 * overtaken, held, and more.
 */
export function everything(): Item[] {
  const ms = 1000;
  return [
    run("client", "server"),
    link("client", "server"),
    program(0, "server", "starting"),
    line(40 * ms, "server", "Listening on 127.0.0.1 port 12345."),
    program(41 * ms, "server", "listening"),
    program(60 * ms, "client", "running"),
    wire(1, {
      kind: "condition",
      connection: 0,
      sent: 70 * ms,
      text: "each way 100 ms later, 1 of 5 datagrams lost",
    }),
    line(100 * ms, "client", "Say: Hello, world!", "Hello, world!"),
    wire(2, {
      says: "Hello, world!",
      sent: 101 * ms,
      delivered: 201 * ms,
      marks: ["late"],
      causes: ["up.delay=100ms"],
    }),
    line(202 * ms, "server", "127.0.0.1:5000 says Hello, world!"),
    wire(3, {
      says: "HELLO",
      from: "server",
      sent: 203 * ms,
      fate: "lost",
      causes: ["down.loss=#1"],
    }),
    wire(4, {
      says: "Are you there?",
      sent: 4_403 * ms,
      delivered: 4_453 * ms,
      marks: ["late"],
      causes: ["up.delay=50ms"],
    }),
    wire(5, {
      says: "Are you there?",
      sent: 4_403 * ms,
      delivered: 4_493 * ms,
      marks: ["again", "late"],
      of: 4,
      causes: ["up.duplicate=#2"],
    }),
    wire(6, {
      says: "first, but slow",
      sent: 4_520 * ms,
      delivered: 4_720 * ms,
      marks: ["late", "overtaken"],
      causes: ["up.reorder=#4"],
    }),
    wire(7, {
      says: "second, but fast",
      sent: 4_540 * ms,
      delivered: 4_640 * ms,
      marks: ["late"],
    }),
    wire(8, {
      says: "J\u00f6 \u4f60\u597d \ud83d\udc69\u200d\ud83d\ude80 <b>bold</b>\n",
      from: "server",
      sent: 4_660 * ms,
      delivered: 4_760 * ms,
      marks: ["late", "corrupted"],
      causes: ["down.corrupt=#2"],
    }),
    line(4_770 * ms, "client", "What is that?", null, "stderr"),
    wire(9, {
      says: "held for a while",
      sent: 4_800 * ms,
      delivered: 6_900 * ms,
      marks: ["held"],
    }),
    wire(10, {
      says: "changed on its way",
      sent: 6_950 * ms,
      delivered: 7_050 * ms,
      marks: ["changed", "held"],
    }),
    wire(11, {
      says: "from a stranger",
      connection: 0,
      sent: 7_100 * ms,
      delivered: 7_100 * ms,
      marks: ["injected"],
    }),
    { kind: "note", at: 7_150 * ms, text: "The client has waited for 2 s." },
    wire(12, {
      says: "still waits",
      sent: 7_200 * ms,
      fate: "under way",
      marks: ["held"],
    }),
    {
      kind: "hold",
      at: 7_200 * ms,
      links: [{ name: "server", containing: "" }],
      held: [12],
      total: 1,
    },
    wire(13, {
      says: "under way",
      from: "server",
      sent: 7_300 * ms,
      fate: "under way",
    }),
    program(9_000 * ms, "client", "ended", 1),
  ];
}

/** A run over TCP, with pieces, a refusal and a reset. */
export function overTcp(): Item[] {
  const ms = 1000, tcp = { kind: "message" as const };
  const request =
    "GET /index.html HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n";
  return [
    run("client", "server"),
    link("client", "server", "tcp"),
    program(0, "server", "starting"),
    program(30 * ms, "server", "listening"),
    line(31 * ms, "server", "Serving public/ on http://127.0.0.1:8080/"),
    program(50 * ms, "client", "running"),
    wire(1, { kind: "connect", sent: 60 * ms }),
    wire(2, { ...tcp, says: request, sent: 62 * ms }),
    line(63 * ms, "server", "GET /index.html"),
    wire(3, {
      ...tcp,
      says:
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<h1>Hi</h1>\n",
      from: "server",
      sent: 64 * ms,
      delivered: 84 * ms,
      marks: ["piece", "late"],
      causes: ["down.cut=60B"],
    }),
    wire(4, {
      ...tcp,
      says: "Hi</h1>\n",
      from: "server",
      sent: 64 * ms,
      delivered: 104 * ms,
      marks: ["piece", "late"],
      of: 3,
      causes: ["down.cut=60B"],
    }),
    wire(5, {
      ...tcp,
      says: "one",
      sent: 130 * ms,
      delivered: 170 * ms,
      marks: ["glued"],
      causes: ["up.glue=50ms"],
    }),
    wire(6, {
      ...tcp,
      says: "two",
      sent: 150 * ms,
      delivered: 170 * ms,
      marks: ["glued"],
      of: 5,
      causes: ["up.glue=50ms"],
    }),
    wire(7, { kind: "end", sent: 200 * ms }),
    wire(8, { kind: "end", from: "server", sent: 201 * ms }),
    wire(9, { kind: "connect", connection: 2, sent: 220 * ms }),
    wire(10, {
      kind: "reset",
      connection: 2,
      from: "server",
      sent: 240 * ms,
      causes: ["reset=1KB"],
    }),
    wire(11, {
      kind: "refused",
      connection: 3,
      from: "server",
      sent: 300 * ms,
      text: "refused by 127.0.0.1:8080",
    }),
    wire(12, {
      kind: "trouble",
      connection: 0,
      sent: 310 * ms,
      text: "too many connections: 1,000 at once",
    }),
    program(400 * ms, "server", "ended"),
    program(401 * ms, "client", "ended"),
    {
      kind: "over",
      at: 410 * ms,
      counts: [
        "client \u2192 server: 4 messages, 71 bytes",
        "server \u2192 client: 2 messages, 80 bytes",
      ],
      failure: "",
    },
  ];
}

/** A broker with its servers. */
export function brokered(): Item[] {
  const ms = 1000,
    items: Item[] = [
      run("client", "broker", "toupper", "tolower"),
      link("client", "broker"),
      link("broker", "toupper"),
      link("broker", "tolower"),
      ...["toupper", "tolower", "broker"].flatMap((role, i) => [
        program(i * 20 * ms, role, "starting"),
        line(
          (i * 20 + 10) * ms,
          role,
          `Listening on 127.0.0.1 port ${8080 + i}.`,
        ),
      ]),
      program(80 * ms, "client", "running"),
    ];
  let number = 0, at = 100 * ms;
  const hop = (
    name: string,
    from: "client" | "server",
    says: string,
    marks: PageEvent["marks"] = [],
  ) => {
    items.push(
      wire(++number, {
        link: name,
        from,
        says,
        sent: at,
        delivered: at + (marks.length ? 40 * ms : 0),
        marks,
      }),
    );
    at += 50 * ms;
  };
  for (
    const [operation, text] of [["toupper", "Hello"], ["tolower", "WORLD"], [
      "toupper",
      "again",
    ]] as const
  ) {
    at += 1_700 * ms;
    items.push(
      line(
        at,
        "client",
        `Request: ${operation} ${text}`,
        `${operation} ${text}`,
      ),
    );
    at += ms;
    hop("broker", "client", `${operation} ${text}`, ["late"]);
    items.push(
      line(
        at,
        "broker",
        `127.0.0.1:5000 wants ${operation} of a text that is rather long`,
      ),
    );
    hop(operation, "client", text);
    hop(
      operation,
      "server",
      operation === "toupper" ? text.toUpperCase() : text.toLowerCase(),
    );
    hop(
      "broker",
      "server",
      operation === "toupper" ? text.toUpperCase() : text.toLowerCase(),
    );
    items.push(
      line(
        at,
        "client",
        operation === "toupper" ? text.toUpperCase() : text.toLowerCase(),
      ),
    );
  }
  return items;
}

/** Many datagrams, a ms apart: some lost, some doubled, all late. */
export function flood(count: number, first = 1): Item[] {
  const items: Item[] = [];
  for (let i = 0; i < count; i++) {
    const number = first + i, sent = number * 1000;
    const from = number % 2 ? "client" : "server";
    const says = `datagram ${number}`;
    if (number % 10 === 3) {
      items.push(
        wire(number, { says, from, sent, fate: "lost", causes: ["loss=10%"] }),
      );
      continue;
    }
    items.push(
      wire(number, { says, from, sent, fate: "under way", marks: ["late"] }),
    );
    // Those that have arrived meanwhile.
    const old = number - 20;
    if (old >= 1 && old % 10 !== 3) items.push(arrived(old));
  }
  return items;
}

/** A datagram of a flood, when it has arrived. */
export function arrived(number: number): Item {
  return wire(number, {
    says: `datagram ${number}`,
    from: number % 2 ? "client" : "server",
    sent: number * 1000,
    delivered: number * 1000 + 20_000,
    marks: ["late"],
    causes: ["delay=20ms"],
  });
}
