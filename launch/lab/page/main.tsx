/**
 * The page of the lab: where its parts stand, and what is in sight when.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import { Active } from "./active.tsx";
import { Bar } from "./bar.tsx";
import { Chooser } from "./chooser.tsx";
import { Closing, Heads } from "./heads.tsx";
import { Keys, useKeys } from "./keys.tsx";
import { Lab } from "./lab.ts";
import { useDrop } from "./keep.tsx";
import { Panels } from "./panels.tsx";
import { render, useEffect, useState } from "./preact.ts";
import { Stage } from "./stage.tsx";
import { Notices, Status } from "./status.tsx";
import { Typing } from "./typing.tsx";

/** All of the page. */
function Page({ lab }: { lab: Lab }) {
  const [, tick] = useState(0);
  useEffect(() => lab.subscribe(() => tick((n) => n + 1)), [lab]);
  useKeys(lab);
  const isDropping = useDrop(lab);
  const isChoosing = lab.phase === "choose" || lab.choosing;
  const title = lab.history.run?.cast.name ?? "";
  useEffect(() => {
    document.title = title && !isChoosing ? `${title} – Wire lab` : "Wire lab";
  }, [title, isChoosing]);
  return (
    <>
      <Bar lab={lab} isChoosing={isChoosing} />
      <Notices lab={lab} />
      {isChoosing
        ? <Chooser lab={lab} />
        : (
          <div class={`desk${lab.place ? " with-panel" : ""}`}>
            <main class="wire" aria-label="The run">
              <Active lab={lab} />
              <Heads lab={lab} />
              <Stage lab={lab} />
              <Closing lab={lab} />
              <Typing lab={lab} />
            </main>
            <Panels lab={lab} />
          </div>
        )}
      <Keys lab={lab} />
      <Status lab={lab} />
      {isDropping && <div class="dropping">Drop a saved run to look at it</div>}
    </>
  );
}

const root = document.getElementById("page");
if (root) {
  const { host, pathname } = location;
  const folder = pathname.replace(/[^/]*$/, "");
  root.replaceChildren();
  render(<Page lab={new Lab(`ws://${host}${folder}ws`)} />, root);
}
