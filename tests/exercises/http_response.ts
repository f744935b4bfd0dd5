/**
 * Reads what a learner's HTTP server answers, and says what is wrong with it
 * (RFC 9112).
 *
 * @module
 */
import { NotYet } from "./verdict.ts";
import { PATIENCE, type Peer } from "./workplace.ts";

/** A response, read whole. */
export interface Response {
  status: number;
  /** By name in small letters. */
  fields: Map<string, string>;
  body: string;
}

/**
 * Reads one response: the head up to its blank line, then as many bytes as
 * `Content-Length` says; none, if it answers a HEAD request.
 */
export async function readResponse(
  peer: Peer,
  asked: string,
  { head = false, ms = PATIENCE }: { head?: boolean; ms?: number } = {},
): Promise<Response> {
  const lines: string[] = [];
  const wrong = (property: string, cause: string, expected?: string) =>
    new NotYet({
      property: `${asked} ${property}`,
      ...expected === undefined ? {} : { expected, came: lines.join("") },
      cause,
    });
  while (true) {
    const line = await peer.line(ms);
    lines.push(line);
    if (!line.endsWith("\n")) {
      const how = peer.ended === "reset" ? " The connection was reset." : "";
      throw new NotYet({
        property: `${asked} The head of the answer did not come whole.${how}`,
        expected: "HTTP/1.1 200 OK\r\n…\r\n\r\n",
        came: lines.join("") || "(nothing)",
        cause: peer.ended === "reset"
          ? "Closing while bytes wait unread is a reset, and it may destroy " +
            "the answer. Read the whole request first."
          : "A head is a status line, fields, and a blank line, each with " +
            "CR LF at its end.",
      });
    }
    if (!line.endsWith("\r\n")) {
      throw wrong(
        "A line of the answer's head does not end with CR LF.",
        'Lines of HTTP end with "\\r\\n" (RFC 9112, 2.2).',
        lines.join("").replaceAll(/\r?\n/g, "\r\n"),
      );
    }
    if (line === "\r\n") break;
  }
  const [first = "", ...rest] = lines;
  const [, status] = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n$/.exec(first) ?? [];
  if (status === undefined) {
    throw wrong(
      "The first line is no status line.",
      "It is HTTP/1.1, a blank, three digits, a blank, and a reason " +
        "(RFC 9112, 4).",
      "HTTP/1.1 200 OK\r\n",
    );
  }
  const fields = new Map<string, string>();
  for (const line of rest.slice(0, -1)) {
    const [, name, value = ""] =
      /^([!#-'*+.\w^`|~-]+):[ \t]*(.*?)\s*$/.exec(line) ??
        [];
    if (name === undefined) {
      throw wrong(
        `The line ${JSON.stringify(line)} is no field.`,
        "A field is a name, a colon right behind it, and a value (RFC 9112, 5).",
      );
    }
    fields.set(name.toLowerCase(), value);
  }
  const length = fields.get("content-length") ?? (head ? "0" : undefined);
  if (length === undefined && Number(status) >= 400) {
    // An error may end with the connection: so do those of many libraries.
    const rest = await peer.rest(ms);
    if (peer.ended) {
      const body = new TextDecoder().decode(rest);
      return { status: Number(status), fields, body };
    }
  }
  if (length === undefined || !/^\d+$/.test(length)) {
    throw wrong(
      "The answer has no Content-Length.",
      "Say how many bytes the body has, so that the client knows where it ends.",
    );
  }
  const bytes = head ? new Uint8Array() : await peer.bytes(Number(length), ms);
  const body = new TextDecoder().decode(bytes);
  if (bytes.length < Number(length) && !head) {
    throw new NotYet({
      property: `${asked} The body has fewer bytes than Content-Length says.`,
      expected: `${length} bytes`,
      came: `${bytes.length} bytes: ${body}`,
      cause:
        "Count bytes, not characters: new TextEncoder().encode(body).length.",
    });
  }
  return { status: Number(status), fields, body };
}

/** Asserts that nothing follows an answer but the end. */
export async function expectOver(peer: Peer, asked: string): Promise<void> {
  await peer.expectEnd(
    `${asked} After the answer there should be the end, and nothing else.`,
    "Content-Length counts bytes (a ü has two). After one answer, close the " +
      "connection.",
  );
}

/** Asserts a status. */
export function expectStatus(
  { status, body }: Response,
  expected: number,
  asked: string,
  cause: string,
): void {
  if (status === expected) return;
  throw new NotYet({
    property: `${asked} The status was not the right one.`,
    expected: `${expected}`,
    came: `${status} ${body.slice(0, 100)}`,
    cause,
  });
}
