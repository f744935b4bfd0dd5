/**
 * A button that copies a text.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import { useState } from "./preact.ts";

/** The button; it says for a moment that it has been done. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [word, say] = useState("Copy");
  return (
    <button
      type="button"
      class="small"
      aria-label={`${word} ${word === "Copy" ? what : ""}`.trim()}
      onClick={async () => {
        try {
          await navigator.clipboard.writeText(text);
          say("Copied");
        } catch {
          say("Select it and press Ctrl-C");
        }
        setTimeout(() => say("Copy"), 2000);
      }}
    >
      {word}
    </button>
  );
}
