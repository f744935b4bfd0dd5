/**
 * nginx with a configuration of its own, in a temporary folder.
 *
 * @module
 */
import { join } from "@std/path";
import { unusedPort } from "../../assertions.ts";
import type { Contestant } from "../contest.ts";
import {
  accepts,
  contestant,
  installed,
  type Load,
  Server,
} from "../servers.ts";

/**
 * Starts it with these lines in its `server` block. It runs as many workers as
 * there are cores, and writes no log: as fast as it can be.
 */
export function nginx(lines: string[], load: Load): Promise<Contestant> {
  return contestant(async (stack) => {
    const program = await installed("nginx");
    const folder = await Deno.makeTempDir({ prefix: "bench-nginx-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    // Its workers run as another user when it is started by root.
    await Deno.chmod(folder, 0o755);
    const port = unusedPort();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${join(folder, name)};`);
    await Deno.writeTextFile(
      join(folder, "nginx.conf"),
      `daemon off;
pid ${join(folder, "nginx.pid")};
error_log stderr crit;
worker_processes auto;
events { worker_connections 4096; }
http {
  ${temporary.join("\n  ")}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  types { text/html html; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    ${lines.join("\n    ")}
  }
}
`,
    );
    const args = ["-p", folder, "-e", "stderr", "-c", "nginx.conf"];
    const server = stack.use(new Server([program, ...args]));
    await server.ready(() => accepts(port));
    return async (seconds) => [await load(port, seconds)];
  });
}
