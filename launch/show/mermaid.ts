/**
 * A run as a Mermaid sequence diagram: the same for every run that goes the same
 * way, so without times, and with the ports that the programs have by default.
 *
 * @module
 */
import type { Cast, Ending, Line, Link, Member } from "../programs/cast.ts";
import type { WireEvent } from "../wire/relay.ts";
import {
  type Detail,
  ends,
  fateOf,
  type Presenter,
  type Totals,
} from "./presenter.ts";
import { count, fit, readable, visible } from "./text.ts";

/** Where the first line of a server tells its port. */
const LISTENING = /^.*(?:port |:)(\d+)/;

/** How many lines of those that a program prints in one go are shown. */
const SHOWN = 5;

/** How long a text may be, in columns, and how much of it is looked at. */
const LENGTH = 72, GLANCE = 400;

/** Prints a diagram, line by line, while the run goes on. */
export class Diagram implements Presenter {
  readonly #print: (line: string) => void;
  /** The ports that are used, and the default ones that stand for them. */
  readonly #ports = new Map<number, number | undefined>();
  readonly #listening = new Set<string>();
  readonly #lines: string[] = [];
  #speaker = "";
  #members = new Map<string, Member>();

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  begin({ members }: Cast): void {
    this.#members = new Map(members.map((member) => [member.name, member]));
    this.#print("sequenceDiagram");
    for (const { name, title } of members) {
      this.#print(`    participant ${name} as ${this.#text(title, 0)}`);
    }
  }

  link({ server, relay }: Link): void {
    this.#ports.set(relay.port, this.#members.get(server)?.port);
  }

  line({ role, text, stream, typed }: Line): void {
    const { port } = this.#members.get(role) ?? {};
    if (port && !this.#listening.has(role)) {
      this.#listening.add(role);
      this.#ports.set(Number(LISTENING.exec(text)?.[1]), port);
    }
    if (text.trim() === "") return; // it only makes room
    if (this.#speaker !== role || typed !== undefined) this.#say();
    this.#speaker = role;
    const mark = stream === "stderr" ? "! " : "";
    const shown = this.#text(visible(text.slice(0, GLANCE)), text.length);
    this.#lines.push(mark + shown);
  }

  wire(link: Link, event: WireEvent, detail: Detail): void {
    if (event.kind === "trouble" || event.kind === "condition") {
      this.note(event.text);
      return;
    }
    this.#say();
    const [from, to] = ends(link, event);
    const isSecond = event.connection > 1 && link.transport === "tcp";
    const which = isSecond ? ` #35;${event.connection}` : "";
    // When NATS looks whether the others live is up to its clocks.
    const lines = detail.lines?.filter((line) => !/^P[IO]NG$/.test(line));
    if (lines?.length === 0 && detail.lines?.length !== 0) return;
    const text = lines
      ? lines.map((line) => this.#text(ofNats(line.trim()), 0)).join("<br/>")
      : this.#message(event.bytes);
    // How late it was differs from run to run.
    const fate = this.#text(
      fateOf(event).join(", ").replace(/ by [\d.,]+ ms/, ""),
      0,
    );
    const what = detail.isUpdate && event.fate === "delivered"
      ? `${text} arrives`
      : text;
    const said = `${what} (${count(detail.size, "byte")})${which} ${fate}`
      .trim();
    const [arrow = "", label = ""] = {
      "connect": ["-->>", `connect${which}`],
      "refused": ["--x", `refused (RST)${which}`],
      "message": ["->>", said],
      "end": ["-->>", `sends no more (FIN)${which}`],
      "reset": ["--x", `reset (RST)${which} ${fate}`.trim()],
      "datagram": ["-)", said],
    }[event.kind];
    const lost = event.fate === "lost" ? "--x" : arrow;
    this.#print(`    ${from}${lost}${to}: ${label}`);
  }

  ended({ role, code, stopped }: Ending): void {
    if (code === 0 || stopped) return;
    this.#say();
    this.#print(`    Note over ${role}: ended with status ${code}`);
  }

  note(text: string): void {
    this.#say();
    const [first] = this.#members.keys();
    this.#print(`    Note over ${first}: ${this.#text(visible(text), 0)}`);
  }

  end(_: Totals): void {
    this.#say();
  }

  /** The first line of a message. */
  #message(bytes: Uint8Array): string {
    const [first = "", ...rest] = readable(bytes.subarray(0, GLANCE))
      .split(/(?<=(?<!\\)(?:\\\\)*\\n)/);
    return rest.length > 0
      ? this.#text(first.replace(/(\\r)?\\n$/, " "), Infinity)
      : this.#text(first, first.length);
  }

  /** Prints what a program printed in one go as one note. */
  #say(): void {
    const lines = this.#lines.splice(0);
    if (lines.length === 0) return;
    const more = lines.length - SHOWN;
    if (more > 1) lines.splice(SHOWN, more, `… ${more} more lines`);
    this.#print(`    Note over ${this.#speaker}: ${lines.join("<br/>")}`);
  }

  /** Shortened, with stable ports, and without what Mermaid would interpret. */
  #text(text: string, length: number): string {
    // What differs from run to run: ports, dates, versions of files.
    const date = /\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g;
    const stable = text.replace(date, "DATE")
      .replace(/(?<=etag: )".*"/, "ETAG").replace(
        /((?:\d+\.){3}\d+:|localhost:|\bport:? )(\d+)/g,
        (_, before, port) => before + (this.#ports.get(Number(port)) ?? "PORT"),
      );
    const cut = length > text.length || fit(stable, LENGTH) !== stable;
    const shown = cut ? fit(stable, LENGTH).replace(/…?$/, "…") : stable;
    return shown.replace(
      /[#;<>%\\]|:(?<=^(?:no)?wrap:)/g,
      (special) => `#${special.charCodeAt(0)};`,
    );
  }
}

/**
 * A line of NATS without what nobody wants to read: the properties of server and
 * client, and the names of the inboxes for answers, which chance makes.
 */
function ofNats(line: string): string {
  return line.replace(/^(INFO|CONNECT) \{.*/, "$1 {…}")
    .replace(/_INBOX\.[\w.]+(\*?)/g, "_INBOX.…$1");
}
