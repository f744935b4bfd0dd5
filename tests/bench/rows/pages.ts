/**
 * A small page: a connection for each request, and kept connections.
 *
 * @module
 */
import type { Contest, Entry, Metric, Peer } from "../contest.ts";
import { requests } from "../load/http.ts";
import { nodePeer, ours, pythonPeer, tcpServer } from "../servers.ts";
import { nginx } from "./nginx.ts";

const perSecond: Metric = { unit: "/s", better: "more" };
const load = requests({ connections: 32 });

const page = [
  "location / {",
  "  default_type text/html;",
  "  return 200 '<!DOCTYPE html>\n<html>\n" +
  "<head><title>Mini Server</title></head>\n" +
  "<body>\n<h1>Hello from nginx</h1>\n</body>\n</html>\n';",
  "}",
];

/** One of our servers, by its task. */
function server(name: string, task: string): Entry {
  const command = (port: number) => ours(task, ["--port", `${port}`]);
  return { name, start: () => tcpServer(command, load) };
}

/**
 * Those that close each connection, as ours do. The targets are for what a user would
 * take instead; nginx shows what is possible.
 */
function closing(targets?: { python: number; node: number }): Peer[] {
  return [
    {
      name: "nginx, Connection: close",
      start: () => nginx(["keepalive_timeout 0;", ...page], load),
    },
    {
      name: "Python, threads",
      ...(targets && { target: targets.python }),
      start: () =>
        tcpServer((port) => pythonPeer("page_server.py", port), load),
    },
    {
      name: "Node, net",
      ...(targets && { target: targets.node }),
      start: () => tcpServer((port) => nodePeer("net_server.mjs", port), load),
    },
  ];
}

/** The contests for the three HTTP servers. */
export const pages: Contest[] = [
  {
    id: "page-sequential",
    title: "page per connection",
    metrics: [perSecond],
    ours: server("http_server", "http:server"),
    peers: closing(),
  },
  {
    id: "page-threaded",
    title: "page per connection",
    metrics: [perSecond],
    ours: server("mt_http_server", "http:threaded:server"),
    peers: closing({ python: 1, node: 0.8 }),
  },
  {
    id: "page-keep-alive",
    title: "page, keep-alive",
    metrics: [perSecond],
    ours: server("serve_http_server", "http:serve:server"),
    peers: [
      { name: "nginx", start: () => nginx(page, load) },
      {
        name: "Node, http",
        start: () =>
          tcpServer((port) => nodePeer("http_server.mjs", port), load),
      },
    ],
  },
];
