/**
 * The drawing of a run as shapes: what stands between two heights.
 *
 * @module
 */
import { fit, visible, width, wrap } from "../../../show/text.ts";
import type { PageEvent } from "../../messages.ts";
import type { Entry, History } from "./history.ts";
import { ROW, type Scale, TOP } from "./scale.ts";
import { type Shape, shape } from "./svg.ts";
import {
  clock,
  duration,
  fates,
  firstText,
  hasBytes,
  nameOf,
  plainText,
  whichOf,
} from "./words.ts";

/** Where columns stand. */
export interface Frame {
  width: number;
  /** Room at the left for times, and at the right, in px. */
  gutter: number;
  right: number;
  /** The width of a character of the fixed font, in px. */
  character: number;
  /** The end of what is known, in µs: how long held ones have waited. */
  now: number;
}

/** Between the parts of a label, in px. */
const GAP = 8;

/** How many rows a printed line may take, how much of it is looked at, and a row's height. */
const LINE_ROWS = 6, GLANCE = 1_000, LINE_HEIGHT = 19;

/** How much room an entry needs from its place to the next one's, in px. */
export function heightOf(entry: Entry, history: History, frame: Frame): number {
  const { item } = entry;
  switch (item.kind) {
    case "over":
      return ROW + 20 * item.counts.length;
    case "net":
      return ROW + 20 * Math.max(0, item.sentences.length - 1);
    case "line": {
      const { room } = beside(item.role, history, frame);
      // Most lines fit: a character takes two columns at most.
      if (item.text.length * 2 <= room) return ROW;
      return ROW + LINE_HEIGHT * (rowsOf(item.text, room).length - 1);
    }
    default:
      return ROW;
  }
}

/** A printed line as rows. */
function rowsOf(text: string, room: number): string[] {
  const rows = wrap(visible(text.slice(0, GLANCE)), Math.max(4, room));
  if (rows.length <= LINE_ROWS && text.length <= GLANCE) return rows;
  const last = rows[LINE_ROWS - 1] ?? "";
  return [...rows.slice(0, LINE_ROWS - 1), fit(`${last} …`, room)];
}

/** A shape with a key, and with what tells whether it has to be drawn anew. */
export interface Drawn {
  key: string;
  signature: string;
  draw: () => Shape;
}

/** So many arrows that start elsewhere are drawn, too. */
const GUESTS = 120, LOOK_BACK = 2_000;

/** The x of a program's line. */
export function columnOf(role: string, history: History, frame: Frame): number {
  const { roles } = history;
  const index = Math.max(0, roles.indexOf(role));
  const room = frame.width - frame.gutter - frame.right;
  return frame.gutter + room * (index + 0.5) / Math.max(1, roles.length);
}

/** All that is to be seen between two heights. */
export function drawingOf(
  history: History,
  scale: Scale,
  frame: Frame,
  top: number,
  bottom: number,
  isWhole = false,
): Drawn[] {
  const drawn: Drawn[] = lifelines(history, scale, frame, top, bottom);
  if (history.droppedUpTo > 0 && top < TOP) {
    drawn.push(droppedBand(history, frame));
  }
  const guests: Drawn[] = [], own: Drawn[] = [];
  const seen = new Set<Entry>();
  const first = scale.firstBelow(top);
  let last = first;
  for (let i = first; i < scale.knots.length; i++) {
    const knot = scale.knots[i];
    if (!knot) break;
    if (knot.silence > 0 && knot.floor < bottom) {
      own.push(silence(scale, frame, i));
    }
    if (knot.y > bottom) break;
    last = i;
    if (knot.arrives) continue;
    seen.add(knot.entry);
    own.push(drawnEntry(knot.entry, history, scale, frame));
  }
  if (scale.spacing === "time" && !isWhole) {
    const guest = (entry: Entry) => {
      if (seen.has(entry) || guests.length >= GUESTS) return;
      seen.add(entry);
      guests.push(drawnEntry(entry, history, scale, frame, true));
    };
    for (let i = first; i <= last; i++) {
      const knot = scale.knots[i];
      if (knot?.arrives) guest(knot.entry);
    }
    // Those that start above and end below.
    for (let i = first - 1; i >= Math.max(0, first - LOOK_BACK); i--) {
      const knot = scale.knots[i];
      if (!knot) break;
      if (knot.arrives) continue;
      const arrival = scale.arrivalOf(knot.entry);
      if (arrival !== null && arrival > bottom) guest(knot.entry);
      if (guests.length >= GUESTS) break;
    }
  }
  return [...drawn, ...guests, ...own];
}

