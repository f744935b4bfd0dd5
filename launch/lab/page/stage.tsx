/**
 * Where the run is drawn, and what stands there while nothing is.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";
import { useEffect, useRef } from "./preact.ts";
import { SeedField } from "./seed.tsx";
import { RunView } from "./view/mod.ts";

/** The diagram, with the run kept aside beside it if that is wanted. */
export function Stage({ lab }: { lab: Lab }) {
  const root = useRef<HTMLDivElement>(null);
  const aside = useRef<HTMLDivElement>(null);
  const { phase, history } = lab;
  const isEmpty = !history.items.some(({ kind }) =>
    kind === "wire" || kind === "line"
  );
  const other = lab.asideShown && phase !== "opened" ? lab.aside : null;
  useEffect(() => {
    if (!root.current) return;
    const view = new RunView(root.current, history, {
      openBytes: (number) => lab.showBytes(number),
      accent: (role) => lab.accent(role),
    });
    lab.view = view;
    // Heads and typing stand outside of the view, over the same columns.
    const parent = root.current.parentElement;
    const wire = root.current.closest<HTMLElement>(".wire");
    const align = () => {
      for (const name of ["--gutter", "--gutter-right"]) {
        const value = parent?.style.getPropertyValue(name);
        if (value) wire?.style.setProperty(name, value);
      }
    };
    const observer = new ResizeObserver(align);
    observer.observe(root.current);
    return () => {
      observer.disconnect();
      lab.view = null;
      view.destroy();
    };
  }, [history]);
  useEffect(() => {
    if (!aside.current || !other) return;
    const view = new RunView(aside.current, other, {
      openBytes: () => {},
      accent: (role) => lab.accent(role),
    });
    return () => view.destroy();
  }, [other]);
  return (
    <div class={`stage${other ? " two" : ""}`}>
      {other && (
        <figure class="run aside">
          <figcaption>
            The run kept aside{" "}
            <button
              type="button"
              class="small"
              onClick={() => lab.set({ asideShown: false })}
            >
              Close
            </button>
          </figcaption>
          <div class="view" ref={aside} />
        </figure>
      )}
      <figure class="run">
        {other && <figcaption>This run</figcaption>}
        <div class="view" ref={root} />
      </figure>
      {phase === "idle" && <Ready lab={lab} />}
      {phase === "running" && isEmpty && <Waiting lab={lab} />}
    </div>
  );
}

/** Chosen, and not started yet. */
function Ready({ lab }: { lab: Lab }) {
  const { history: { run, roles } } = lab;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus({ preventScroll: true }), [
    run?.example,
  ]);
  return (
    <div class="empty">
      <p class="look">{run?.cast.look}</p>
      <button
        type="button"
        class="primary large start"
        ref={button}
        onClick={() => lab.start()}
      >
        Start
      </button>
      <p class="hint">
        {roles.length === 2 ? "Both programs" : `All ${roles.length} programs`}
        {" "}
        start. What goes between them is drawn here, from top to bottom.
      </p>
      <details>
        <summary>Chance</summary>
        <SeedField lab={lab} />
      </details>
    </div>
  );
}

/** Started, and nothing has happened yet. */
function Waiting({ lab }: { lab: Lab }) {
  const [role] = lab.asking;
  return (
    <div class="empty waiting">
      <p class="hint">
        {role === undefined
          ? "The programs start …"
          : `Nothing is on the wire yet. ${role} asks you: type a line below.`}
      </p>
    </div>
  );
}
