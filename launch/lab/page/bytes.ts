/**
 * Bytes as base64, as hex, and as text that can be edited.
 *
 * @module
 */

/** The bytes of a base64 text. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  // Piece by piece: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** `48 69 0a`. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join(" ");
}

/** What was typed as hex, blanks and line ends passed over; a text says what is wrong. */
export function fromHex(text: string): Uint8Array | string {
  const digits = text.replace(/\s+/g, "");
  const wrong = /[^0-9a-f]/i.exec(digits)?.[0];
  if (wrong !== undefined) {
    return `“${wrong}” is no hex digit (0 to 9, a to f).`;
  }
  if (digits.length % 2) return "A byte has two hex digits; one is missing.";
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** The text of UTF-8 bytes that a text field keeps as they are; null if there is none. */
export function toText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
    // A text field has LF alone. CR LF comes back only if all line ends are that,
    // and other control characters would not be seen.
    const ends = new Set(text.match(/\r\n|\r|\n/g));
    const isKept = ends.size < 2 && !ends.has("\r");
    return isKept && !/[^\P{Cc}\r\n\t]/u.test(text) ? text : null;
  } catch {
    return null;
  }
}

/** UTF-8. */
export function fromText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