function drawnEntry(
  entry: Entry,
  history: History,
  scale: Scale,
  frame: Frame,
  isGuest = false,
): Drawn {
  const y = scale.startOf(entry), end = scale.arrivalOf(entry);
  const { item } = entry;
  const age = item.kind === "wire" && isWaiting(item.event)
    ? Math.floor((frame.now - item.event.sent) / 1e6)
    : 0;
  const signature = [
    entry.version,
    Math.round(y * 2),
    end === null ? "" : Math.round(end * 2),
    isGuest,
    frame.width,
    frame.character,
    history.roles.length,
    history.links.size,
    age,
  ].join();
  const draw = () => {
    switch (item.kind) {
      case "wire":
        return eventShape(entry, item.event, history, frame, y, end, isGuest);
      case "line":
        return lineShape(entry, history, frame, y);
      case "program":
        return programShape(entry, history, frame, y);
      default:
        return ruleShape(entry, frame, y);
    }
  };
  return { key: entry.key, signature, draw };
}

/** Held by somebody, and not let go yet. */
export function isWaiting(event: PageEvent): boolean {
  return event.fate === "under way" && event.marks.includes("held");
}

// ------------------------------------------------------------------ events

function eventShape(
  entry: Entry,
  event: PageEvent,
  history: History,
  frame: Frame,
  y: number,
  end: number | null,
  isGuest: boolean,
): Shape {
  if (event.kind === "condition" || event.kind === "trouble") {
    return ruleShape(entry, frame, y);
  }
  const [from, to] = history.ends(event);
  const x1 = columnOf(from, history, frame), x2 = columnOf(to, history, frame);
  const colour = `c${Math.max(0, history.roles.indexOf(from)) % 6}`;
  const classes = ["lv-event", colour];
  const transport = history.links.get(event.link)?.transport ?? "tcp";
  if (!hasBytes(event)) classes.push("lv-control");
  else if (transport === "udp") classes.push("lv-datagram");
  if (event.fate === "lost") classes.push("lv-lost");
  if (event.fate === "under way") classes.push("lv-under-way");
  if (event.kind === "reset" || event.kind === "refused") {
    classes.push("lv-broken");
  }
  for (const mark of event.marks) classes.push(`lv-${mark}`);
  const inside: Shape[] = [...arrow(event, x1, x2, y, end)];
  if (!isGuest) {
    inside.unshift(hit(frame, y));
    inside.push(timeShape(entry.at, frame, y));
    inside.push(...labels(event, history, frame, x1, x2, y));
  }
  return shape("g", {
    class: classes.join(" "),
    "data-key": entry.key,
  }, ...inside);
}

/** What can be clicked, and what shows the focus. */
function hit(frame: Frame, y: number): Shape {
  const width = Math.max(0, frame.width - frame.right - 4);
  return shape("rect", {
    class: "lv-hit",
    x: 2,
    y: round(y - 22),
    width: round(width),
    height: 29,
    rx: 5,
  });
}

