/**
 * The bytes of one message.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";
import { useEffect, useRef } from "./preact.ts";
import { Inspector } from "./view/mod.ts";

/** The inspector, or what to do to see something in it. */
export function BytesPanel({ lab }: { lab: Lab }) {
  const root = useRef<HTMLDivElement>(null);
  const inspector = useRef<Inspector | null>(null);
  const event = lab.shown === null ? undefined : lab.history.event(lab.shown);
  const isThere = event !== undefined;
  useEffect(() => {
    if (!root.current || !isThere) return;
    inspector.current = new Inspector(
      root.current,
      (number) => lab.ask(number),
      (number) => {
        lab.view?.focus(number);
        lab.showBytes(number);
      },
    );
    return () => {
      inspector.current = null;
      root.current?.replaceChildren();
    };
  }, [isThere, lab.history]);
  useEffect(() => {
    if (event) inspector.current?.show(event, lab.history);
  }, [event, lab.history]);
  return (
    <>
      {!isThere && <h2>Bytes</h2>}
      {!isThere && (
        <p class="hint">
          Click on an arrow to see its bytes. By keyboard: go to the diagram
          with Tab, from arrow to arrow with ↑ and ↓, and press Enter.
        </p>
      )}
      <div class="inspector" ref={root} />
    </>
  );
}
