/**
 * A run as a Mermaid sequence diagram: the same for every run that goes the same
 * way, so without times, and with the ports that the programs have by default.
 *
 * @module
 */
import { type Example, LISTENING, type Role } from "../programs/examples.ts";
import { count, fit, readable, visible } from "./text.ts";
import { ends, type Line, type Link, type Presenter } from "./timeline.ts";
import type { WireEvent } from "../wire/relay.ts";

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
  #roles = new Map<string, Role>();

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  begin(example: Example, scripts: Record<string, string>): void {
    this.#roles = new Map(example.roles.map((role) => [role.name, role]));
    this.#print("sequenceDiagram");
    for (const { name } of example.roles) {
      this.#print(`    participant ${name} as ${scripts[name]}`);
    }
  }

  link({ server, relay }: Link): void {
    this.#ports.set(relay, this.#roles.get(server)?.port);
  }

  line({ role, text, stream, typed }: Line): void {
    const { port } = this.#roles.get(role) ?? {};
    if (port && !this.#listening.has(role)) {
      this.#listening.add(role);
      this.#ports.set(Number(LISTENING.exec(`${text}\n`)?.[1]), port);
    }
    if (text.trim() === "") return; // it only makes room
    if (this.#speaker !== role || typed !== undefined) this.#say();
    this.#speaker = role;
    const mark = stream === "stderr" ? "! " : "";
    const shown = this.#text(visible(text.slice(0, GLANCE)), text.length);
    this.#lines.push(mark + shown);
  }

  wire(link: Link, event: WireEvent): void {
    this.#say();
    const [from, to] = ends(link, event);
    const isSecond = event.connection > 1 && link.transport === "tcp";
    const which = isSecond ? ` #35;${event.connection}` : "";
    const size = event.bytes.length;
    const [first = "", ...rest] = readable(event.bytes.subarray(0, GLANCE))
      .split(/(?<=(?<!\\)(?:\\\\)*\\n)/);
    const line = rest.length > 0 ? first.replace(/(\\r)?\\n$/, " ") : first;
    const text = this.#text(line, rest.length > 0 ? Infinity : line.length);
    const said = `${text} (${count(size, "byte")})${which}`.trimStart();
    const [arrow, label] = {
      "connect": ["-->>", "connect"],
      "refused": ["--x", "refused (RST)"],
      "message": ["->>", said],
      "end": ["-->>", "end (FIN)"],
      "reset": ["--x", "reset (RST)"],
      "datagram": ["-)", said],
      "trouble": ["-->>", event.text],
      "condition": ["-->>", event.text],
    }[event.kind];
    const suffix = event.bytes === undefined || label === said ? "" : which;
    this.#print(`    ${from}${arrow}${to}: ${label}${suffix}`);
  }

  ended(): void {}

  end(): void {
    this.#say();
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