/** The arrow with its head, and the signs that stand on it. */
function arrow(
  event: PageEvent,
  x1: number,
  x2: number,
  y1: number,
  end: number | null,
): Shape[] {
  const way = Math.sign(x2 - x1) || 1;
  const y2 = end ?? y1;
  const middle = (x1 + x2) / 2;
  const isMade = event.marks.includes("again") ||
    event.marks.includes("injected");
  const isHeld = event.marks.includes("held");
  const start = isMade ? middle : x1 + way * 3;
  const stop = x2 - way * 3;
  const shapes: Shape[] = [];
  const path = (d: string, kind: string) =>
    shapes.push(shape("path", { class: kind, d }));
  const head = (x: number, y: number, fromX: number, fromY: number) => {
    const angle = Math.atan2(y - fromY, x - fromX);
    const at = (back: number, aside: number) =>
      `${round(x - back * Math.cos(angle) - aside * Math.sin(angle))},` +
      `${round(y - back * Math.sin(angle) + aside * Math.cos(angle))}`;
    const isOpen = !hasBytes(event) || event.kind === "datagram";
    path(
      isOpen
        ? `M${at(9, 4.5)}L${at(0, 0)}L${at(9, -4.5)}`
        : `M${at(0, 0)}L${at(10, 4.5)}L${at(10, -4.5)}Z`,
      isOpen ? "lv-head lv-open" : "lv-head",
    );
  };
  const cross = (x: number, y: number) =>
    path(
      `M${round(x - 6)},${round(y - 6)}l12,12m0,-12l-12,12`,
      "lv-cross",
    );
  if (event.fate === "lost") {
    path(
      `M${round(start)},${round(y1)}L${round(middle)},${round(y1)}`,
      "lv-line",
    );
    cross(middle, y1);
  } else if (event.fate === "under way") {
    const until = middle;
    if (!isMade) {
      path(
        `M${round(start)},${round(y1)}L${round(until)},${round(y1)}`,
        "lv-line",
      );
    }
    if (!isHeld) {
      shapes.push(shape("circle", {
        class: "lv-dots",
        cx: round(middle + way * 7),
        cy: round(y1),
        r: 3.5,
      }));
    }
  } else if (isHeld && !isMade) {
    // It came to the relay, waited there, and went on.
    path(
      `M${round(start)},${round(y1)}L${round(middle)},${round(y1)}`,
      "lv-line",
    );
    path(
      `M${round(middle)},${round(y1)}L${round(middle)},${round(y2)}`,
      "lv-wait",
    );
    path(
      `M${round(middle)},${round(y2)}L${round(stop)},${round(y2)}`,
      "lv-line",
    );
    head(stop, y2, middle, y2);
  } else {
    const from = isMade ? (y1 + y2) / 2 : y1;
    path(
      `M${round(start)},${round(from)}L${round(stop)},${round(y2)}`,
      "lv-line",
    );
    if (event.kind === "reset" || event.kind === "refused") cross(stop, y2);
    else head(stop, y2, start, from);
  }
  const across = event.fate === "delivered" && !isHeld ? (y1 + y2) / 2 : y1;
  if (isMade) {
    shapes.push(
      event.marks.includes("again")
        ? shape("circle", {
          class: "lv-sign",
          cx: round(middle),
          cy: round(across),
          r: 4.5,
        })
        : shape("path", {
          class: "lv-sign",
          d: `M${round(middle)},${round(across - 5.5)}l6,6l-6,6l-6,-6Z`,
        }),
    );
  }
  if (isHeld) {
    // Two bars, as on the key that pauses a player.
    path(`M${round(middle - 3)},${round(y1 - 4.5)}v10m6,-10v10`, "lv-pause");
  }
  const quarter = (part: number) => ({
    x: x1 + (x2 - x1) * part,
    y: event.fate === "delivered" && !isHeld ? y1 + (y2 - y1) * part : y1,
  });
  if (event.marks.includes("corrupted")) {
    const { x, y } = quarter(
      isMade ? 0.75 : event.fate === "lost" ? 0.3 : 0.62,
    );
    path(
      `M${round(x - 9)},${round(y)}l4,-5l5,10l5,-10l4,5`,
      "lv-zigzag",
    );
  }
  if (event.marks.includes("changed")) {
    const { x, y } = quarter(0.68);
    path(`M${round(x - 6)},${round(y + 6)}l6,-10l6,10Z`, "lv-sign");
  }
  if (event.marks.includes("piece")) {
    path(`M${round(start + way * 2)},${round(y1 - 5)}v10`, "lv-tick");
  }
  if (event.marks.includes("glued")) {
    path(
      `M${round(stop - way * 14)},${round(y2 - 5)}v10m${-way * 4},-10v10`,
      "lv-tick",
    );
  }
  return shapes;
}

