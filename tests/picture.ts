/**
 * The wire view as a picture for a README: a real run, in a terminal's colours, as
 * SVG.
 *
 * @module
 */
import { launch } from "../launch/launch.ts";
import { EXAMPLES } from "../launch/programs/examples.ts";
import { scripted } from "../launch/programs/keyboard.ts";
import { Reaper } from "../launch/programs/reaper_client.ts";
import { characters, width } from "../launch/show/text.ts";
import { View } from "../launch/show/view.ts";

/** The pictures of the root README, and the columns of each. */
export const PICTURES: Record<string, number> = {
  "launch/drawings/wire-view.svg": 92,
  "launch/drawings/wire-view-narrow.svg": 56,
};

/** The example that they show. */
const EXAMPLE = "tcp";

/** How long the run may take, in ms. */
const LIMIT = 60_000;

/** A character's width and a row's height, and the border, in units of the SVG. */
const CELL = 8.4, ROW = 20, BORDER = 16;

const BACKGROUND = "#11151c", TEXT = "#d7dde6";

/** The colours of SGR codes as the view uses them; all are legible on BACKGROUND. */
const COLOURS: Record<string, string> = {
  "31": "#ff8f80",
  "32": "#8fd694",
  "34": "#8ab4f8",
  "35": "#e0a3ff",
  "36": "#6fdbe8",
  "38;5;166": "#ffb066",
};

/**
 * Runs the example; returns what a terminal of so many columns is sent. The relay has
 * the usual port unless another one is given.
 */
export async function run(
  columns: number,
  ports: Record<string, number> = {},
): Promise<string[]> {
  const example = EXAMPLES.find(({ name }) => name === EXAMPLE);
  if (!example) throw new Error(`There is no example ${EXAMPLE}`);
  const rows: string[] = [];
  const screen = {
    columns: () => columns,
    rows: () => Infinity,
    print: (more: string[]) => void rows.push(...more),
  };
  await using reaper = new Reaper();
  await launch(example, {
    presenter: new View(screen, { colours: true }),
    keyboard: scripted(example.script),
    reaper,
    signal: new AbortController().signal,
    limit: LIMIT,
    ports,
  });
  return rows;
}

/** Draws what a terminal was sent: SGR codes become colours. */
export function draw(rows: string[], columns: number): string {
  const across = columns * CELL + 2 * BORDER;
  const down = rows.length * ROW + 2 * BORDER;
  const texts: string[] = [];
  for (const [y, row] of rows.entries()) {
    let x = 0, style = "";
    // deno-lint-ignore no-control-regex -- that is what it looks for
    for (const part of row.split(/(\x1b\[[\d;]*m)/)) {
      // deno-lint-ignore no-control-regex
      const [, code] = /^\x1b\[([\d;]*)m$/.exec(part) ?? [];
      if (code !== undefined) {
        style = code;
        continue;
      }
      const cells = [...characters(part)]
        .reduce((sum, character) => sum + width(character), 0);
      const left = part.length - part.trimStart().length;
      const text = part.trim();
      if (text !== "") {
        const right = part.length - part.trimEnd().length;
        texts.push(element(x + left, y, cells - left - right, text, style));
      }
      x += cells;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${
    round(across)
  } ${down}" role="img">
<title>The wire view of deno task ${EXAMPLE}: two programs, and what they say to each other</title>
<rect width="100%" height="100%" rx="10" fill="${BACKGROUND}"/>
<g fill="${TEXT}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
${texts.join("\n")}
</g>
</svg>
`;
}

/** A piece of text; its width is given, since every system has fonts of its own. */
function element(
  column: number,
  row: number,
  cells: number,
  text: string,
  style: string,
): string {
  const codes = style.replace(/^0;?/, "");
  const colour = Object.entries(COLOURS)
    .find(([code]) => codes === code || codes === `1;${code}`)?.[1];
  const attributes = [
    `x="${round(BORDER + column * CELL)}"`,
    `y="${BORDER + (row + 1) * ROW - 6}"`,
    `textLength="${round(cells * CELL)}"`,
    'lengthAdjust="spacingAndGlyphs"',
    ...colour ? [`fill="${colour}"`] : [],
    ...codes === "2" ? ['fill-opacity="0.75"'] : [],
    ...codes.startsWith("1") ? ['font-weight="600"'] : [],
  ];
  return `<text ${attributes.join(" ")}>${markup(text)}</text>`;
}

function round(number: number): string {
  return `${Math.round(number * 100) / 100}`;
}

/** A text as SVG holds it; blanks in a row stay. */
function markup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(" ", "\u00a0");
}

/** The text in a picture, a line each; what depends on chance is left to the caller. */
export function textOf(svg: string): string[] {
  const lines = new Map<string, string>();
  for (
    const [, y = "", text = ""] of svg.matchAll(
      /<text [^>]*y="(\d+)"[^>]*>(.*?)<\/text>/g,
    )
  ) {
    lines.set(y, `${lines.get(y) ?? ""} ${text}`.trim());
  }
  return [...lines.values()].map((line) =>
    line.replaceAll("\u00a0", " ").replaceAll("&lt;", "<").replaceAll(
      "&amp;",
      "&",
    )
  );
}
