/**
 * Bytes to change: as text and as hex, the one that is typed in counts.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import { fromHex, fromText, toHex, toText } from "./bytes.ts";
import { useId, useState } from "./preact.ts";

/** The two fields; `change` gets null while they hold no bytes. */
export function BytesField({ begin, change }: {
  begin: Uint8Array;
  change(bytes: Uint8Array | null): void;
}) {
  const id = useId();
  const first = toText(begin);
  const [isHex, turn] = useState(first === null);
  const [text, writeText] = useState(first);
  const [hex, writeHex] = useState(toHex(begin));
  const [wrong, tell] = useState("");
  const [size, count] = useState(begin.length);
  // A text field has no CR: where the message has them, it gets them again.
  const hasReturns = first?.includes("\r\n") ?? false;
  const take = (bytes: Uint8Array) => {
    tell("");
    count(bytes.length);
    change(bytes);
  };
  return (
    <div class="bytes-field">
      <div class="row">
        <label for={id}>{isHex ? "Hex" : "Text (UTF-8)"}</label>
        <button
          type="button"
          class="small"
          disabled={isHex && text === null}
          title={text === null
            ? "These bytes are no text that can be typed."
            : ""}
          onClick={() => turn(!isHex)}
        >
          {isHex ? "As text" : "As hex"}
        </button>
      </div>
      {isHex
        ? (
          <textarea
            id={id}
            class="mono"
            rows={4}
            value={hex}
            spellcheck={false}
            onInput={(event) => {
              writeHex(event.currentTarget.value);
              const bytes = fromHex(event.currentTarget.value);
              if (typeof bytes === "string") {
                tell(bytes);
                change(null);
                return;
              }
              writeText(toText(bytes));
              take(bytes);
            }}
          />
        )
        : (
          <textarea
            id={id}
            class="mono"
            rows={4}
            value={text ?? ""}
            spellcheck={false}
            onInput={(event) => {
              const typed = event.currentTarget.value;
              writeText(typed);
              const bytes = fromText(
                hasReturns ? typed.replace(/\r?\n/g, "\r\n") : typed,
              );
              writeHex(toHex(bytes));
              take(bytes);
            }}
          />
        )}
      <p class="hint">
        {size.toLocaleString("en")} {size === 1 ? "byte" : "bytes"}
        {hasReturns && !isHex && ". Each line ends in CR LF."}
      </p>
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
    </div>
  );
}
