/**
 * Below each column that asks: a line to type.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";
import { useEffect, useId, useRef, useState } from "./preact.ts";

/** The line editors of all programs that ask. */
export function Typing({ lab }: { lab: Lab }) {
  const { history: { roles }, asking } = lab;
  // Once somebody has asked, the room stays, so that nothing jumps.
  if (lab.phase !== "running" || !lab.hasAsked) return null;
  return (
    <div
      class="typing"
      data-columns={roles.length}
      data-asking={asking.length}
    >
      {roles.map((role) => (
        <div class="typing-cell" key={role}>
          {asking.includes(role) && <LineEditor lab={lab} role={role} />}
        </div>
      ))}
    </div>
  );
}

function LineEditor({ lab, role }: { lab: Lab; role: string }) {
  const [line, write] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const prompt = lab.history.prompt(role)?.trim() || "your line";
  useEffect(() => {
    if (isFree()) input.current?.focus({ preventScroll: true });
  }, []);
  return (
    <form
      class="line"
      style={{ "--accent": lab.accent(role) }}
      onSubmit={(event) => {
        event.preventDefault();
        if (lab.send({ type: "type", role, line })) write("");
      }}
    >
      <label for={id}>
        <b>{role}</b> {prompt}
      </label>
      <span class="field">
        <input
          id={id}
          ref={input}
          value={line}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          enterkeyhint="send"
          onInput={(event) => write(event.currentTarget.value)}
        />
        <button type="submit" aria-label={`Send to ${role}`} title="Enter">
          ⏎
        </button>
      </span>
    </form>
  );
}

/** Whether nobody is typing, or reading with the keyboard, elsewhere. */
function isFree(): boolean {
  const { activeElement } = document;
  if (activeElement === null || activeElement === document.body) return true;
  // Who has just pressed Start has nothing to do there any more.
  return activeElement.matches(".actions button, .start button, .start, main");
}
