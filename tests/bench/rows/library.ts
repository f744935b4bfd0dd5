/**
 * The library's servers, with requests that answer and requests that compute.
 *
 * @module
 */
import { join } from "@std/path";
import { ROOT } from "../../assertions.ts";
import type { Contest, Contestant, Metric } from "../contest.ts";
import { exchanges } from "../load/tcp.ts";
import { type Load, pythonPeer, tcpServer } from "../servers.ts";

const perSecond: Metric = { unit: "/s", better: "more" };

/** What a server is asked, and by how many clients at a time. */
interface Kind {
  what: "answer" | "compute";
  load: Load;
}
const answer: Kind = { what: "answer", load: exchanges(16, "Hello Server!") };
const compute: Kind = { what: "compute", load: exchanges(8, "50000") };

/** A server of ours, in a program that uses it as a reader would. */
function library(
  server: "iterative" | "concurrent" | "threads",
  { what, load }: Kind,
): Promise<Contestant> {
  const program = join(ROOT, "tests", "bench", "library_server.ts");
  const flags = ["--quiet", "--allow-net=127.0.0.1", "--allow-read"];
  return tcpServer((port) =>
    Promise.resolve([
      ...[Deno.execPath(), "run", ...flags, program],
      ...[`${port}`, server, what],
    ]), load);
}

function python(
  server: "TCPServer" | "ThreadingTCPServer",
  { what, load }: Kind,
): Promise<Contestant> {
  return tcpServer(
    (port) => pythonPeer("request_server.py", port, server, what),
    load,
  );
}

/** The contests for requests that answer, and for those that compute. */
export const libraryContests: Contest[] = [
  {
    id: "library-iterative",
    title: "request that answers",
    metrics: [perSecond],
    ours: {
      name: "IterativeServer",
      start: () => library("iterative", answer),
    },
    peers: [{
      name: "Python, TCPServer",
      start: () => python("TCPServer", answer),
    }],
  },
  {
    id: "library-concurrent",
    title: "request that answers",
    metrics: [perSecond],
    ours: {
      name: "MultithreadedServer, object",
      start: () => library("concurrent", answer),
    },
    peers: [{
      name: "Python, ThreadingTCPServer",
      target: 1,
      start: () => python("ThreadingTCPServer", answer),
    }],
  },
  {
    id: "library-threads",
    title: "request that answers",
    metrics: [perSecond],
    ours: {
      name: "MultithreadedServer, module",
      start: () => library("threads", answer),
    },
    peers: [{
      name: "Python, ThreadingTCPServer",
      target: 1,
      start: () => python("ThreadingTCPServer", answer),
    }],
  },
  {
    id: "library-compute",
    title: "request that computes",
    metrics: [perSecond],
    ours: {
      name: "MultithreadedServer, module",
      start: () => library("threads", compute),
    },
    peers: [
      {
        name: "ours, IterativeServer",
        target: 1.9,
        start: () => library("iterative", compute),
      },
      {
        name: "Python, TCPServer",
        start: () => python("TCPServer", compute),
      },
      {
        name: "Python, ThreadingTCPServer",
        start: () => python("ThreadingTCPServer", compute),
      },
    ],
  },
];