/** What an arrow says, at the end at which it starts. */
function labels(
  event: PageEvent,
  history: History,
  frame: Frame,
  x1: number,
  x2: number,
  y: number,
): Shape[] {
  const way = x2 < x1 ? -1 : 1;
  const isLong = Math.abs(x2 - x1) > 60;
  const room = Math.floor((Math.abs(x2 - x1) - 28) / frame.character);
  const number = `#${event.number}`;
  const words = fates(event);
  if (isWaiting(event)) {
    const age = duration(Math.max(0, frame.now - event.sent));
    words.splice(
      words.indexOf("held"),
      1,
      `held ${age.replace(/\.\d+ s/, " s")}`,
    );
  }
  const what = hasBytes(event) ? firstText(event) : eventName(event);
  const size = hasBytes(event) ? nameOf(event) : "";
  const which = whichOf(event, history) && `· ${whichOf(event, history)}`;
  const fate = words.join(", ");
  // The text gives way first, then the size.
  const others = [fate, which].filter(Boolean);
  const used = (parts: string[]) =>
    parts.reduce((sum, part) => sum + width(part) + 1.1, width(number));
  let shownSize = size;
  const roomFor = (parts: string[]) =>
    Math.floor(room - used(parts.filter(Boolean)) - 1.1);
  if (roomFor([...others, size]) < Math.min(24, width(what))) shownSize = "";
  const left = roomFor([...others, shownSize]);
  const text = left >= 3 || width(what) <= left ? fit(what, left) : "";
  let shownFate = fate;
  if (used(others) > room) {
    shownFate = fit(fate, Math.max(4, room - width(number) - 2));
  }
  const parts: Shape[] = [shape("tspan", { class: "lv-number" }, number)];
  let length = width(number) * frame.character;
  const add = (part: string, kind: string) => {
    if (!part || !isLong) return;
    parts.push(shape("tspan", { class: kind, dx: GAP }, part));
    length += width(part) * frame.character + GAP;
  };
  add(text, hasBytes(event) ? "lv-text" : "lv-word");
  add(shownSize, "lv-size");
  if (used(others) <= room) add(which, "lv-size");
  add(shownFate, "lv-fate");
  const cause = event.causes.length > 0 ? `(${event.causes.join(", ")})` : "";
  const rest = roomFor([text, shownSize, ...others]);
  if (width(cause) <= rest) add(cause, "lv-size");
  const x = x1 + way * 12;
  return [
    // What crosses the label is hidden behind it.
    shape("rect", {
      class: "lv-back",
      x: round((way > 0 ? x : x - length) - 3),
      y: round(y - 20),
      width: round(length + 6),
      height: 16,
    }),
    shape("text", {
      class: "lv-label",
      "aria-hidden": "true",
      x: round(x),
      y: round(y - 8),
      "text-anchor": way > 0 ? "start" : "end",
    }, ...parts),
  ];
}

function eventName(event: PageEvent): string {
  const name = event.kind === "connect" ? "connect" : nameOf(event);
  return event.text ? `${name}: ${visible(event.text)}` : name;
}

function timeShape(at: number, frame: Frame, y: number): Shape {
  return shape("text", {
    class: "lv-time",
    "aria-hidden": "true",
    x: frame.gutter - 14,
    y: round(y + 4),
    "text-anchor": "end",
  }, clock(at));
}

// ---------------------------------------------------------------- programs

/** Where a text stands beside a program's line, and how many characters it may have. */
function beside(
  role: string,
  history: History,
  frame: Frame,
): { x: number; at: number; anchor: string; room: number } {
  const at = columnOf(role, history, frame);
  const { roles } = history;
  const column = (frame.width - frame.gutter - frame.right) /
    Math.max(1, roles.length);
  const isFirst = role === roles[0] && roles.length > 1;
  const isLast = role === roles.at(-1) || roles.length === 1;
  // The outer ones have the margin for themselves, if it is wide enough.
  const outer = column / 2 - 14;
  const isRoomy = outer / frame.character >= 22;
  const isLeft = isFirst && isRoomy || isLast && !isRoomy && !isFirst;
  const pixels = isRoomy && (isFirst || isLast) ? outer : column - 24;
  return {
    at,
    x: at + (isLeft ? -12 : 12),
    anchor: isLeft ? "end" : "start",
    room: Math.floor(pixels / frame.character),
  };
}

