/**
 * The panels beside the diagram: one of them is in sight.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import { BytesPanel } from "./bytes_panel.tsx";
import { GuideLine, GuidePanel } from "./guide.tsx";
import { HoldPanel } from "./hold.tsx";
import { KeepPanel } from "./keep.tsx";
import type { Lab, Place } from "./lab.ts";
import { NetworkPanel } from "./network.tsx";
import { useRef } from "./preact.ts";
import { ProgramPanel } from "./program.tsx";

const PLACES: { place: Place; title: string }[] = [
  { place: "guide", title: "Guide" },
  { place: "bytes", title: "Bytes" },
  { place: "network", title: "Network" },
  { place: "hold", title: "Hold" },
  { place: "program", title: "Program" },
  { place: "keep", title: "Keep" },
];

/** The tabs and what belongs to the one that is chosen. */
export function Panels({ lab }: { lab: Lab }) {
  const tabs = useRef<HTMLDivElement>(null);
  const isOnlyLooked = lab.phase === "opened";
  const places = PLACES.filter(({ place }) =>
    !isOnlyLooked || place === "bytes" || place === "keep"
  );
  const at = places.findIndex(({ place }) => place === lab.place);
  const move = (by: number) => {
    const index = (Math.max(at, 0) + by + places.length) % places.length;
    lab.open(places[index]?.place ?? null);
    const buttons = tabs.current?.querySelectorAll("button") ?? [];
    buttons[index]?.focus();
  };
  const { title } = places[at] ?? {};
  return (
    <aside class={`panels${title ? " open" : ""}`} aria-label="Tools">
      <div
        class="tabs"
        role="tablist"
        aria-label="Tools"
        ref={tabs}
        onKeyDown={({ key }) => {
          if (key === "ArrowRight") move(1);
          if (key === "ArrowLeft") move(-1);
        }}
      >
        {places.map(({ place, title }, index) => (
          <button
            key={place}
            type="button"
            role="tab"
            id={`tab-${place}`}
            aria-controls="panel"
            aria-selected={place === lab.place}
            tabIndex={index === Math.max(at, 0) ? 0 : -1}
            onClick={() => lab.open(place === lab.place ? null : place)}
          >
            {title}
            {place === "hold" && lab.waiting > 0 && (
              <span class="count">{lab.waiting}</span>
            )}
          </button>
        ))}
      </div>
      <div
        id="panel"
        class="panel"
        role="tabpanel"
        hidden={title === undefined}
        aria-labelledby={title === undefined ? undefined : `tab-${lab.place}`}
        tabIndex={-1}
      >
        <button
          type="button"
          class="quiet close"
          aria-label={`Close ${title}`}
          onClick={() => lab.open(null)}
        >
          ✕
        </button>
        {title && lab.place !== "guide" && <GuideLine lab={lab} />}
        {title && <Panel lab={lab} />}
      </div>
    </aside>
  );
}

function Panel({ lab }: { lab: Lab }) {
  switch (lab.place) {
    case "guide":
      return <GuidePanel lab={lab} />;
    case "bytes":
      return <BytesPanel lab={lab} />;
    case "network":
      return <NetworkPanel lab={lab} />;
    case "hold":
      return <HoldPanel lab={lab} />;
    case "program":
      return <ProgramPanel lab={lab} />;
    default:
      return <KeepPanel lab={lab} />;
  }
}
