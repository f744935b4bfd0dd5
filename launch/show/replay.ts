/**
 * Shows a saved run again.
 *
 * @module
 */
import type { Link } from "../programs/cast.ts";
import { Counts } from "../wire/counts.ts";
import type { WireEvent } from "../wire/relay.ts";
import type { SavedRun } from "../wire/saved_run.ts";
import type { Direction, Presenter } from "./presenter.ts";
import { ends } from "./presenter.ts";

/** From so many µs on, what was late is shown twice: when it left, when it came. */
const LATE = 5_000;

/** Shows a run to a presenter, at once. */
export function replay(
  { header, events }: SavedRun,
  presenter: Presenter,
  file: string,
): void {
  const links = new Map<string, Link>(
    header.links.map((link) => [link.name, link]),
  );
  presenter.begin({
    name: file,
    summary: `saved ${header.start}`,
    look: "",
    members: header.programs.map((program) => {
      const { transport } = header.links.find(({ server }) =>
        server === program.name
      ) ?? {};
      return { ...program, ...transport ? { listens: transport } : {} };
    }),
  }, []);
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
    counts: header.net.length > 0 ? counts.lines() : [],
    repeat: "",
  });
}
