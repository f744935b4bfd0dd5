/**
 * The guide: steps that are ticked when they have happened.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import { type Guide, GUIDES, type Step } from "../guides/mod.ts";
import type { Lab } from "./lab.ts";
import { useEffect, useState } from "./preact.ts";
import { recall, remember } from "./storage.ts";

/** How often a step is looked at, in ms. */
const PAUSE = 250;

/** How far somebody is in a guide. */
interface Progress {
  /** By the step's number: done, or skipped. */
  steps: ("done" | "skipped" | null)[];
  /** The answers that were guessed. */
  guesses: (number | null)[];
}

/** The panel. */
export function GuidePanel({ lab }: { lab: Lab }) {
  const { run } = lab.history;
  const guide = GUIDES.find(({ example }) => example === run?.example);
  if (!guide) {
    return (
      <>
        <h2>Guide</h2>
        <p>{run?.cast.look}</p>
        <p class="hint">There is no guide for this example yet.</p>
      </>
    );
  }
  return <Steps key={guide.example} lab={lab} guide={guide} />;
}

function Steps({ lab, guide }: { lab: Lab; guide: Guide }) {
  const { example, title, steps } = guide;
  const [progress, keep] = useState<Progress>(() =>
    recall<Progress>(`guide.${example}`) ?? { steps: [], guesses: [] }
  );
  const [waits, wait] = useState("");
  const at = steps.findIndex((_, index) => !progress.steps[index]);
  const current = steps[at];
  const change = (next: Progress) => {
    remember(`guide.${example}`, next);
    keep(next);
  };
  const mark = (how: "done" | "skipped" | null, index: number) => {
    const marks = [...progress.steps];
    marks[index] = how;
    change({ ...progress, steps: marks });
  };
  const guess = (answer: number) => {
    const guesses = [...progress.guesses];
    guesses[at] = answer;
    change({ ...progress, guesses });
  };
  const isAsked = current?.guess !== undefined &&
    (progress.guesses[at] ?? null) === null;
  useEffect(() => {
    if (!current || isAsked) return;
    const look = () => {
      const result = current.done([...lab.history.items, ...lab.looked]);
      if (result === true) {
        lab.say(`Step ${at + 1} is done: ${current.title}`);
        mark("done", at);
      } else {
        wait(result);
      }
    };
    look();
    const timer = setInterval(look, PAUSE);
    return () => clearInterval(timer);
  }, [at, isAsked, lab.history]);
  return (
    <>
      <h2>{title}</h2>
      <p class="hint">
        Step {at < 0 ? steps.length : at + 1} of {steps.length}
      </p>
      <ol class="steps">
        {steps.map((step, index) => (
          <li
            key={step.title}
            class={progress.steps[index] ?? (index === at ? "now" : "later")}
            aria-current={index === at ? "step" : undefined}
          >
            <h3>
              <span class="tick" aria-hidden="true">
                {progress.steps[index] === "done" ? "✓" : index + 1}
              </span>
              {step.title}
              <span class="unseen">
                {progress.steps[index] ? `, ${progress.steps[index]}` : ""}
              </span>
            </h3>
            {index === at && isAsked && step.guess && (
              <Question guess={step.guess} answer={guess} />
            )}
            {index === at && !isAsked && (
              <>
                <p class="do">{step.do}</p>
                <p class="look">{step.look}</p>
                {step.guess && (
                  <p class="hint">
                    You guessed:{" "}
                    {step.guess.answers[progress.guesses[at] ?? -1]}
                  </p>
                )}
                <p class="waits">
                  <span class="pulse" aria-hidden="true" />
                  Waits for: {waits}
                </p>
              </>
            )}
            {index === at && (
              <button
                type="button"
                class="quiet small"
                onClick={() => mark("skipped", index)}
              >
                Skip this step
              </button>
            )}
            {progress.steps[index] && (
              <After
                step={step}
                guessed={progress.guesses[index] ?? null}
                isLast={index === at - 1 ||
                  at < 0 && index === steps.length - 1}
              />
            )}
          </li>
        ))}
      </ol>
      {at < 0 && (
        <p class="good">
          <b>That was all of it.</b>
        </p>
      )}
      {progress.steps.length > 0 && (
        <button
          type="button"
          class="small"
          onClick={() => change({ steps: [], guesses: [] })}
        >
          Begin again
        </button>
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