function lineShape(
  entry: Entry,
  history: History,
  frame: Frame,
  y: number,
): Shape {
  if (entry.item.kind !== "line") return shape("g", {});
  const { role, text, stream, typed } = entry.item;
  const { at, x, anchor, room } = beside(role, history, frame);
  const colour = `c${Math.max(0, history.roles.indexOf(role)) % 6}`;
  const isError = stream === "stderr";
  const rows = rowsOf(text, room);
  // What was typed stands at the end; breaking into rows may have taken blanks.
  const before = visible(text.slice(0, text.length - (typed?.length ?? 0)));
  let left = typed ? before.replaceAll(" ", "").length : Infinity;
  const pieces = rows.flatMap((row, index) => {
    let end = 0;
    while (end < row.length && (left > 0 || row[end] === " ")) {
      if (row[end++] !== " ") left--;
    }
    const own = row.slice(0, end), typing = row.slice(end);
    const place = { x: round(x), y: round(y + 4 + index * LINE_HEIGHT) };
    const said = shape("tspan", place, own);
    if (typing === "") return [said];
    const how = { class: "lv-typed" };
    return own === ""
      ? [shape("tspan", { ...how, ...place }, typing)]
      : [said, shape("tspan", how, typing)];
  });
  return shape(
    "g",
    {
      class: `lv-said ${colour}${isError ? " lv-error" : ""}`,
      "data-key": entry.key,
    },
    isError
      ? shape("path", {
        class: "lv-bang",
        d: `M${round(at)},${round(y - 6)}v7m0,3v2`,
      })
      : shape("circle", {
        class: "lv-dot",
        cx: round(at),
        cy: round(y),
        r: 3.5,
      }),
    shape("text", {
      class: "lv-line-text",
      "text-anchor": anchor,
    }, ...pieces),
  );
}

function programShape(
  entry: Entry,
  history: History,
  frame: Frame,
  y: number,
): Shape {
  if (entry.item.kind !== "program") return shape("g", {});
  const { role, state, code, signal, stopped } = entry.item;
  const { at, x, anchor, room } = beside(role, history, frame);
  const colour = `c${Math.max(0, history.roles.indexOf(role)) % 6}`;
  const isOver = state === "ended" || state === "idle";
  const isBad = isOver && !stopped &&
    (signal !== null || code !== 0 && code !== null);
  const sign = isOver
    ? shape("path", { class: "lv-stop", d: `M${round(at - 7)},${round(y)}h14` })
    : state === "listening"
    ? shape("path", {
      class: "lv-listens",
      d: `M${round(at - 6)},${round(y - 3)}a6,6 0 0 0 12,0`,
    })
    : shape("circle", { class: "lv-start", cx: round(at), cy: round(y), r: 5 });
  return shape(
    "g",
    {
      class: `lv-program ${colour}${isBad ? " lv-bad" : ""}`,
      "data-key": entry.key,
    },
    sign,
    shape("text", {
      class: "lv-state",
      x: round(x),
      y: round(y + 4),
      "text-anchor": anchor,
    }, fit(plainText(entry.item, false), room)),
  );
}

/** The lines of the programs: solid while they run. */
function lifelines(
  history: History,
  scale: Scale,
  frame: Frame,
  top: number,
  bottom: number,
): Drawn[] {
  const low = Math.max(0, top), high = Math.min(bottom, scale.height);
  return history.roles.map((role, index) => {
    const x = round(columnOf(role, history, frame));
    let d = "";
    for (const { start, end } of history.lives(role)) {
      const from = history.indexOf(start) < 0 ? 0 : scale.startOf(start);
      const to = end ? scale.startOf(end) : scale.height;
      if (to < low || from > high) continue;
      d += `M${x},${round(Math.max(from, low))}V${round(Math.min(to, high))}`;
    }
    const faint = `M${x},${round(low)}V${round(high)}`;
    return {
      key: `life${index}`,
      signature: `${x} ${d} ${faint}`,
      draw: () =>
        shape(
          "g",
          { class: `lv-life c${index % 6}` },
          shape("path", { class: "lv-asleep", d: faint }),
          shape("path", { class: "lv-awake", d: d || "M0,0" }),
        ),
    };
  });
}

