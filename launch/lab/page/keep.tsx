/**
 * Keep a run: in a file, or aside to compare another one with it.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";
import { useEffect, useRef, useState } from "./preact.ts";
import { compare, History, toSvg } from "./view/mod.ts";

const FILES: { name: string; title: string; text: string }[] = [
  { name: "run.jsonl", title: "JSON Lines", text: "to open here again" },
  { name: "run.pcapng", title: "pcapng", text: "for Wireshark" },
  { name: "run.mmd", title: "Mermaid", text: "a diagram as text" },
];

/** The panel. */
export function KeepPanel({ lab }: { lab: Lab }) {
  const isEmpty = !lab.history.items.some(({ kind }) => kind === "wire");
  return (
    <>
      <h2>Keep</h2>
      <section aria-label="Download">
        <h3>Download this run</h3>
        {isEmpty
          ? <p class="hint">There is nothing to keep yet. Start it first.</p>
          : (
            <ul class="files">
              {FILES.map(({ name, title, text }) => (
                <li key={name}>
                  <a
                    class="button small"
                    href={`${name}?run=${encodeURIComponent(lab.run)}`}
                    download={name}
                  >
                    {title}
                  </a>
                  <span class="hint">{text}</span>
                </li>
              ))}
              <li>
                <button
                  type="button"
                  class="small"
                  onClick={() => saveSvg(lab)}
                >
                  SVG
                </button>
                <span class="hint">the picture</span>
              </li>
            </ul>
          )}
      </section>
      <section aria-label="Open">
        <h3>Open a saved run</h3>
        <OpenFile lab={lab} />
        <p class="hint">
          Or drop the file anywhere on the page. It is only looked at.
        </p>
      </section>
      {lab.phase !== "opened" && <Compare lab={lab} isEmpty={isEmpty} />}
    </>
  );
}

function saveSvg(lab: Lab): void {
  const blob = new Blob([toSvg(lab.history)], { type: "image/svg+xml" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "run.svg";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Hands a file to the lab, which checks it. */
async function openFile(lab: Lab, file: File): Promise<void> {
  try {
    const address = `open?run=${encodeURIComponent(lab.run)}&name=${
      encodeURIComponent(file.name)
    }`;
    const response = await fetch(address, { method: "POST", body: file });
    if (response.ok) lab.set({ choosing: false });
    else {
      const why = (await response.text()).trim().split("\n")[0]?.slice(0, 300);
      lab.complain(why || `${file.name} cannot be opened.`);
    }
  } catch {
    lab.complain(`${file.name} could not be handed to the lab.`);
  }
}

/** A button that opens a file. */
export function OpenFile({ lab }: { lab: Lab }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="small"
        onClick={() => input.current?.click()}
      >
        Open a file …
      </button>
      <input
        type="file"
        hidden
        ref={input}
        aria-label="A saved run"
        accept=".jsonl,.ndjson,application/x-ndjson"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) openFile(lab, file);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

/** Takes files that are dropped on the page; whether one hovers over it. */
export function useDrop(lab: Lab): boolean {
  const [isOver, hover] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      hover(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) hover(false);
    };
    const drop = (event: DragEvent) => {
      hover(false);
      const [file] = event.dataTransfer?.files ?? [];
      if (!file) return;
      event.preventDefault();
      openFile(lab, file);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [lab]);
  return isOver;
}

/** Two runs beside each other. */
function Compare({ lab, isEmpty }: { lab: Lab; isEmpty: boolean }) {
  const { aside, history, phase } = lab;
  const difference = aside && phase === "over" ? compare(aside, history) : null;
  const seed = aside?.run?.seed ?? null;
  const isSame = aside?.run?.start === history.run?.start;
  useEffect(() => {
    lab.view?.mark(difference?.b ?? null, "the first difference");
  }, [difference?.b, lab.view]);
  return (
    <section aria-label="Compare">
      <h3>Compare two runs</h3>
      {!aside && (
        <>
          <p class="hint">
            Keep this run aside. Then change something, run again with the same
            seed, and see the first difference.
          </p>
          <button
            type="button"
            class="small"
            disabled={isEmpty}
            onClick={() => {
              const copy = new History();
              copy.add([...history.items]);
              lab.set({ aside: copy });
            }}
          >
            Keep this run aside
          </button>
        </>
      )}
      {aside && (
        <>
          {isSame
            ? <p>This run is kept aside. Now run it again.</p>
            : phase !== "over"
            ? <p>The difference is shown when this run has ended.</p>
            : difference
            ? (
              <div class="difference">
                <p>
                  <b>The first difference:</b> {difference.text}
                </p>
                {difference.b !== null && (
                  <button
                    type="button"
                    class="small"
                    onClick={() =>
                      difference.b !== null && lab.view?.focus(difference.b)}
                  >
                    Show it
                  </button>
                )}
              </div>
            )
            : <p class="good">The two runs say the same to each other.</p>}
          <div class="row">
            <button
              type="button"
              class="small primary"
              onClick={() => lab.start(seed)}
            >
              Run again with seed {seed}
            </button>
            {!isSame && (
              <button
                type="button"
                class="small"
                aria-pressed={lab.asideShown}
                onClick={() => {
                  // Two diagrams need all of the room.
                  if (!lab.asideShown) lab.open(null);
                  lab.set({ asideShown: !lab.asideShown });
                }}
              >
                Both beside each other
              </button>
            )}
            <button
              type="button"
              class="small"
              onClick={() => lab.set({ aside: null, asideShown: false })}
            >
              Forget it
            </button>
          </div>
        </>
      )}
    </section>
  );
}
