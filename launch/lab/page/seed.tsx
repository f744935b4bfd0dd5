/**
 * The seed: what all chance of a run comes from.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";
import { useId, useState } from "./preact.ts";

/** The seed of the next start. */
export function SeedField({ lab }: { lab: Lab }) {
  const id = useId();
  const [wrong, tell] = useState("");
  const now = lab.phase === "idle" ? null : lab.history.run?.seed ?? null;
  return (
    <div class="seed">
      <label for={id}>Seed for the next start</label>
      <div class="row">
        <input
          id={id}
          inputMode="numeric"
          size={12}
          placeholder="a new one each time"
          value={lab.seed === null ? "" : `${lab.seed}`}
          aria-describedby={`${id}-hint`}
          aria-invalid={wrong !== ""}
          onChange={(event) => {
            const text = event.currentTarget.value.trim();
            const seed = Number(text);
            const isGood = text === "" || /^\d+$/.test(text) &&
                Number.isSafeInteger(seed);
            tell(
              isGood
                ? ""
                : `A seed is a whole number from 0 on, not “${text}”.`,
            );
            if (isGood) lab.setSeed(text === "" ? null : seed);
          }}
        />
        {now !== null && lab.seed !== now && (
          <button
            type="button"
            class="small"
            onClick={() => lab.setSeed(now)}
          >
            Keep {now}
          </button>
        )}
        {lab.seed !== null && (
          <button
            type="button"
            class="small"
            onClick={() => lab.setSeed(null)}
          >
            A new one each time
          </button>
        )}
      </div>
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      <p class="hint" id={`${id}-hint`}>
        The same seed loses the same datagrams.
        {now !== null && <>This run has {now}.</>}
      </p>
    </div>
  );
}
