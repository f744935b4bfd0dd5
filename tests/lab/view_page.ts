/**
 * A page with the lab's view alone, for its tests: bundled, without a server.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { build } from "npm:esbuild@0.28.2";

const view = fromFileUrl(
  new URL("../../launch/lab/page/view/", import.meta.url),
);

/** Colours as the lab's page has them. */
const COLOURS = `
:root { color-scheme: light dark; --ink: light-dark(#1c2430, #e7eaf0); --muted: light-dark(#566072, #a4adbc); --faint: light-dark(#6b7585, #8f99a9);
  --line: light-dark(#d3d8e0, #3a4454); --background: light-dark(#fff, #12161d); --surface: light-dark(#f7f8fa, #171c25);
  --raised: light-dark(#eef1f5, #1f2631); --alarm: light-dark(#b3261e, #ff8a80); --warn: light-dark(#8a4b00, #f0b35c);
  --good: light-dark(#17803d, #5fd38a); --select: light-dark(#dbe7ff, #26354f); --focus: light-dark(#1d4ed8, #82aaff);
  --mono: ui-monospace, "DejaVu Sans Mono", monospace; --sans: system-ui, sans-serif;
  --program-1: light-dark(#0e7490, #4cc9e0); --program-2: light-dark(#a21caf, #e08af0); --program-3: light-dark(#15803d, #5fd38a); --program-4: light-dark(#c2410c, #f59a5c); }
html, body { margin: 0; height: 100%; background: var(--background); }
#view { position: absolute; inset: 0; }
#inspector { padding: 16px; }
`;

/** The page as HTML; it has `view`, the module, and `start(items)`. */
export async function viewPage(): Promise<string> {
  const { outputFiles: [script] } = await build({
    stdin: {
      contents: `
        import * as view from "./mod.ts";
        const opened = [];
        Object.assign(globalThis, { view, opened });
        globalThis.start = (items, roles) => {
          const history = new view.History();
          history.add(items.slice(0, 1));
          const root = document.querySelector("#view");
          const shown = new view.RunView(root, history, {
            openBytes: (number) => opened.push(number),
            accent: (role) => \`var(--program-\${history.roles.indexOf(role) % 4 + 1})\`,
          });
          history.add(items.slice(1));
          Object.assign(globalThis, { past: history, shown });
        };`,
      resolveDir: view,
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "iife",
    charset: "utf8",
    target: "es2022",
  });
  const style = await Deno.readTextFile(`${view}view.css`);
  const text = (script?.text ?? "").replaceAll("</script", "<\\/script");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>View</title><style>${COLOURS}${style}</style>` +
    `<main><div id="view"></div></main><script>${text}</script></html>`;
}
