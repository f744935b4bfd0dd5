/**
 * A receiver of files, for programs that send them: it takes blocks down, and
 * acknowledges them as the step wants.
 *
 * @module
 */
import { join } from "@std/path";
import { ack, BLOCK, parse } from "./blocks.ts";
import { NotYet, shown } from "./verdict.ts";
import type { Datagram, Socket, Workplace } from "./workplace.ts";

/** No file has more blocks: the text says 1 MB. */
const MOST = 2_000;

/** What a step does with a block: the acknowledgements that it sends. */
export type Reaction = (
  number: number,
  /** How often this block has come, with this time. */
  times: number,
  block: Datagram,
) => number[] | Promise<number[]>;

/** One transfer, seen from the receiver. */
export class Receiver {
  /** How often each block has come, by number. */
  readonly times = new Map<number, number>();
  readonly socket: Socket;
  /** Where the last block came from, and when, in ms. */
  lastFrom: Datagram["from"] | undefined;
  lastAt = 0;
  readonly #content = new Map<number, Uint8Array>();
  readonly #workplace: Workplace;
  readonly #what: string;

  private constructor(workplace: Workplace, what: string) {
    this.#workplace = workplace;
    this.#what = what;
    this.socket = workplace.socket();
  }

  /** Starts the program, which is to send a file of these bytes. */
  static async start(
    workplace: Workplace,
    file: Uint8Array,
    what: string,
    { direct = false }: { direct?: boolean } = {},
  ): Promise<Receiver> {
    const path = join(workplace.folder, "to_send.bin");
    await Deno.writeFile(path, file);
    const receiver = new Receiver(workplace, what);
    const { port } = receiver.socket;
    if (direct) workplace.startDirectly(port, path);
    else await workplace.startClient(port, path);
    return receiver;
  }

  /** Acknowledges blocks until the program ends; at most `ms` milliseconds. */
  async serve(
    react: Reaction = (number) => [number],
    ms = 12_000,
  ): Promise<void> {
    const end = performance.now() + ms;
    while (!this.#workplace.program?.status && performance.now() < end) {
      const datagram = await this.socket.receive(50);
      if (datagram) await this.take(datagram, react);
    }
    if (this.#workplace.program?.status) return;
    throw new NotYet({
      property: `${this.#what} After ${ms / 1000} s the program had not ended.`,
      cause:
        "It ends when its last block is acknowledged, or when a block has " +
        "been sent ten times in vain.",
    });
  }

  /** Takes one block, and reacts. */
  async take(datagram: Datagram, react: Reaction): Promise<void> {
    const parsed = parse(datagram.bytes);
    if (parsed?.kind !== "D" || parsed.content.length > BLOCK) {
      throw new NotYet({
        property: `${this.#what} What came is no block.`,
        expected: "D, the number in four bytes, up to 512 bytes",
        came: datagram.bytes,
        cause:
          "A block is the letter D, its number (from 1) in four bytes, the " +
          "highest first, and the next 512 bytes of the file.",
      });
    }
    const { number, content } = parsed;
    if (number === 0 || number > MOST) {
      throw new NotYet({
        inWords: true,
        property: `${this.#what} A block came that is number ` +
          `${number.toLocaleString("en")}.`,
        expected: "numbers from 1 on, the highest byte first",
        came: shown(datagram.bytes.subarray(0, 5)),
        cause:
          "The first block is number 1: 44 00 00 00 01. setUint32() of a " +
          "DataView writes it so; other languages call it big-endian.",
      });
    }
    this.lastFrom = datagram.from;
    this.lastAt = datagram.at;
    const times = (this.times.get(number) ?? 0) + 1;
    this.times.set(number, times);
    const before = this.#content.get(number);
    const same = !before || before.length === content.length &&
        before.every((byte, index) => byte === content[index]);
    if (!same) {
      throw new NotYet({
        property: `${this.#what} Block ${number} came again with other bytes.`,
        expected: before,
        came: content,
        cause: "Send the same datagram again.",
      });
    }
    this.#content.set(number, content.slice());
    for (const each of await react(number, times, datagram)) {
      await this.acknowledge(each, datagram.from);
    }
  }

  /** Acknowledges a block. */
  async acknowledge(number: number, to: Datagram["from"]): Promise<void> {
    await this.socket.send(ack(number), to);
  }

  /** How many blocks have come, repeats and all. */
  get total(): number {
    return [...this.times.values()].reduce((sum, times) => sum + times, 0);
  }

  /** Asserts that the file has come whole, and the program ended well. */
  expectWhole(file: Uint8Array, cause: string): void {
    const numbers = [...this.#content.keys()].sort((a, b) => a - b);
    const pieces = numbers.map((number) => this.#content.get(number));
    const came = Uint8Array.from(pieces.flatMap((piece) => [...piece ?? []]));
    const last = pieces.at(-1)?.length ?? BLOCK;
    const same = came.length === file.length && last < BLOCK &&
      numbers.every((number, index) => number === index + 1) &&
      came.every((byte, index) => byte === file[index]);
    if (!same) {
      throw new NotYet({
        property: `${this.#what} The file did not arrive as it was.`,
        expected: file,
        came,
        cause,
      });
    }
    const { code } = this.#workplace.program?.status ?? { code: 0 };
    if (code === 0) return;
    throw new NotYet({
      inWords: true,
      property: `${this.#what} The file arrived, and the program failed.`,
      expected: "exit status 0",
      came: `exit status ${code}`,
      cause,
    });
  }

  /** Asserts how many datagrams were sent at most. */
  expectAtMost(most: number, cause: string): void {
    if (this.total <= most) return;
    this.#workplace.measures();
    const repeats = [...this.times].filter(([, times]) => times > 1)
      .map(([number, times]) => `block ${number}: ${times} times`).join(", ");
    throw new NotYet({
      inWords: true,
      property: `${this.#what} More blocks were sent than needed.`,
      expected: `at most ${most} datagrams`,
      came: `${this.total} datagrams (${repeats})`,
      cause,
    });
  }
}
