/**
 * Files from a folder, over kept connections.
 *
 * @module
 */
import { join } from "@std/path";
import { unusedPort } from "../../assertions.ts";
import type { Contest, Contestant, Metric } from "../contest.ts";
import { requests } from "../load/http.ts";
import {
  accepts,
  contestant,
  installed,
  type Load,
  npmPeer,
  Server,
  webServer,
} from "../servers.ts";
import { nginx } from "./nginx.ts";

const perSecond: Metric = { unit: "/s", better: "more" };

/** A folder with the file, which goes when the servers go. */
async function folderWith(
  stack: AsyncDisposableStack,
  file: string,
  size: number,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "bench-files-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.chmod(folder, 0o755); // nginx runs as somebody else
  const line = "<p>All work and no play makes Jack a dull boy.</p>\n";
  await Deno.writeTextFile(
    join(folder, file),
    line.repeat(Math.ceil(size / line.length)).slice(0, size),
  );
  return folder;
}

/** A server of that folder's files, under load. */
function serving(
  { file, size, load }: { file: string; size: number; load: Load },
  command: (folder: string, port: number) => Promise<string[]>,
): Promise<Contestant> {
  return contestant(async (stack) => {
    const folder = await folderWith(stack, file, size);
    const port = unusedPort();
    const server = stack.use(new Server(await command(folder, port)));
    await server.ready(() => accepts(port));
    return async (seconds) => [await load(port, seconds)];
  });
}

async function pythonServer(folder: string, port: number): Promise<string[]> {
  const python = await installed("python3");
  const bind = ["--bind", "127.0.0.1", "--directory", folder];
  return [python, "-m", "http.server", ...bind, `${port}`];
}

function nginxServer(
  { file, size, load }: { file: string; size: number; load: Load },
): Promise<Contestant> {
  return contestant(async (stack) => {
    const folder = await folderWith(stack, file, size);
    const server = stack.use(await nginx([`root ${folder};`], load));
    return (seconds) => server.measure(seconds);
  });
}

function serveServer(folder: string, port: number): Promise<string[]> {
  const where = ["-l", `tcp://127.0.0.1:${port}`, folder];
  return npmPeer("serve", "14", "--no-request-logging", ...where);
}

function httpServer(folder: string, port: number): Promise<string[]> {
  const where = ["-a", "127.0.0.1", "-p", `${port}`];
  return npmPeer("http-server", "14", folder, "--silent", ...where);
}

/** The contests for both sizes; the targets are for the small file. */
export const files: Contest[] = [
  { id: "file-3k", title: "file of 3 KB, keep-alive", size: 3_000 },
  { id: "file-1m", title: "file of 1 MB, keep-alive", size: 1_000_000 },
].map(({ id, title, size }) => {
  const file = "page.html";
  const load = requests({ connections: 32, path: `/${file}` });
  const what = { file, size, load };
  // To /page.html, `serve` answers that the page is at /page.
  const page = { ...what, load: requests({ connections: 32, path: "/page" }) };
  const target = (target: number) => size === 3_000 ? { target } : {};
  return {
    id,
    title,
    metrics: [perSecond],
    ours: { name: "web_server", start: () => serving(what, webServer) },
    peers: [
      { name: "nginx", start: () => nginxServer(what) },
      {
        name: "npm's serve",
        ...target(1),
        start: () => serving(page, serveServer),
      },
      {
        name: "npm's http-server",
        ...target(1),
        start: () => serving(what, httpServer),
      },
      {
        name: "python3 -m http.server",
        ...target(8),
        start: () => serving(what, pythonServer),
      },
    ],
  };
});
