/**
 * The editor of programs, CodeMirror with TypeScript, in a shadow root: so its
 * styles need no exception in the page's Content-Security-Policy.
 *
 * @module
 */
/// <reference lib="dom" />
import {
  defaultKeymap,
  history,
  historyKeymap,
  indentWithTab,
} from "npm:@codemirror/commands@6.11.1";
import { javascript } from "npm:@codemirror/lang-javascript@6.2.5";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "npm:@codemirror/language@6.13.1";
import {
  type Diagnostic,
  lintGutter,
  setDiagnostics,
} from "npm:@codemirror/lint@6.9.8";
import { unifiedMergeView } from "npm:@codemirror/merge@6.12.3";
import { EditorState, type Extension, Prec } from "npm:@codemirror/state@6.7.6";
import {
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from "npm:@codemirror/view@6.43.15";
import { tags } from "npm:@lezer/highlight@1.2.5";
import type { SourceError } from "../messages.ts";

/** For so many ms after Esc, Tab leaves the editor. */
const ESCAPE_MS = 3_000;

/** What an editor shows. */
export interface Contents {
  text: string;
  /** If it is there, what differs from it is marked, and nothing can be typed. */
  compared: string | null;
  readOnly: boolean;
  /** The name of the field, for a screen reader. */
  label: string;
  write(text: string): void;
}

/** Colours are variables of the page, so light and dark follow by themselves. */
const LOOKS = EditorView.theme({
  "&": { height: "100%", fontSize: "12.5px", color: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    color: "var(--muted)",
    border: "none",
    borderRight: "1px solid var(--line)",
  },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "var(--select)",
  },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, ::selection":
    { backgroundColor: "var(--selection)" },
  ".cm-matchingBracket": { backgroundColor: "var(--selection)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
  },
  ".cm-changedLine": { backgroundColor: "var(--added)" },
  ".cm-changedText": { background: "var(--added-text)" },
  ".cm-deletedChunk": { backgroundColor: "var(--removed)" },
  ".cm-deletedChunk .cm-deletedText": { background: "var(--removed-text)" },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--code-keyword)" },
  {
    tag: [tags.string, tags.special(tags.string), tags.regexp],
    color: "var(--code-string)",
  },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.typeName, tags.className], color: "var(--code-type)" },
  {
    tag: tags.function(tags.variableName),
    color: "var(--code-function)",
  },
]);

/** One editor in an element. */
export class Editor {
  readonly #view: EditorView;
  #isSetting = false;

  constructor(host: HTMLElement, contents: Contents) {
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    const { text, compared, readOnly, label, write } = contents;
    const frozen = readOnly || compared !== null;
    const extensions: Extension[] = [
      lineNumbers(),
      history(),
      indentOnInput(),
      indentUnit.of("  "),
      bracketMatching(),
      javascript({ typescript: true }),
      syntaxHighlighting(COLOURS),
      LOOKS,
      // Also with something selected, Esc and then Tab leave the editor.
      Prec.highest(keymap.of([{
        key: "Escape",
        run: (view) => {
          view.setTabFocusMode(ESCAPE_MS);
          return false;
        },
      }])),
      keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
      EditorState.readOnly.of(frozen),
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (docChanged && !this.#isSetting) write(state.doc.toString());
      }),
      ...frozen ? [] : [highlightActiveLine(), lintGutter()],
      ...compared === null ? [] : [unifiedMergeView({
        original: compared,
        mergeControls: false,
        collapseUnchanged: { margin: 3, minSize: 6 },
      })],
    ];
    this.#view = new EditorView({
      state: EditorState.create({ doc: text, extensions }),
      parent: root,
      root,
    });
  }

  /** Shows a text that was not typed here. */
  set(text: string): void {
    const { doc } = this.#view.state;
    if (doc.toString() === text) return;
    this.#isSetting = true;
    this.#view.dispatch({
      changes: { from: 0, to: doc.length, insert: text },
    });
    this.#isSetting = false;
  }

  /** Marks errors at their lines. */
  mark(errors: readonly SourceError[]): void {
    const { doc } = this.#view.state;
    const marks = errors.map(({ line, column, text }): Diagnostic => {
      const place = doc.line(Math.min(Math.max(line, 1), doc.lines));
      const from = Math.min(place.from + Math.max(column - 1, 0), place.to);
      const word = /^\w+/.exec(doc.sliceString(from, place.to))?.[0] ?? "";
      return {
        from,
        to: Math.min(from + Math.max(word.length, 1), place.to),
        severity: "error",
        message: text,
      };
    });
    this.#view.dispatch(setDiagnostics(this.#view.state, marks));
  }

  /** Goes to a line. */
  goTo(line: number): void {
    const { doc } = this.#view.state;
    const { from } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    this.#view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }
}
