/**
 * Runs in files: JSON Lines, written while the run goes on.
 *
 * The first line is a header, each other line an event. An event that was under
 * way has two lines with the same number, and the later one counts. A run whose
 * program was killed can be read up to its last whole line.
 *
 * | field of an event | meaning |
 * | --- | --- |
 * | `number`, `kind`, `link`, `connection`, `from`, `fate` | as in {@linkcode WireEvent} |
 * | `sent`, `delivered` | µs since the start; `delivered` may be null |
 * | `bytes` | in base64; left out when there are none |
 * | `utf8` | the same as text, when it is UTF-8 and short; only for people |
 * | `marks`, `causes`, `of`, `text` | left out when there is nothing to say |
 *
 * @module
 */
import { maskNats } from "./nats_lines.ts";
import {
  type Fate,
  type Kind,
  type Mark,
  type Side,
  type Transport,
  type WireEvent,
} from "./relay.ts";

/** The number of the format that this program writes, and the newest that it reads. */
export const FORMAT = 1;

/** Text is written beside the bytes up to so many bytes. */
const TEXT_BYTES = 4096;

/** So many characters are collected before they are written at once. */
const COLLECTED = 256 * 1024;

/** What a run is about. */
export interface RunHeader {
  /** When it began, in ms since 1970. */
  start: number;
  /** What was run: `deno task udp`. */
  task: string;
  /** What was typed after `--net`. */
  net: string;
  seed: number;
  /** Each role's command. */
  programs: Record<string, string>;
  links: SavedLink[];
  /** Versions of the programs, as `{ deno: "2.9.6" }`. */
  versions: Record<string, string>;
  /** What a newer program of the same format has added. */
  more?: Record<string, unknown>;
}

/** A link of a saved run. */
export interface SavedLink {
  name: string;
  client: string;
  transport: Transport;
  /** Where the relay listened, as HOST:PORT. */
  listen: string;
  /** Where the server was. */
  target: string;
}

/** An event of a saved run. */
export interface SavedEvent extends WireEvent {
  /** What a newer program of the same format has added. */
  readonly more?: Record<string, unknown>;
}

/** A run that was read. */
export interface SavedRun {
  header: RunHeader;
  /** In the order of their numbers, each as it was last reported. */
  events: SavedEvent[];
}

/** A file is no run that this program can read; the message is one line. */
export class BadRun extends Error {
  override name = "BadRun";
}

/** Writes a run to a file while it goes on. */
export class SavedRunWriter implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  /** Used again each time: a new one this large takes longer than all the rest. */
  readonly #buffer = new Uint8Array(COLLECTED);
  #lines = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Makes the file, or empties it; throws what `Deno.openSync` throws. */
  constructor(path: string, header: RunHeader) {
    this.#file = Deno.openSync(path, {
      write: true,
      create: true,
      truncate: true,
    });
    this.#write(headerLine(header));
    this.#flush();
  }

  /** Takes an event down; it is in the file within some milliseconds. */
  take(event: SavedEvent): void {
    this.#write(eventLine(event));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#file.close();
  }

  #write(line: string): void {
    if (this.#closed) return;
    this.#lines += line + "\n";
    if (this.#lines.length >= COLLECTED) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), 5);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let rest = this.#lines;
    this.#lines = "";
    while (rest !== "") {
      const { read, written } = this.#encoder.encodeInto(rest, this.#buffer);
      rest = rest.slice(read);
      let bytes = this.#buffer.subarray(0, written);
      while (bytes.length > 0) {
        bytes = bytes.subarray(this.#file.writeSync(bytes));
      }
    }
  }
}

/** The first line of a file. */
export function headerLine({ more, ...header }: RunHeader): string {
  const start = new Date(header.start).toISOString();
  return JSON.stringify({ format: FORMAT, ...header, ...more, start });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The line of an event, with passwords masked. */
export function eventLine(event: SavedEvent): string {
  const { number, kind, link, connection, from, sent, delivered, fate } = event;
  // Put together by hand: JSON.stringify would look at each byte once more.
  let line =
    `{"number":${number},"kind":"${kind}","link":${
      JSON.stringify(link)
    },"connection":${connection},"from":"${from}","sent":${sent},` +
    `"delivered":${delivered},"fate":"${fate}"`;
  if (event.bytes.length > 0) {
    const bytes = kind === "message" ? maskNats(event.bytes) : event.bytes;
    line += `,"bytes":"${bytes.toBase64()}"`;
    const text = bytes.length <= TEXT_BYTES ? decoded(bytes) : null;
    if (text !== null) line += `,"utf8":${JSON.stringify(text)}`;
  }
  const { marks, causes, of, text, more } = event;
  if (marks.length > 0) line += `,"marks":${JSON.stringify(marks)}`;
  if (causes.length > 0) line += `,"causes":${JSON.stringify(causes)}`;
  if (of !== null) line += `,"of":${of}`;
  if (text) line += `,"text":${JSON.stringify(text)}`;
  const added = more ? JSON.stringify(more).slice(1, -1) : "";
  return added ? `${line},${added}}` : `${line}}`;
}

/** Bytes as text; null if they are no UTF-8. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** Reads a run. Throws a {@linkcode BadRun}, or what `Deno.open` throws. */
export async function readRun(path: string): Promise<SavedRun> {
  const file = await Deno.open(path);
  return await readRunFrom(file.readable, path);
}

/** Reads a run from a stream; `path` is its name in messages. Throws BadRun. */
export async function readRunFrom(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  path: string,
): Promise<SavedRun> {
  let header: RunHeader | undefined;
  const events = new Map<number, SavedEvent>();
  let count = 0;
  for await (const { line, whole } of linesOf(stream)) {
    count++;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      if (!whole && header) break; // its program was killed in the middle of it
      throw new BadRun(`${path}:${count}: this line is no JSON.`);
    }
    if (!isRecord(value)) {
      throw new BadRun(`${path}:${count}: this line is no object.`);
    }
    if (!header) {
      header = readHeader(value, path);
      continue;
    }
    const event = readEvent(value);
    if (!event) {
      if (!whole) break;
      throw new BadRun(`${path}:${count}: this line is no event.`);
    }
    events.set(event.number, event);
  }
  if (!header) throw new BadRun(`${path} is empty: it is no saved run.`);
  const sorted = [...events.values()].sort((a, b) => a.number - b.number);
  return { header, events: sorted };
}

/** The lines of a file; the last one is not whole if no line feed ends it. */
async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<{ line: string; whole: boolean }, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    rest += decoder.decode(bytes, { stream: true });
    if (!bytes.includes(10)) continue;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield { line, whole: true };
  }
  if (rest !== "") yield { line: rest, whole: false };
}

