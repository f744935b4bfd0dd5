/**
 * The HTTP servers and the web server.
 *
 * @module
 */
import { assert } from "@std/assert";
import { join } from "@std/path";
import { unusedPort } from "../../assertions.ts";
import { accepts, ours, Server, webServer } from "../../bench/servers.ts";
import type { Target, Victim } from "../attack.ts";
import { Random } from "../random.ts";
import { exchange, type Talk, tcpAttacks } from "../tcp.ts";

/** A server of this project that listens on TCP, and its honest clients. */
export async function tcpVictim(
  command: (port: number) => Promise<string[]>,
  { talk, witnesses }: { talk: Talk; witnesses: number },
): Promise<Victim> {
  const port = unusedPort();
  const server = new Server(await command(port));
  await server.ready(() => accepts(port));
  return {
    port,
    witnesses,
    pids: () => [server.pid],
    check: (random) => exchange(port, talk, random),
    complaints: () => server.complaints,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const page: Talk = {
  request: (random) => {
    const path = encodeURIComponent(random.word());
    const close = "Connection: close\r\n\r\n";
    const head = `GET /${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`;
    return new TextEncoder().encode(head);
  },
  ends: false,
  expect: (_, answer) => {
    assert(/^HTTP\/1\.1 200 OK\r\n/.test(answer), `not a page: ${answer}`);
    assert(answer.trimEnd().endsWith("</html>"), `half a page: ${answer}`);
  },
};

/** Text files, each of which says which one it is. */
const files = new Map(Array.from({ length: 20 }, (_, number) => {
  const size = new Random(`file ${number}`).size(200_000);
  return [`/${number}.txt`, `File number ${number}. `.repeat(size / 16 + 1)];
}));

const file: Talk = {
  request: (random) => {
    const path = random.pick("/0.txt", ...files.keys());
    const close = "Connection: close\r\n\r\n";
    const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`;
    return new TextEncoder().encode(head);
  },
  ends: false,
  expect: (request, answer) => {
    const [, path = ""] = new TextDecoder().decode(request).split(" ");
    assert(answer.startsWith("HTTP/1.1 200 OK\r\n"), `no file: ${answer}`);
    const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
    assert(body === files.get(path), `${path} is answered with ${body}`);
  },
};

async function webVictim(): Promise<Victim> {
  const folder = await Deno.makeTempDir({ prefix: "torture-files-" });
  for (const [path, text] of files) {
    await Deno.writeTextFile(join(folder, path), text);
  }
  const victim = await tcpVictim(
    (port) => webServer(folder, port),
    { talk: file, witnesses: 2 },
  );
  return {
    ...victim,
    async [Symbol.asyncDispose]() {
      await victim[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** In the sequential server others wait, so nobody witnesses the attacks. */
const SERVERS = [
  { name: "http_server", task: "http:server", witnesses: 0 },
  { name: "mt_http_server", task: "http:threaded:server", witnesses: 2 },
  { name: "serve_http_server", task: "http:serve:server", witnesses: 2 },
];

/** Each of the four. */
export const httpTargets: Target[] = [
  ...SERVERS.map(({ name, task, witnesses }) => ({
    name,
    start: () =>
      tcpVictim((port) => ours(task, ["--port", `${port}`]), {
        talk: page,
        witnesses,
      }),
    attacks: tcpAttacks(page),
  })),
  { name: "web_server", start: webVictim, attacks: tcpAttacks(file) },
];
