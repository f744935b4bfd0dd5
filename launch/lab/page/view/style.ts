/**
 * How the drawing looks, in the page and in a file of its own.
 *
 * @module
 */

/** The programs' colours in a file of its own, in the order of the terminal's. */
export const ACCENTS: readonly { light: string; dark: string }[] = [
  { light: "#0e7490", dark: "#4cc9e0" },
  { light: "#a21caf", dark: "#e08af0" },
  { light: "#15803d", dark: "#5fd38a" },
  { light: "#c2410c", dark: "#f59a5c" },
  { light: "#1d4ed8", dark: "#82aaff" },
  { light: "#0f766e", dark: "#4fd1c0" },
];

/** The styles of the shapes; colours are variables. */
export const DIAGRAM_STYLE = `
.lv-drawing text { font: 13px var(--mono, ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace); fill: var(--ink); font-variant-numeric: tabular-nums; white-space: pre; }
.lv-drawing .c0 { --lv-own: var(--lv-c0) }
.lv-drawing .c1 { --lv-own: var(--lv-c1) }
.lv-drawing .c2 { --lv-own: var(--lv-c2) }
.lv-drawing .c3 { --lv-own: var(--lv-c3) }
.lv-drawing .c4 { --lv-own: var(--lv-c4) }
.lv-drawing .c5 { --lv-own: var(--lv-c5) }
.lv-drawing path, .lv-drawing circle { fill: none; stroke-linecap: round; stroke-linejoin: round; }
.lv-drawing .lv-asleep { stroke: var(--line); stroke-width: 1; stroke-dasharray: 1 6; }
.lv-drawing .lv-awake { stroke: var(--lv-own); stroke-width: 2; opacity: 0.45; }
.lv-drawing .lv-line { stroke: var(--lv-own); stroke-width: 1.75; }
.lv-drawing .lv-datagram .lv-line { stroke-dasharray: 7 5; stroke-linecap: butt; }
.lv-drawing .lv-control .lv-line { stroke-width: 1.25; stroke-dasharray: 1.5 4.5; }
.lv-drawing .lv-head { fill: var(--lv-own); stroke: var(--lv-own); stroke-width: 1; }
.lv-drawing .lv-head.lv-open { fill: none; stroke-width: 1.75; }
.lv-drawing .lv-under-way .lv-line { opacity: 0.6; }
.lv-drawing .lv-dots { stroke: var(--lv-own); stroke-width: 1.5; fill: var(--background); }
.lv-drawing .lv-cross { stroke: var(--alarm); stroke-width: 2.5; }
.lv-drawing .lv-broken .lv-line { stroke: var(--alarm); }
.lv-drawing .lv-wait { stroke: var(--warn); stroke-width: 1.75; stroke-dasharray: 2 4; }
.lv-drawing .lv-pause { stroke: var(--warn); stroke-width: 3.5; }
.lv-drawing .lv-sign { stroke: var(--lv-own); stroke-width: 1.75; fill: var(--background); }
.lv-drawing .lv-zigzag { stroke: var(--alarm); stroke-width: 2; }
.lv-drawing .lv-tick { stroke: var(--lv-own); stroke-width: 1.75; }
.lv-drawing .lv-back { fill: var(--background); }
.lv-drawing .lv-line-text, .lv-drawing .lv-state, .lv-drawing .lv-note-text { paint-order: stroke; stroke: var(--background); stroke-width: 4px; stroke-linejoin: round; }
.lv-drawing .lv-number { fill: var(--muted); }
.lv-drawing .lv-text { fill: var(--ink); font-weight: 600; }
.lv-drawing .lv-word { fill: var(--muted); }
.lv-drawing .lv-size { fill: var(--muted); }
.lv-drawing .lv-fate { fill: var(--warn); font-weight: 600; }
.lv-drawing .lv-lost .lv-fate, .lv-drawing .lv-broken .lv-word, .lv-drawing .lv-corrupted .lv-fate { fill: var(--alarm); font-weight: 600; }
.lv-drawing .lv-under-way .lv-fate { fill: var(--muted); font-weight: 400; }
.lv-drawing .lv-held.lv-under-way .lv-fate { fill: var(--warn); font-weight: 600; }
.lv-drawing .lv-time { fill: var(--faint); font-size: 12px; }
.lv-drawing .lv-dot { fill: var(--lv-own); }
.lv-drawing .lv-bang { stroke: var(--alarm); stroke-width: 2.5; }
.lv-drawing .lv-error .lv-line-text { fill: var(--alarm); }
.lv-drawing .lv-typed { font-weight: 700; fill: var(--lv-own); }
.lv-drawing .lv-start { fill: var(--lv-own); }
.lv-drawing .lv-listens { stroke: var(--lv-own); stroke-width: 2; }
.lv-drawing .lv-stop { stroke: var(--lv-own); stroke-width: 3; }
.lv-drawing .lv-state { fill: var(--muted); font-style: italic; }
.lv-drawing .lv-bad .lv-state { fill: var(--alarm); }
.lv-drawing .lv-bad .lv-stop { stroke: var(--alarm); }
.lv-drawing .lv-rule { stroke: var(--muted); stroke-dasharray: 5 5; }
.lv-drawing .lv-note-text { fill: var(--muted); }
.lv-drawing .lv-condition .lv-note-text, .lv-drawing .lv-net .lv-note-text { fill: var(--warn); }
.lv-drawing .lv-condition .lv-rule, .lv-drawing .lv-net .lv-rule { stroke: var(--warn); }
.lv-drawing .lv-trouble .lv-note-text { fill: var(--alarm); }
.lv-drawing .lv-trouble .lv-rule { stroke: var(--alarm); }
.lv-drawing .lv-band { fill: var(--raised); stroke: none; }
.lv-drawing .lv-band-text { fill: var(--muted); font-size: 12px; }
.lv-drawing .lv-hit { fill: transparent; stroke: none; }
.lv-drawing .lv-marked .lv-back { fill: var(--select); }
.lv-drawing .lv-marked .lv-hit { fill: var(--select); stroke: var(--warn); stroke-dasharray: 4 3; }
`;
