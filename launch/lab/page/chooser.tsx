/**
 * All examples, in the order of study.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { ExampleInfo } from "../messages.ts";
import { capital } from "./capital.ts";
import { OpenFile } from "./keep.tsx";
import type { Lab } from "./lab.ts";

/** The list to choose from. */
export function Chooser({ lab }: { lab: Lab }) {
  const { welcome } = lab;
  if (!welcome) {
    return (
      <main class="chooser">
        <p class="opening">
          {lab.connected === "gone"
            ? "The lab is not there."
            : "The lab opens …"}
        </p>
      </main>
    );
  }
  const examples = welcome.only === null
    ? welcome.examples
    : welcome.examples.filter(({ name }) => name === welcome.only);
  const first = examples.find(({ missing }) => !missing);
  return (
    <main class="chooser">
      <div class="welcome">
        <h1>See what programs say to each other</h1>
        <p>
          Choose an example. Its programs run on this machine, and everything
          that goes over the wire between them is drawn here, live. Then look
          inside, disturb the network, or change the programs.
        </p>
      </div>
      <ol class="examples">
        {examples.map((example, index) => (
          <Choice
            key={example.name}
            lab={lab}
            example={example}
            number={index + 1}
            isFirst={example === first && examples.length > 1}
          />
        ))}
      </ol>
      <p class="or">
        Or look at a run that you have saved: <OpenFile lab={lab} />
      </p>
    </main>
  );
}

function Choice({ lab, example, number, isFirst }: {
  lab: Lab;
  example: ExampleInfo;
  number: number;
  isFirst: boolean;
}) {
  const { name, summary, missing, links } = example;
  const transports = [...new Set(links.map(({ transport }) => transport))];
  const isOn = lab.history.run?.example === name;
  return (
    <li>
      <button
        type="button"
        class={`choice${isFirst ? " first" : ""}`}
        aria-disabled={missing ? "true" : undefined}
        aria-describedby={missing ? `missing-${number}` : undefined}
        onClick={() => missing || lab.choose(name)}
      >
        <span class="number" aria-hidden="true">{number}</span>
        <span class="name">{name}</span>
        <span class="summary">{capital(summary)}</span>
        <span class="tags">
          {isFirst && <span class="badge go">begin here</span>}
          {isOn && <span class="badge">open now</span>}
          {transports.map((transport) => (
            <span class="badge" key={transport}>{transport.toUpperCase()}</span>
          ))}
        </span>
      </button>
      {missing && <p class="missing" id={`missing-${number}`}>{missing}</p>}
    </li>
  );
}
