/**
 * From start to the listening line.
 *
 * @module
 */
import type { Contest, Contestant, Metric } from "../contest.ts";
import { median } from "../contest.ts";
import { ours, pythonPeer } from "../servers.ts";

const milliseconds: Metric = { unit: "ms", better: "less" };

/** Starts it again and again; measures the middle time to its first line. */
function starting(command: () => Promise<string[]>): Promise<Contestant> {
  return Promise.resolve({
    async measure(seconds: number) {
      const [program = "", ...args] = await command();
      const end = performance.now() + seconds * 1000;
      const times = [];
      do times.push(await start(program, args)); while (performance.now() < end);
      return [median(times)];
    },
    async [Symbol.asyncDispose]() {},
  });
}

/** Starts a program, ends it when it has printed a line; returns the ms. */
async function start(program: string, args: string[]): Promise<number> {
  const begin = performance.now();
  const child = new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "piped", // kept open: some end with their input
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  const time = performance.now() - begin;
  clearTimeout(timer);
  if (!done) child.kill("SIGKILL");
  await reader.cancel();
  await child.stdin.close().catch(() => {});
  await child.status;
  if (done) throw new Error(`${program} ${args.join(" ")} printed nothing`);
  return time;
}

/** Each server's task, its transport, and what its original imports. */
const SERVERS: [string, string, "tcp" | "udp", ...string[]][] = [
  ["tcp/server", "tcp:server", "tcp"],
  ["tcp/chat_server", "tcp:chat:server", "tcp"],
  ["udp/server", "udp:server", "udp"],
  ["udp/chat_server", "udp:chat:server", "udp"],
  ["http_server", "http:server", "tcp"],
  ["mt_http_server", "http:threaded:server", "tcp", "threading"],
  ["serve_http_server", "http:serve:server", "tcp", "http.server"],
  ["udp_toupper", "broker:toupper", "udp"],
  ["udp_tolower", "broker:tolower", "udp"],
  ["udp_broker", "broker:broker", "udp"],
  ["web_server", "web:server", "tcp"],
  ["incrementer", "incrementer:server", "tcp", "logging", "threading", "random"],
  ["library", "library:server", "tcp", "threading", "abc"],
];

/** A contest for each server script. */
export const starts: Contest[] = SERVERS.map(
  ([name, task, transport, ...modules]) => ({
    id: `start-${name.replace("/", "-").replaceAll("_", "-")}`,
    title: "start to the listening line",
    metrics: [milliseconds],
    ours: {
      name,
      start: () => starting(() => ours(task, ["--port", "0"])),
    },
    peers: [{
      name: "Python",
      target: 1,
      start: () => starting(() => pythonPeer("listen.py", transport, ...modules)),
    }],
  }),
);
