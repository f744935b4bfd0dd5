/**
 * The bar on top: which example, and Start and Stop.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";

/** The bar. */
export function Bar({ lab, isChoosing }: { lab: Lab; isChoosing: boolean }) {
  const { phase, history: { run } } = lab;
  return (
    <header class="bar">
      <div class="brand">
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
          <path d="M5 3v18M19 3v18" class="mark-line" />
          <path d="M5 8l13 3m-3.2-2.8l3.2 2.8-3.7 1.6" class="mark-there" />
          <path d="M19 15l-13 3m3.2-2.8L6 18l3.7 1.6" class="mark-back" />
        </svg>
        <span>Wire lab</span>
      </div>
      {run && !isChoosing && (
        <>
          <button
            type="button"
            class="quiet back"
            aria-label="Examples"
            onClick={() => lab.set({ choosing: true })}
          >
            <span aria-hidden="true">‹</span>
            <span class="word">Examples</span>
          </button>
          <h1>
            <span class="example">{run.cast.name}</span>
            <span class="summary">{run.cast.summary}</span>
          </h1>
          <div class="actions">
            {phase === "running" && (
              <>
                <button type="button" onClick={() => lab.stop()}>Stop</button>
                <button
                  type="button"
                  class="later"
                  onClick={() => lab.start()}
                >
                  Start again
                </button>
              </>
            )}
            {phase === "over" && (
              <button
                type="button"
                class="primary"
                onClick={() => lab.start()}
              >
                Start again
              </button>
            )}
          </div>
        </>
      )}
      {run && isChoosing && (
        <div class="actions">
          <button
            type="button"
            onClick={() => lab.set({ choosing: false })}
          >
            Back to {run.cast.name}
          </button>
        </div>
      )}
      <button
        type="button"
        class={`quiet help${run && !isChoosing ? "" : " alone"}`}
        aria-label="Keys and help"
        title="Keys and help (?)"
        onClick={() => lab.set({ keysShown: true })}
      >
        ?
      </button>
    </header>
  );
}
