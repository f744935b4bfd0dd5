/**
 * Shows a saved run again.
 *
 * @module
 */
import type { Link } from "../programs/cast.ts";
import { Counts } from "../wire/counts.ts";
import type { Address, Side, WireEvent } from "../wire/relay.ts";
import type { SavedRun } from "../wire/saved_run.ts";
import type { Direction, Presenter } from "./presenter.ts";
import { ends } from "./presenter.ts";

/** From so many µs on, what was late is shown twice: when it left, when it came. */
const LATE = 5_000;

/** The roles on both sides of links, for counts. */
export function namesOf(
  links: ReadonlyMap<string, Pick<Link, "client" | "server">>,
): (link: string, side: Side) => string {
  return (link, side) => links.get(link)?.[side] ?? side;
}

/** Shows a run to a presenter, at once. */
export function replay(
  { header, events }: SavedRun,
  presenter: Presenter,
  file: string,
): void {
  const roles = Object.keys(header.programs);
  const links = new Map<string, Link>();
  for (const { name, client, transport, listen, target } of header.links) {
    const server = roles.includes(name)
      ? name
      : roles.find((role) => role !== client) ?? name;
    const relay = addressIn(listen);
    links.set(name, {
      ...{ name, client, server, transport, relay },
      target: addressIn(target),
    });
  }
  presenter.begin({
    name: file,
    summary: `${header.task}, ${new Date(header.start).toISOString()}`,
    look: "",
    members: roles.map((name) => {
      const { transport } = [...links.values()]
        .find(({ server }) => server === name) ?? {};
      return {
        name,
        title: header.programs[name] ?? name,
        ...transport ? { listens: transport } : {},
      };
    }),
  }, header.net ? [`${header.net} (seed ${header.seed})`] : []);
  for (const link of links.values()) presenter.link(link, 0);
  const counts = new Counts();
  const directions = new Map<string, Direction>();
  const moments: { at: number; event: WireEvent; isUpdate: boolean }[] = [];
  for (const event of events) {
    counts.take(event);
    const late = (event.delivered ?? event.sent) - event.sent;
    const isLate = late > LATE && event.marks.includes("late");
    if (isLate) {
      const before = { ...event, delivered: null, fate: "under way" } as const;
      moments.push({ at: event.sent, event: before, isUpdate: false });
      moments.push({ at: event.sent + late, event, isUpdate: true });
    } else moments.push({ at: event.sent, event, isUpdate: false });
  }
  moments.sort((a, b) => a.at - b.at || a.event.number - b.event.number);
  for (const { at, event, isUpdate } of moments) {
    const link = links.get(event.link);
    if (!link) continue;
    const size = event.bytes.length;
    presenter.wire(link, event, { size, isUpdate }, at / 1000);
    if (isUpdate || event.kind !== "message" && event.kind !== "datagram") {
      continue;
    }
    const [from, to] = ends(link, event);
    const total = directions.get(`${from} ${to}`) ??
      { from, to, transport: link.transport, messages: 0, bytes: 0 };
    directions.set(`${from} ${to}`, total);
    total.messages++;
    total.bytes += size;
  }
  presenter.end({
    ms: (moments.at(-1)?.at ?? 0) / 1000,
    directions: [...directions.values()],
    counts: header.net ? counts.lines(namesOf(links)) : [],
    repeat: "",
  });
}

/** `127.0.0.1:8080` and `[::1]:8080`, taken apart. */
function addressIn(text: string): Address {
  const at = text.lastIndexOf(":");
  const hostname = text.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: Number(text.slice(at + 1)) };
}
