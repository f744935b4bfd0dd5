/**
 * A whole run as an SVG file.
 *
 * @module
 */
import { visible } from "../../../show/text.ts";
import { columnOf, drawingOf, type Frame, heightOf } from "./diagram.ts";
import type { History } from "./history.ts";
import { Scale } from "./scale.ts";
import { escape, shape, toText } from "./svg.ts";
import { ACCENTS, DIAGRAM_STYLE } from "./style.ts";

/** Above the drawing: the title and the names of the programs, in px. */
const HEAD = 96;

const LIGHT = "--ink:#1c2430;--muted:#566072;--faint:#7a8494;--line:#c4cad4;" +
  "--background:#ffffff;--raised:#eef1f5;--alarm:#b3261e;--warn:#8a4b00;--select:#dbe7ff;";
const DARK = "--ink:#e7eaf0;--muted:#a4adbc;--faint:#848e9e;--line:#465062;" +
  "--background:#12161d;--raised:#1f2631;--alarm:#ff8a80;--warn:#f0b35c;--select:#26354f;";

/** The run as the text of an SVG file that needs nothing else. */
export function toSvg(history: History): string {
  const roles = history.roles.length;
  const frame: Frame = {
    width: Math.max(900, 84 + roles * 280),
    gutter: 72,
    right: 12,
    character: 7.83,
    now: history.entries.at(-1)?.at ?? 0,
  };
  const scale = new Scale(history, (entry) => heightOf(entry, history, frame));
  const height = Math.ceil(scale.height);
  const accents = (scheme: "light" | "dark") =>
    ACCENTS.map((accent, i) => `--lv-c${i}:${accent[scheme]};`).join("");
  const style = `:root{${LIGHT}${accents("light")}}` +
    `@media (prefers-color-scheme:dark){:root{${DARK}${accents("dark")}}}` +
    ".lv-paper{fill:var(--background)}" +
    ".lv-title{font:600 18px system-ui,sans-serif;fill:var(--ink)}" +
    ".lv-drawing .lv-role{font-weight:700;fill:var(--lv-own)}" + DIAGRAM_STYLE;
  const { run } = history;
  const title = run ? `${run.example}: ${run.cast.summary}` : "A run";
  const heads = history.roles.map((role, index) =>
    shape(
      "g",
      { class: `c${index % 6}` },
      shape("text", {
        class: "lv-role",
        x: columnOf(role, history, frame),
        y: 72,
        "text-anchor": "middle",
      }, visible(role)),
    )
  );
  const drawn = drawingOf(history, scale, frame, 0, height, true);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${frame.width}" height="${
      height + HEAD
    }" viewBox="0 0 ${frame.width} ${height + HEAD}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${escape(style).replaceAll("&quot;", '"')}</style>`,
    `<rect class="lv-paper" width="100%" height="100%"/>`,
    toText(shape("text", { class: "lv-title", x: 24, y: 36 }, visible(title))),
    `<g class="lv-drawing">`,
    ...heads.map(toText),
    `<g transform="translate(0,${HEAD})">`,
    ...drawn.map(({ draw }) => toText(draw())),
    "</g></g></svg>\n",
  ];
  return parts.join("\n");
}
