/**
 * From start to the listening line.
 *
 * @module
 */
import {
  type Contest,
  type Contestant,
  median,
  type Metric,
} from "../contest.ts";
import { contestant, fromElsewhere, ours, pythonPeer } from "../servers.ts";

const milliseconds: Metric = { unit: "ms", better: "less" };

/** A server script, and what its original in Python does to start. */
interface Script {
  name: string;
  task: string;
  transport: "tcp" | "udp";
  /** What the original imports besides sockets. */
  modules?: string[];
}

const SCRIPTS: Script[] = [
  { name: "tcp/server", task: "tcp:server", transport: "tcp" },
  { name: "tcp/chat_server", task: "tcp:chat:server", transport: "tcp" },
  { name: "udp/server", task: "udp:server", transport: "udp" },
  { name: "udp/chat_server", task: "udp:chat:server", transport: "udp" },
  { name: "http_server", task: "http:server", transport: "tcp" },
  {
    name: "mt_http_server",
    task: "http:threaded:server",
    transport: "tcp",
    modules: ["threading"],
  },
  { name: "serve_http_server", task: "http:serve:server", transport: "tcp" },
  { name: "udp_toupper", task: "broker:toupper", transport: "udp" },
  { name: "udp_tolower", task: "broker:tolower", transport: "udp" },
  { name: "udp_broker", task: "broker:broker", transport: "udp" },
  { name: "web_server", task: "web:server", transport: "tcp" },
  {
    name: "incrementer server",
    task: "incrementer:server",
    transport: "tcp",
    modules: ["logging", "os", "threading", "random"],
  },
  {
    name: "library server",
    task: "library:server",
    transport: "tcp",
    modules: ["threading", "abc"],
  },
];

/** A contest for each server script. */
export const starts: Contest[] = SCRIPTS.map((script) => ({
  id: `start-${script.task.replace(/:server$/, "").replaceAll(":", "-")}`,
  title: "start to the listening line",
  metrics: [milliseconds],
  ours: { name: script.name, start: () => startingOurs(script) },
  peers: [{
    name: "Python",
    start: () => startingPython(script),
  }],
}));

function startingOurs({ task }: Script): Promise<Contestant> {
  return contestant(async (stack) => {
    const command = await ours(task, ["--port", "0"]);
    if (task !== "incrementer:server") return measure(command);
    // It writes its log where it is started.
    const folder = await Deno.makeTempDir({ prefix: "bench-start-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    return measure(fromElsewhere(command), folder);
  });
}

function startingPython(script: Script): Promise<Contestant> {
  const { transport, modules = [] } = script;
  return contestant(async () =>
    measure(await pythonPeer("listen.py", transport, ...modules))
  );
}

/** Starts it again and again; results in the middle time to its first line. */
function measure(command: string[], cwd?: string): Contestant["measure"] {
  return async (seconds) => {
    const end = performance.now() + seconds * 250; // there are many of these
    const times: number[] = [];
    do times.push(await start(command, cwd)); while (performance.now() < end);
    return [median(times)];
  };
}

/** Starts a program, ends it when it has printed a line; returns the ms. */
async function start(
  [program = "", ...args]: string[],
  cwd: string | undefined,
): Promise<number> {
  const begin = performance.now();
  const child = new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "piped", // kept open: some end with their input
    stdout: "piped",
    stderr: "null",
    ...(cwd === undefined ? {} : { cwd }),
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
