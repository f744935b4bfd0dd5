/**
 * The program panel: the source of a script, an edited copy, and what became of it.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Draft } from "./drafts.ts";
import { Editor } from "./editor.ts";
import type { Lab } from "./lab.ts";
import { useEffect, useId, useRef, useState } from "./preact.ts";

type Side = "copy" | "original" | "changes";

const SIDES: { side: Side; title: string }[] = [
  { side: "copy", title: "Your copy" },
  { side: "original", title: "Original" },
  { side: "changes", title: "Changes" },
];

/** The panel. */
export function ProgramPanel({ lab }: { lab: Lab }) {
  const id = useId();
  const roles = (lab.example?.roles ?? []).filter(({ script, name }) => {
    const member = lab.history.run?.cast.members.find((member) =>
      member.name === name
    );
    return script.endsWith(".ts") && (!member || member.title === script);
  });
  const scripts = [...new Set(roles.map(({ script }) => script))];
  const script = scripts.find((script) => script === lab.script) ?? scripts[0];
  useEffect(() => {
    if (script !== undefined && !lab.drafts.has(script)) lab.loadSource(script);
  }, [script]);
  if (script === undefined) {
    return (
      <>
        <h2>Program</h2>
        <p class="hint">No script of this run can be edited.</p>
      </>
    );
  }
  const players = roles.filter((role) => role.script === script)
    .map(({ name }) => name);
  const draft = lab.drafts.get(script);
  return (
    <>
      <h2>Program</h2>
      {scripts.length > 1 && (
        <div class="row">
          <label class="unseen" for={id}>Script</label>
          <select
            id={id}
            value={script}
            onChange={(event) => lab.loadSource(event.currentTarget.value)}
          >
            {scripts.map((script) => (
              <option key={script} value={script}>
                {roles.filter((role) => role.script === script)
                  .map(({ name }) => name).join(", ")} – {script}
              </option>
            ))}
          </select>
        </div>
      )}
      {draft
        ? <Copy key={script} lab={lab} draft={draft} roles={players} />
        : <p class="hint">The source is fetched …</p>}
    </>
  );
}

function Copy({ lab, draft, roles }: {
  lab: Lab;
  draft: Draft;
  roles: string[];
}) {
  const [side, turn] = useState<Side>("copy");
  const editor = useRef<Editor | null>(null);
  const { source } = draft;
  const { script, errors } = source;
  const isUsed = roles.some((role) => lab.edited.has(role));
  const run = (edited: boolean) => {
    lab.useEdited(roles, edited);
    lab.start(edited ? lab.history.run?.seed ?? null : lab.seed);
  };
  return (
    <>
      <div class="row spread">
        <fieldset class="segments">
          <legend class="unseen">What to show</legend>
          {SIDES.map(({ side: other, title }) => (
            <label key={other}>
              <input
                type="radio"
                name="side"
                checked={side === other}
                onChange={() => turn(other)}
              />
              <span>{title}</span>
            </label>
          ))}
        </fieldset>
        <span class="hint saved">
          {!draft.isEdited
            ? "as the original"
            : draft.isDirty
            ? "not saved yet"
            : "saved"}
        </span>
      </div>
      {draft.conflict !== null && <Conflict draft={draft} />}
      <Code
        key={side === "copy" ? "copy" : `${side} ${draft.text}`}
        draft={draft}
        side={side}
        editor={editor}
      />
      <p class="hint">
        <kbd>Esc</kbd>, then <kbd>Tab</kbd>{" "}
        leaves the editor. Your copy has the same few permissions as the
        original.
      </p>
      {errors.length > 0 && (
        <ul class="errors" aria-label="Errors">
          {errors.map(({ line, column, text }) => (
            <li key={`${line}:${column} ${text}`}>
              <button
                type="button"
                class="link"
                onClick={() => {
                  turn("copy");
                  editor.current?.goTo(line);
                }}
              >
                Line {line}
              </button>{" "}
              {text}
            </li>
          ))}
        </ul>
      )}
      {draft.checked && errors.length === 0 && draft.isEdited && (
        <p class="good" role="status">No errors.</p>
      )}
      <div class="row">
        <button
          type="button"
          class="small primary"
          disabled={!draft.isEdited}
          onClick={() => run(true)}
        >
          Run edited
        </button>
        <button type="button" class="small" onClick={() => run(false)}>
          Run original
        </button>
        <button
          type="button"
          class="small"
          disabled={draft.checking || !draft.isEdited}
          onClick={() => draft.check()}
        >
          {draft.checking ? "Checking …" : "Check"}
        </button>
      </div>
      <div class="row">
        {draft.isEdited && (
          <button
            type="button"
            class="small"
            onClick={() => {
              draft.save();
              lab.send({ type: "revert", script });
              lab.useEdited(roles, false);
            }}
          >
            Back to the original
          </button>
        )}
        {source.canUndo && (
          <button
            type="button"
            class="small"
            onClick={() => lab.send({ type: "undo-revert", script })}
          >
            Undo that
          </button>
        )}
      </div>
      {isUsed && (
        <p class="hint">
          Start uses your copy for {roles.join(", ")}{" "}
          until you run the original.
        </p>
      )}
    </>
  );
}

function Code({ draft, side, editor }: {
  draft: Draft;
  side: Side;
  editor: { current: Editor | null };
}) {
  const host = useRef<HTMLDivElement>(null);
  const { original, script, errors } = draft.source;
  useEffect(() => {
    if (!host.current) return;
    const isCopy = side === "copy";
    const made = new Editor(host.current, {
      text: side === "original" ? original : draft.text,
      compared: side === "changes" ? original : null,
      readOnly: !isCopy,
      label: {
        copy: `Your copy of ${script}`,
        original: `The original ${script}`,
        changes: `Changes in ${script}`,
      }[side],
      write: (text) => draft.write(text),
    });
    if (isCopy) editor.current = made;
    return () => {
      if (isCopy) draft.save();
      editor.current = null;
      made.destroy();
    };
  }, []);
  useEffect(() => {
    if (side === "copy") editor.current?.set(draft.text);
  }, [draft.text]);
  useEffect(() => {
    if (side === "copy") editor.current?.mark(errors);
  }, [errors]);
  return (
    <>
      {side === "changes" && !draft.isEdited && (
        <p class="hint">Your copy is as the original.</p>
      )}
      <div class="editor" ref={host} />
    </>
  );
}

/** Two pages have changed the same script. */
function Conflict({ draft }: { draft: Draft }) {
  return (
    <div class="notice bad" role="alert">
      <p>
        Another page has changed this script meanwhile. Which copy is to stay?
      </p>
      <div class="row">
        <button type="button" onClick={() => draft.settle("mine")}>
          Mine
        </button>
        <button type="button" onClick={() => draft.settle("theirs")}>
          The other one
        </button>
      </div>
    </div>
  );
}
