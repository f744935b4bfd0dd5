/**
 * A button that opens a few more.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import {
  type ComponentChildren,
  useEffect,
  useId,
  useRef,
  useState,
} from "./preact.ts";

/** The button and its list; Esc, a click elsewhere and a choice close it. */
export function Menu({ label, text, children, class: name = "" }: {
  label: string;
  text: string;
  children: ComponentChildren;
  class?: string;
}) {
  const [isOpen, open] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!isOpen) return;
    const away = ({ target }: Event) => {
      if (target instanceof Node && !root.current?.contains(target)) {
        open(false);
      }
    };
    addEventListener("pointerdown", away);
    addEventListener("focusin", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("focusin", away);
    };
  }, [isOpen]);
  const close = () => {
    open(false);
    root.current?.querySelector("button")?.focus();
  };
  return (
    <div
      class="menu"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        event.stopPropagation();
        close();
      }}
    >
      <button
        type="button"
        class={name}
        aria-label={label}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => open(!isOpen)}
      >
        {text}
        <span aria-hidden="true" class="caret">▾</span>
      </button>
      <div id={id} class="menu-list" hidden={!isOpen} onClick={close}>
        {isOpen && children}
      </div>
    </div>
  );
}
