/**
 * The lab's web server: for this machine alone, and for pages that have its key.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { HOST } from "../wire/relay.ts";
import { BadRun } from "../wire/saved_run.ts";
import { NONCE, type PageFile } from "./bundle.ts";
import { asMermaid, asPcapng, asSavedRun, readSaved } from "./keep.ts";
import { type ExampleInfo, type FromLab, PAGES } from "./messages.ts";
import { Page } from "./page.ts";
import { PRESETS } from "../wire/conditions/presets.ts";
import { Session, type Shared } from "./session.ts";

/** Programs end so long after the last page of their run has gone, in ms. */
const ALONE_MS = 15_000;

/** How long connections may take to end with the lab, in ms. */
const FAREWELL_MS = 500;

/** A saved run may have so many bytes. */
const OPEN_BYTES = 64 * 1024 ** 2;

/** A run that no page has joined for so long is forgotten, in ms. */
const FORGOTTEN_MS = 30 * 60_000;

/** How the lab is served. */
export interface ServerOptions {
  port: number;
  shared: Shared;
  files: ReadonlyMap<string, PageFile>;
  examples: ExampleInfo[];
  /** The example that the lab was started with. */
  only: string | null;
}

/** The lab. */
export class LabServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #key = random();
  readonly #pages = new Map<Page, Session | undefined>();
  readonly #sessions = new Map<string, Session>();
  /** What ends or forgets a session that is alone. */
  readonly #alone = new Map<Session, ReturnType<typeof setTimeout>[]>();

  /** Throws AddrInUse if the port is taken. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#server = Deno.serve({
      hostname: HOST,
      port: options.port,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    }, (request) => this.#serve(request));
  }

  /** Where it is, with the key. */
  get address(): string {
    return `${this.#origin}/?key=${this.#key}`;
  }

  get #origin(): string {
    return `http://${HOST}:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timers of this.#alone.values()) timers.forEach(clearTimeout);
    for (const page of [...this.#pages.keys()]) page.close("The lab ends.");
    await Promise.all(
      [...this.#sessions.values()].map((session) => session.stop()),
    );
    // A page that reads nothing would not let it end.
    await Promise.race([this.#server.shutdown(), pause(FAREWELL_MS)]);
  }

  async #serve(request: Request): Promise<Response> {
    const origin = this.#origin;
    // Another name for this machine may be somebody's who wants to get in.
    if (`http://${request.headers.get("host")}` !== origin) {
      return refusal(421, `The lab is at ${origin}/.`);
    }
    const { pathname, searchParams } = new URL(request.url);
    const isGet = request.method === "GET";
    if (
      pathname === "/" && isGet && isSame(searchParams.get("key"), this.#key)
    ) {
      return answer(null, 303, {
        "location": "/lab/",
        "set-cookie":
          `${this.#cookie}=${this.#key}; Path=/lab; HttpOnly; SameSite=Strict`,
      });
    }
    if (!this.#hasKey(request)) {
      return refusal(
        403,
        "The lab opens with the address that `deno task lab` has printed, with its key.",
      );
    }
    // A browser says who asks: other pages on this machine may not.
    const from = request.headers.get("origin");
    if (from !== null && from !== origin || from === null && !isGet) {
      return refusal(403, "Another page may not use the lab.");
    }
    const [, path = ""] = /^\/lab\/(.*)$/.exec(pathname) ?? [];
    if (path === "ws" && isGet) return this.#connect(request, from);
    if (path === "open" && request.method === "POST") {
      return await this.#open(request, searchParams);
    }
    if (!isGet) return refusal(405, "Not here.");
    if (/^run\.\w+$/.test(path)) return this.#download(path, searchParams);
    if (pathname === "/" || pathname === "/lab") {
      return answer(null, 303, { location: "/lab/" });
    }
    return this.#file(pathname === "/lab/" ? "index.html" : path, request);
  }

  get #cookie(): string {
    // Cookies don't tell ports apart, and there may be two labs.
    return `lab${this.#server.addr.port}`;
  }

  #hasKey(request: Request): boolean {
    const cookies = (request.headers.get("cookie") ?? "").split(/; */);
    return cookies.some((cookie) =>
      isSame(cookie, `${this.#cookie}=${this.#key}`)
    );
  }

  #connect(request: Request, from: string | null): Response {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refusal(426, "This is for a WebSocket.");
    }
    if (from === null) return refusal(403, "Only pages of the lab come here.");
    if (this.#pages.size >= PAGES) {
      return refusal(503, `The lab serves ${PAGES} pages at a time.`);
    }
    const { socket, response } = Deno.upgradeWebSocket(request, {
      idleTimeout: 30,
    });
    const page = new Page({
      socket,
      join: (page, run) => this.#join(page, run),
      welcome: (session) => this.#welcome(session),
      left: (page) => this.#left(page),
    });
    this.#pages.set(page, undefined);
    return response;
  }

  #join(page: Page, run: string | null): Session {
    const known = this.#sessions.get(run ?? "");
    const session = known ?? new Session(this.#options.shared);
    this.#sessions.set(session.id, session);
    this.#pages.set(page, session);
    for (const timer of this.#alone.get(session) ?? []) clearTimeout(timer);
    this.#alone.delete(session);
    // More are not needed than there may be pages; the oldest is alone longest.
    for (const other of this.#alone.keys()) {
      if (this.#sessions.size <= PAGES) break;
      this.#forget(other);
    }
    return session;
  }

  #left(page: Page): void {
    const session = this.#pages.get(page);
    this.#pages.delete(page);
    if (!session || [...this.#pages.values()].includes(session)) return;
    this.#alone.set(session, [
      setTimeout(() => void session.stop(), ALONE_MS),
      setTimeout(() => this.#forget(session), FORGOTTEN_MS),
    ]);
  }

  #forget(session: Session): void {
    for (const timer of this.#alone.get(session) ?? []) clearTimeout(timer);
    this.#alone.delete(session);
    this.#sessions.delete(session.id);
    void session.stop();
  }

  #welcome({ id }: Session): FromLab {
    const { examples, only } = this.#options;
    return { type: "welcome", run: id, examples, presets: PRESETS, only };
  }

  #download(path: string, parameters: URLSearchParams): Response {
    const session = this.#sessions.get(parameters.get("run") ?? "");
    if (!session?.feed.about) return refusal(404, "There is no such run.");
    const [type, body] = path === "run.jsonl"
      ? ["application/jsonl", asSavedRun(session)] as const
      : path === "run.pcapng"
      ? ["application/octet-stream", asPcapng(session)] as const
      : path === "run.mmd"
      ? ["text/plain; charset=utf-8", asMermaid(session)] as const
      : ["", null] as const;
    if (body === null) return refusal(404, "There is no such file.");
    return answer(body, 200, {
      "content-type": type,
      "content-disposition": `attachment; filename="${path}"`,
    });
  }

  /** Shows a saved run, whose bytes are the body, to the pages of a run. */
  async #open(
    request: Request,
    parameters: URLSearchParams,
  ): Promise<Response> {
    const session = this.#sessions.get(parameters.get("run") ?? "");
    if (!session) return refusal(404, "There is no such run.");
    const name = (parameters.get("name") ?? "").slice(0, 200) || "a saved run";
    const body = await bodyOf(request, OPEN_BYTES);
    if (!body) {
      return refusal(
        413,
        `A saved run may have ${OPEN_BYTES / 1024 ** 2} MiB.`,
      );
    }
    try {
      await session.open(await readSaved(body, name), name);
      return answer(null, 204);
    } catch (error) {
      if (!(error instanceof BadRun)) throw error;
      return refusal(400, error.message);
    }
  }

  #file(path: string, request: Request): Response {
    const file = this.#options.files.get(path);
    if (!file) return refusal(404, "There is no such file.");
    const nonce = random();
    const headers = {
      "content-type": file.type,
      "content-security-policy": [
        "default-src 'none'",
        "script-src 'self'",
        `style-src 'self' 'nonce-${nonce}'`,
        "img-src 'self' data: blob:",
        `connect-src 'self' ${this.#origin.replace("http", "ws")}`,
        ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
      ].join("; "),
    };
    if (path === "index.html") {
      const text = new TextDecoder().decode(file.bytes);
      return answer(text.replaceAll(NONCE, nonce), 200, headers);
    }
    const zipped = /\bgzip\b/.test(
      request.headers.get("accept-encoding") ?? "",
    );
    return zipped
      ? answer(file.gzip, 200, { ...headers, "content-encoding": "gzip" })
      : answer(file.bytes, 200, headers);
  }
}

/** A random text that nobody guesses. */
function random(): string {
  return crypto.getRandomValues(new Uint8Array(24)).toHex();
}

/** Whether two texts are the same, in a time that does not tell how much of them is. */
function isSame(given: string | null, wanted: string): boolean {
  const encoder = new TextEncoder();
  const a = encoder.encode(given ?? ""), b = encoder.encode(wanted);
  return a.length === b.length && timingSafeEqual(a, b);
}

function answer(
  body: BodyInit | null,
  status: number,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      ...headers,
    },
  });
}

function refusal(status: number, text: string): Response {
  return answer(`${text}\n`, status, {
    "content-type": "text/plain; charset=utf-8",
  });
}

/** What a request carries; null if that is too much. */
async function bodyOf(
  request: Request,
  most: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > most) return null;
    parts.push(part);
  }
  return await new Blob(parts).bytes();
}
