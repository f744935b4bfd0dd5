/**
 * A relay that records all events in a file, for the benchmark: transport, port
 * of the relay, port of the server, file.
 */
import { relayTcp } from "../../launch/wire/tcp_relay.ts";
import { relayUdp } from "../../launch/wire/udp_relay.ts";
import { Recording } from "../../launch/wire/relay.ts";
import { SavedRunWriter } from "../../launch/wire/saved_run.ts";

const [transport, port, target, file = ""] = Deno.args;
const writer = new SavedRunWriter(file, {
  ...{ start: Date.now(), task: "deno task bench", net: "", seed: 0 },
  ...{ programs: {}, links: [], versions: {} },
});
await (transport === "udp" ? relayUdp : relayTcp)({
  link: "server",
  listen: { port: Number(port) },
  target: { hostname: "127.0.0.1", port: Number(target) },
  recorder: new Recording((event) => writer.take(event)),
});