function readHeader(value: Record<string, unknown>, path: string): RunHeader {
  const { format, start, task, net, seed, programs, links, versions, ...more } =
    value;
  if (typeof format !== "number") {
    throw new BadRun(`${path} is no saved run: its first line has no format.`);
  }
  if (format > FORMAT) {
    throw new BadRun(
      `${path} has format ${format}, and this program reads up to ${FORMAT}. ` +
        `Use the newer program that saved it.`,
    );
  }
  return {
    start: typeof start === "string" ? Date.parse(start) : 0,
    task: textOf(task),
    net: textOf(net),
    seed: typeof seed === "number" ? seed : 0,
    programs: textsOf(programs),
    links: Array.isArray(links) ? links.flatMap(readLink) : [],
    versions: textsOf(versions),
    ...Object.keys(more).length > 0 ? { more } : {},
  };
}

function readLink(value: unknown): SavedLink[] {
  if (!isRecord(value)) return [];
  const { name, client, transport, listen, target } = value;
  if (transport !== "tcp" && transport !== "udp") return [];
  return [{
    name: textOf(name),
    client: textOf(client),
    transport,
    listen: textOf(listen),
    target: textOf(target),
  }];
}

const KINDS: readonly Kind[] = [
  ...["connect", "refused", "message", "datagram", "end", "reset"] as const,
  ...["trouble", "condition"] as const,
];
const FATES: readonly Fate[] = ["under way", "delivered", "lost"];
const SIDES: readonly Side[] = ["client", "server"];

function readEvent(value: Record<string, unknown>): SavedEvent | null {
  const { number, kind, link, connection, from, sent, delivered, fate } = value;
  const { bytes, utf8: _, marks, causes, of, text, ...rest } = value;
  const more: Record<string, unknown> = { ...rest };
  for (
    const known of [
      ...["number", "kind", "link", "connection", "from", "sent"],
      ...["delivered", "fate"],
    ]
  ) delete more[known];
  const kindOf = KINDS.find((one) => one === kind);
  const fateOf = FATES.find((one) => one === fate);
  const sideOf = SIDES.find((one) => one === from);
  if (typeof number !== "number" || typeof sent !== "number") return null;
  if (!kindOf || !fateOf || !sideOf) return null;
  let data = new Uint8Array();
  try {
    if (typeof bytes === "string") data = Uint8Array.fromBase64(bytes);
  } catch {
    return null;
  }
  return {
    number,
    kind: kindOf,
    link: textOf(link),
    connection: typeof connection === "number" ? connection : 0,
    from: sideOf,
    bytes: data,
    sent,
    delivered: typeof delivered === "number" ? delivered : null,
    fate: fateOf,
    marks: listOf(marks).filter(isMark),
    causes: listOf(causes),
    of: typeof of === "number" ? of : null,
    text: textOf(text),
    ...Object.keys(more).length > 0 ? { more } : {},
  };
}

const MARKS: readonly string[] = [
  ...["again", "late", "piece", "glued", "corrupted", "overtaken", "held"],
  ...["changed", "injected"],
];

function isMark(text: string): text is Mark {
  return MARKS.includes(text);
}

function listOf(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => [key, textOf(text)]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
