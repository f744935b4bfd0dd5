/**
 * The guide: steps that are ticked when they have happened.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Step } from "../guides/mod.ts";
import type { Lab } from "./lab.ts";

/** The panel. */
export function GuidePanel({ lab }: { lab: Lab }) {
  const { guide: state } = lab;
  const { guide, at } = state;
  if (!guide) {
    return (
      <>
        <h2>Guide</h2>
        <p>{lab.history.run?.cast.look}</p>
        <p class="hint">There is no guide for this example.</p>
      </>
    );
  }
  const { title, steps } = guide;
  const last = at < 0 ? steps.length - 1 : at - 1;
  const change = (act: () => void) => {
    act();
    lab.changed();
  };
  return (
    <>
      <h2>{title}</h2>
      <p class="hint">
        {at < 0
          ? `All ${steps.length} steps are done.`
          : `Step ${at + 1} of ${steps.length}`}
      </p>
      <p class="hint narrow">
        Close this panel to see the programs' buttons.
      </p>
      <ol class="steps">
        {steps.map((step, index) => {
          const mark = state.markOf(index);
          return (
            <li
              key={step.title}
              class={mark ?? (index === at ? "now" : "later")}
              aria-current={index === at ? "step" : undefined}
            >
              <h3>
                <span class="tick" aria-hidden="true">
                  {mark === "done" ? "✓" : index + 1}
                </span>
                {step.title}
                <span class="unseen">{mark && `, ${mark}`}</span>
              </h3>
              {index === at && state.isAsked && step.guess && (
                <Question
                  guess={step.guess}
                  answer={(answer) => change(() => state.guess(answer))}
                />
              )}
              {index === at && !state.isAsked && (
                <Now
                  step={step}
                  guessed={state.guessOf(index)}
                  waits={state.waits}
                />
              )}
              {index === at && (
                <button
                  type="button"
                  class="link skip"
                  onClick={() => change(() => state.skip())}
                >
                  Skip this step
                </button>
              )}
              {mark && (
                <After
                  step={step}
                  guessed={state.guessOf(index)}
                  isLast={index === last}
                />
              )}
            </li>
          );
        })}
      </ol>
      {state.hasBegun && (
        <button
          type="button"
          class="small"
          onClick={() => change(() => state.beginAgain())}
        >
          Begin the guide again
        </button>
      )}
    </>
  );
}

/** While another panel is open: what the guide's step asks for. */
export function GuideLine({ lab }: { lab: Lab }) {
  const { current, at, isAsked, hasBegun } = lab.guide;
  if (!current || !hasBegun) return null;
  return (
    <p class="guide-line">
      <button type="button" class="link" onClick={() => lab.open("guide")}>
        Step {at + 1}
      </button>{" "}
      {isAsked ? "asks you to guess first." : current.do}
    </p>
  );
}

function Now({ step, guessed, waits }: {
  step: Step;
  guessed: number | null;
  waits: string;
}) {
  return (
    <>
      <p class="do">{step.do}</p>
      <p class="look">{step.look}</p>
      {step.guess && guessed !== null && (
        <p class="hint">You guessed: {step.guess.answers[guessed]}</p>
      )}
      {waits && (
        <p class="waits">
          <span class="pulse" aria-hidden="true" />
          Waits for: {waits}
        </p>
      )}
    </>
  );
}

/** A question that comes first. */
function Question({ guess: { question, answers }, answer }: {
  guess: NonNullable<Step["guess"]>;
  answer(index: number): void;
}) {
  return (
    <div class="guess">
      <p>
        <b>Guess first.</b> {question}
      </p>
      {answers.map((text, index) => (
        <button
          key={text}
          type="button"
          onClick={() => answer(index)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** What there was to see, and whether the guess was right. */
function After({ step: { look, guess }, guessed, isLast }: {
  step: Step;
  guessed: number | null;
  isLast: boolean;
}) {
  if (guess && guessed !== null) {
    const isRight = guessed === guess.right;
    return (
      <details open={isLast}>
        <summary>
          {isRight ? "You guessed right" : "You guessed otherwise"}
        </summary>
        {!isRight && <p>Right is: {guess.answers[guess.right]}</p>}
        <p>{guess.because}</p>
      </details>
    );
  }
  return (
    <details open={isLast}>
      <summary>What there was to see</summary>
      <p>{look}</p>
    </details>
  );
}
