/**
 * The network panel: what happens on the way, link by link.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { ExampleInfo } from "../messages.ts";
import {
  type Control,
  CONTROLS,
  presetOf,
  readForm,
  type Way,
  whyNot,
  writeForm,
} from "./conditions_form.ts";
import type { Lab } from "./lab.ts";
import { LinkChoice, useLink } from "./links.tsx";
import { useEffect, useId, useState } from "./preact.ts";
import { SeedField } from "./seed.tsx";

type LinkInfo = ExampleInfo["links"][number];

const WAYS: { way: Way; title: string }[] = [
  { way: "both", title: "Both ways" },
  { way: "up", title: "To the server" },
  { way: "down", title: "Back" },
];

/** The panel. */
export function NetworkPanel({ lab }: { lab: Lab }) {
  const [link, choose] = useLink(lab);
  return (
    <>
      <h2>Network</h2>
      <LinkChoice lab={lab} link={link} choose={choose} />
      {link && <Conditions key={link.name} lab={lab} link={link} />}
      {link && <Invitation lab={lab} link={link} />}
      <details class="more">
        <summary>Chance</summary>
        <SeedField lab={lab} />
      </details>
    </>
  );
}

/** Where a program of the user's own, or a browser, may go. */
function Invitation({ lab, link }: { lab: Lab; link: LinkInfo }) {
  const relay = lab.history.links.get(link.name)?.relay;
  if (!relay || lab.phase !== "running") return null;
  const who = link.transport === "tcp" ? "client or browser" : "client";
  return (
    <p class="hint">
      Your own {who} is in the picture, too, at{" "}
      <code>{relay.hostname}:{relay.port}</code>.
    </p>
  );
}

function Conditions({ lab, link }: { lab: Lab; link: LinkInfo }) {
  const [way, turn] = useState<Way>("both");
  const [wrong, tell] = useState("");
  const now = lab.history.net?.links[link.name] ?? "";
  const form = readForm(now, link.transport);
  const preset = presetOf(now, link.transport);
  const presets = Object.entries(lab.welcome?.presets ?? {});
  const apply = async (conditions: string) => {
    const why = await whyNot(conditions, link);
    tell(why);
    if (!why) lab.send({ type: "net", link: link.name, conditions });
  };
  const set = ({ name }: Control, value: number) => {
    const next = readForm(now, link.transport);
    next.values.set(`${way}.${name}`, value);
    apply(writeForm(next));
  };
  const controls = CONTROLS.filter(({ transports }) =>
    transports.includes(link.transport)
  );
  const row = (control: Control) => (
    <Slider
      key={`${way}.${control.name}`}
      control={control}
      value={form.values.get(`${way}.${control.name}`) ?? 0}
      set={(value) => set(control, value)}
      tell={tell}
    />
  );
  const rare = controls.filter(({ rare }) => rare);
  const isRareOn = rare.some(({ name }) =>
    WAYS.some(({ way }) => form.values.get(`${way}.${name}`))
  );
  return (
    <>
      <fieldset class="chips">
        <legend>A network that people know</legend>
        {[["", ""], ...presets].map(([name = "", text = ""]) => (
          <button
            key={name}
            type="button"
            aria-pressed={preset === name}
            title={text || "nothing happens on the way"}
            onClick={() => apply(name)}
          >
            {name === "" ? "Calm" : name}
          </button>
        ))}
      </fieldset>
      <fieldset class="segments">
        <legend>Or set it yourself</legend>
        {WAYS.map(({ way: other, title }) => {
          const isOn = CONTROLS.some(({ name }) =>
            form.values.get(`${other}.${name}`)
          );
          return (
            <label key={other}>
              <input
                type="radio"
                name={`way-${link.name}`}
                checked={way === other}
                onChange={() => turn(other)}
              />
              <span>{title}{isOn && <i class="on" title="active">•</i>}</span>
            </label>
          );
        })}
      </fieldset>
      <div class="sliders">
        {controls.filter(({ rare }) => !rare).map(row)}
        <details open={isRareOn}>
          <summary>More</summary>
          {rare.map(row)}
        </details>
      </div>
      <Exactly
        key={form.others.join(" ")}
        link={link}
        others={form.others}
        apply={(others) => apply(writeForm({ ...form, others }))}
      />
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
    </>
  );
}

function Slider({ control, value, set, tell }: {
  control: Control;
  value: number;
  set(value: number): void;
  tell(wrong: string): void;
}) {
  const { title, does, units, stops, most } = control;
  const id = useId();
  const [moving, move] = useState<number | null>(null);
  const [text, write] = useState(`${value}`);
  useEffect(() => {
    write(`${value}`);
    move(null);
  }, [value]);
  const unit = units[0]?.name ?? "";
  const index = moving ?? nearest(stops, value);
  const shown = moving === null ? text : `${stops[moving]}`;
  const apply = (text: string) => {
    const number = text.trim() === "" ? 0 : Number(text);
    if (!Number.isFinite(number) || number < 0 || number > most) {
      tell(
        `${title} goes from 0 to ${
          most.toLocaleString("en")
        } ${unit}, not “${text}”.`,
      );
      return;
    }
    tell("");
    if (number !== value) set(number);
  };
  return (
    <div class={`slider${value ? " on" : ""}`}>
      <label for={id}>{title}</label>
      <input
        type="range"
        min={0}
        max={stops.length - 1}
        step={1}
        value={index}
        aria-label={`${title}: ${does}`}
        aria-valuetext={`${stops[index]} ${unit}`}
        onInput={(event) => move(Number(event.currentTarget.value))}
        onChange={(event) =>
          apply(`${stops[Number(event.currentTarget.value)]}`)}
      />
      <span class="number">
        <input
          id={id}
          inputMode="decimal"
          value={shown}
          aria-describedby={`${id}-does`}
          onInput={(event) => write(event.currentTarget.value)}
          onChange={(event) => apply(event.currentTarget.value)}
        />
        <span class="unit">{unit}</span>
      </span>
      <small id={`${id}-does`}>{does}</small>
    </div>
  );
}

/** The place of a slider that is nearest to a value. */
function nearest(stops: number[], value: number): number {
  let best = 0;
  for (const [index, stop] of stops.entries()) {
    if (Math.abs(stop - value) < Math.abs((stops[best] ?? 0) - value)) {
      best = index;
    }
  }
  return best;
}

/** Counted conditions, as a text. */
function Exactly({ link, others, apply }: {
  link: LinkInfo;
  others: string[];
  apply(others: string[]): void;
}) {
  const id = useId();
  const [text, write] = useState(others.join(" "));
  const example = link.transport === "udp"
    ? "down.loss=#1"
    : "down.delay=2s:#1";
  const says = link.transport === "udp"
    ? "loses the first answer"
    : "brings the first answer 2 s late";
  return (
    <form
      class="exactly"
      onSubmit={(event) => {
        event.preventDefault();
        apply(text.split(/\s+/).filter((word) => word));
      }}
    >
      <label for={id}>Exactly which</label>
      <div class="row">
        <input
          id={id}
          class="mono"
          value={text}
          placeholder={example}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-describedby={`${id}-hint`}
          onInput={(event) => write(event.currentTarget.value)}
        />
        <button type="submit" class="small">Apply</button>
      </div>
      <p class="hint" id={`${id}-hint`}>
        <code>{example}</code> {says}. Also <code>every3</code>,{" "}
        <code>2/5</code>, <code>5%x4</code>, <code>@5s..8s</code>.
      </p>
    </form>
  );
}
