/**
 * Numbers and bytes that look random, and are the same for the same seed.
 *
 * @module
 */

/** A source of them: equal names make equal sequences. */
export class Random {
  readonly #name: string;
  #state = 0x811c9dc5;

  constructor(name: string) {
    this.#name = name;
    // FNV-1a makes a number of the name, mulberry32 a sequence of the number.
    for (const byte of new TextEncoder().encode(name)) {
      this.#state = Math.imul(this.#state ^ byte, 0x01000193);
    }
  }

  /** Another source, which depends on nothing but this one's name and that. */
  for(name: string | number): Random {
    return new Random(`${this.#name}/${name}`);
  }

  /** From 0 on, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True so often (0 to 1). */
  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(first: T, ...others: T[]): T {
    return others[this.integer(-1, others.length - 1)] ?? first;
  }

  /** A size up to a limit; small ones are as likely as large ones. */
  size(limit: number): number {
    return Math.floor((limit + 1) ** this.next()) - 1;
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.integer(0, 255));
  }

  /** A word of letters, digits and what needs more than one byte in UTF-8. */
  word(): string {
    const signs = [..."abcdefghijklmnopqrstuvwxyzABCXYZ0123456789äßéñ€日本👋"];
    const length = this.integer(1, 24);
    return Array.from({ length }, () => this.pick("x", ...signs)).join("");
  }

  /** Something like the original: bits, bytes and pieces of it are different. */
  mutate(original: Uint8Array): Uint8Array<ArrayBuffer> {
    let bytes = [...original];
    for (let left = this.integer(1, 8); left > 0; left--) {
      const at = this.integer(0, bytes.length);
      const to = this.integer(at, bytes.length);
      const piece = bytes.slice(at, to);
      bytes = this.pick(
        () => bytes.with(at % (bytes.length || 1), this.integer(0, 255)),
        () => bytes.toSpliced(at, to - at),
        () => bytes.toSpliced(at, 0, ...piece),
        () => bytes.toSpliced(at, 0, ...this.#trouble()),
        () => bytes.slice(0, at),
      )();
      if (bytes.length === 0) bytes = [this.integer(0, 255)];
    }
    return Uint8Array.from(bytes.slice(0, 65_000));
  }

  /** Cuts bytes into at most `limit` pieces. */
  cut(bytes: Uint8Array, limit: number): Uint8Array[] {
    const places = Array.from(
      { length: this.integer(1, limit) },
      () => this.integer(0, bytes.length),
    ).sort((a, b) => a - b);
    return [0, ...places].map((from, index) =>
      bytes.subarray(from, places[index] ?? bytes.length)
    ).filter((piece) => piece.length > 0);
  }

  /** What programs stumble over. */
  #trouble(): Uint8Array {
    const text = this.pick(
      ...["\r\n", "\n", "\r\n\r\n", "\0", " ", ":", "%", "%00", "..", "../"],
      ...["/%2e%2e/", "\x1b[2J", "\u202e", "error: ", "exit", "-1", "1e309"],
      ...["Content-Length: 99999999999", "Transfer-Encoding: chunked\r\n"],
    );
    return this.chance(0.2)
      ? Uint8Array.of(this.pick(0xff, 0xfe, 0xc0, 0x80, 0xed, 0xf8))
      : new TextEncoder().encode(text);
  }
}
