/**
 * Which ports of this machine somebody listens on. The system is asked: whoever tries
 * to listen there himself may take the port in the moment in which its program wants
 * it, and whoever connects may be taken for the one client of a server.
 *
 * @module
 */
import type { Transport } from "../wire/relay.ts";

/** Ports, by how they are spoken to. */
export type Listening = Record<Transport, Set<number>>;

/** The ports that somebody listens on now; null where the system does not tell. */
export async function listening(): Promise<Listening | null> {
  const isLinux = Deno.build.os === "linux";
  try {
    // Deno itself may look into /proc only with -A.
    const { stdout } = isLinux
      ? await run("cat", ["tcp", "tcp6", "udp", "udp6"].map(inProc))
      : await run("netstat", ["-an"]);
    const text = new TextDecoder().decode(stdout);
    return isLinux ? inProcNet(text) : inNetstat(text);
  } catch {
    return null;
  }
}

const inProc = (name: string) => `/proc/net/${name}`;

function run(program: string, args: string[]): Promise<Deno.CommandOutput> {
  // A machine without IPv6 lacks some of these files.
  const rest = { stdin: "null", stderr: "null" } as const;
  return new Deno.Command(program, { args, ...rest }).output();
}

/**
 * What Linux says in `/proc/net/tcp` and `/proc/net/udp`, one after the other:
 * `0: 0100007F:3039 00000000:0000 0A …`. 0A is a socket that listens, 07 one that is
 * not connected.
 */
export function inProcNet(text: string): Listening {
  const found = { tcp: new Set<number>(), udp: new Set<number>() };
  const rows = text.matchAll(
    /^ *\d+: [\dA-F]+:([\dA-F]{4}) [\dA-F]+:0000 (0A|07) /gm,
  );
  for (const [, port = "", state] of rows) {
    found[state === "0A" ? "tcp" : "udp"].add(parseInt(port, 16));
  }
  return found;
}

/**
 * What `netstat -an` says, on macOS (`tcp4 0 0 127.0.0.1.8080 *.* LISTEN`) or Windows
 * (`TCP 127.0.0.1:8080 0.0.0.0:0 ABHÖREN`, in the language of the user): who has
 * no partner yet, listens.
 */
export function inNetstat(text: string): Listening {
  const found = { tcp: new Set<number>(), udp: new Set<number>() };
  const rows = text.matchAll(
    /^ *(tcp|udp)\w*(?: +\d+ +\d+)? +\S*[.:](\d+) +(?:\*[.:]\*|0\.0\.0\.0:0|\[::\]:0)(?: |\r?$)/gim,
  );
  for (const [, name = "", port] of rows) {
    found[name.toLowerCase() === "tcp" ? "tcp" : "udp"].add(Number(port));
  }
  return found;
}