// ------------------------------------------------------------ across it all

/** A line across the diagram with its text: the network changes, a note, the end. */
function ruleShape(
  entry: Entry,
  frame: Frame,
  y: number,
): Shape {
  const { item } = entry;
  let kind: string = item.kind, lines: string[];
  if (item.kind === "wire") {
    kind = item.event.kind;
    const name = kind === "trouble" ? "Relay" : "Network";
    lines = [
      `#${item.event.number}  ${name}, link to ${item.event.link}: ` +
      visible(item.event.text),
    ];
  } else if (item.kind === "over") {
    if (item.failure) kind = "trouble";
    lines = [
      item.failure ? visible(item.failure) : "The run is over.",
      ...item.counts.map(visible),
    ];
  } else if (item.kind === "net") {
    const [first = "as good as can be.", ...rest] = item.sentences.map(visible);
    lines = [`Network: ${first}`, ...rest];
  } else {
    lines = [plainText(item, true)];
  }
  const left = frame.gutter, right = frame.width - frame.right;
  const room = Math.floor((right - left - 24) / frame.character);
  const isRule = kind !== "note";
  const middle = round((left + right) / 2);
  const text = (line: string, i: number) =>
    shape("text", {
      class: "lv-note-text",
      ...(item.kind === "wire" ? { "aria-hidden": "true" } : {}),
      x: middle,
      y: round(y + 4 + i * 20),
      "text-anchor": "middle",
    }, fit(line, room));
  const inside: Shape[] = lines.map(text);
  if (isRule) {
    // The line leaves the middle to the text.
    const half = Math.min(
      (right - left) / 2 - 8,
      width(fit(lines[0] ?? "", room)) * frame.character / 2 + 12,
    );
    inside.unshift(shape("path", {
      class: "lv-rule",
      d: `M${left},${round(y)}H${round(middle - half)}` +
        `M${round(middle + half)},${round(y)}H${round(right)}`,
    }));
  }
  if (item.kind === "wire") {
    inside.unshift(hit(frame, y));
    inside.push(timeShape(entry.at, frame, y));
  }
  return shape("g", {
    class: `lv-across lv-${kind}`,
    "data-key": entry.key,
  }, ...inside);
}

/** The band that stands for a silence. */
function silence(scale: Scale, frame: Frame, index: number): Drawn {
  const knot = scale.knots[index];
  const isOpen = knot !== undefined && scale.isOpen(knot);
  const y = (knot?.floor ?? 0) + (knot?.arrives ? 7 : -1);
  const text = `${duration(knot?.silence ?? 0)} nothing`;
  return {
    key: `s${knot?.order}`,
    signature: `${Math.round(y * 2)} ${isOpen} ${frame.width} ${text}`,
    draw: () =>
      shape(
        "g",
        {
          class: `lv-silence${isOpen ? " lv-is-open" : ""}`,
          "data-silence": knot?.order ?? 0,
        },
        shape("rect", {
          class: "lv-band",
          x: round(frame.gutter),
          y: round(y - 11),
          width: round(Math.max(0, frame.width - frame.gutter - frame.right)),
          height: 22,
          rx: 6,
        }),
        shape("text", {
          class: "lv-band-text",
          x: round((frame.gutter + frame.width - frame.right) / 2),
          y: round(y + 4),
          "text-anchor": "middle",
        }, isOpen ? `${text} (fold)` : text),
      ),
  };
}

function droppedBand(history: History, frame: Frame): Drawn {
  const upTo = history.droppedUpTo.toLocaleString("en-US");
  return {
    key: "dropped",
    signature: `${upTo} ${frame.width}`,
    draw: () =>
      shape(
        "g",
        { class: "lv-silence lv-gone" },
        shape("rect", {
          class: "lv-band",
          x: round(frame.gutter),
          y: 2,
          width: round(Math.max(0, frame.width - frame.gutter - frame.right)),
          height: 22,
          rx: 6,
        }),
        shape("text", {
          class: "lv-band-text",
          x: round((frame.gutter + frame.width - frame.right) / 2),
          y: 17,
          "text-anchor": "middle",
        }, `Events up to #${upTo} are no longer kept`),
      ),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
