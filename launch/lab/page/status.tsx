/**
 * What is told at once, and what a screen reader is told.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";

/** One polite region, and one for what cannot wait. */
export function Status({ lab }: { lab: Lab }) {
  return (
    <div class="unseen">
      <div role="status" aria-live="polite">{lab.polite}</div>
      <div role="alert" aria-live="assertive">{lab.urgent}</div>
    </div>
  );
}

/** Troubles, in sight until they are dismissed. */
export function Notices({ lab }: { lab: Lab }) {
  return (
    <div class="notices">
      {lab.connected === "gone" && (
        <div class="notice bad">
          <p>
            <b>The lab has gone.</b> Start it again with{" "}
            <code>deno task lab</code>, then reload.
          </p>
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>
        </div>
      )}
      {lab.connected === "connecting" && lab.welcome && (
        <div class="notice">
          <p>The connection to the lab is lost. It is tried again …</p>
        </div>
      )}
      {lab.troubles.map(({ text, id }) => (
        <div class="notice bad" key={id}>
          <p>{text}</p>
          <button type="button" onClick={() => lab.dismiss(id)}>Dismiss</button>
        </div>
      ))}
      {lab.history.run?.opened && (
        <div class="notice">
          <p>
            <b>{lab.history.run.opened}</b>{" "}
            is a saved run. It is only looked at: no program runs.
          </p>
          <button type="button" onClick={() => lab.set({ choosing: true })}>
            Choose an example
          </button>
        </div>
      )}
    </div>
  );
}
