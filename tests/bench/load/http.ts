/**
 * HTTP requests as fast as a server answers them, made by wrk.
 *
 * @module
 */
import { installed, type Load } from "../servers.ts";

/** How requests are made. */
export interface HttpLoad {
  /** Connections at a time. */
  connections: number;
  /** From `/` on. */
  path?: string;
}

/** Requests answered per second; throws when one is not answered well. */
export function requests(
  { connections, path = "/" }: HttpLoad,
): Load {
  return async (port, seconds) => {
    const duration = Math.max(1, Math.round(seconds)); // wrk knows no fractions
    const { stdout } = await new Deno.Command(await installed("wrk"), {
      args: [
        "--threads=1",
        `--connections=${connections}`,
        `--duration=${duration}s`,
        `http://127.0.0.1:${port}${path}`,
      ],
    }).output();
    const report = new TextDecoder().decode(stdout);
    const [, rate] = /^Requests\/sec: +([\d.]+)$/m.exec(report) ?? [];
    const wrong = /Socket errors.*|Non-2xx.*/.exec(report)?.[0];
    if (rate === undefined || wrong !== undefined) {
      throw new Error(`wrk on port ${port}: ${wrong ?? report}`);
    }
    return Number(rate);
  };
}
