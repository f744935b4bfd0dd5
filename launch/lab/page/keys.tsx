/**
 * The keys, and the dialog that lists them.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";
import { useEffect, useRef } from "./preact.ts";

const KEYS: [key: string, does: string][] = [
  ["s", "start, or start again"],
  ["h", "hold the wire, or release all"],
  ["n", "let the next message through"],
  ["g b w p k", "guide, bytes, network (wire), program, keep"],
  ["/", "search the run"],
  ["↑ ↓", "in the diagram: from event to event"],
  ["Enter", "in the diagram: open its bytes"],
  ["Esc", "back; in the editor: then Tab leaves it"],
  ["?", "these keys"],
];

/** Whether somebody types there. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  // The editor stands in a shadow root: then the target is its host.
  return target.matches(
    "input:not([type=checkbox],[type=radio],[type=range]), textarea, select, .editor",
  ) || target.isContentEditable;
}

/** Listens to the keys that count everywhere. */
export function useKeys(lab: Lab): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.defaultPrevented || isTyping(event.target)) return;
      if (lab.keysShown) return;
      const isHere = lab.phase !== "choose" && !lab.choosing;
      const isLive = isHere && lab.phase !== "opened";
      const act = {
        "?": () => lab.set({ keysShown: true }),
        ...isLive && {
          s: () => lab.start(),
          h: () => lab.toggleHold(),
          n: () => lab.next(),
          g: () => lab.open("guide"),
          w: () => lab.open("network"),
          p: () => lab.open("program"),
        },
        ...isHere && {
          b: () => lab.open("bytes"),
          k: () => lab.open("keep"),
        },
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [lab]);
}

/** The dialog. */
export function Keys({ lab }: { lab: Lab }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { keysShown } = lab;
  useEffect(() => {
    if (keysShown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [keysShown]);
  return (
    <dialog
      ref={dialog}
      class="keys"
      aria-labelledby="keys-title"
      onClose={() => lab.set({ keysShown: false })}
    >
      <h2 id="keys-title">Keys</h2>
      <dl>
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>{key.split(" ").map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">
        Letters count only while you are not typing in a field.
      </p>
      <form method="dialog">
        <button type="submit" class="primary">Close</button>
      </form>
    </dialog>
  );
}
