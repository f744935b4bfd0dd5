/**
 * The protocol of the file exercises: blocks of a file, and acknowledgements.
 *
 * A block is `D`, its number in four bytes (the highest first, from 1), and up to
 * 512 bytes of the file. Only the last one has fewer than 512. An acknowledgement
 * is `A` and the same number.
 *
 * @module
 */

/** So many bytes of the file are in each block but the last. */
export const BLOCK = 512;

/** The blocks of a file; the last one has fewer than 512 bytes, perhaps none. */
export function blocksOf(file: Uint8Array): Uint8Array[] {
  const count = Math.floor(file.length / BLOCK) + 1;
  return Array.from(
    { length: count },
    (_, i) => numbered("D", i + 1, file.subarray(i * BLOCK, (i + 1) * BLOCK)),
  );
}

/** The acknowledgement of a block. */
export function ack(number: number): Uint8Array {
  return numbered("A", number, new Uint8Array(0));
}

/** What a datagram says; undefined if it is neither. */
export function parse(
  bytes: Uint8Array,
): { kind: "D" | "A"; number: number; content: Uint8Array } | undefined {
  const kind = String.fromCharCode(bytes[0] ?? 0);
  if (bytes.length < 5 || kind !== "D" && kind !== "A") return undefined;
  const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return { kind, number, content: bytes.subarray(5) };
}

function numbered(
  kind: "D" | "A",
  number: number,
  content: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(5 + content.length);
  bytes[0] = kind.charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, number);
  bytes.set(content, 5);
  return bytes;
}
