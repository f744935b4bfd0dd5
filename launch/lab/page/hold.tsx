/**
 * The hold panel: messages that wait at the relay, and what can be done to them.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { ExampleInfo, PageEvent } from "../messages.ts";
import { readable } from "../../show/text.ts";
import { Age } from "./age.tsx";
import { fromBase64, toBase64 } from "./bytes.ts";
import { BytesField } from "./bytes_field.tsx";
import type { Lab, Whole } from "./lab.ts";
import { LinkChoice, useLink } from "./links.tsx";
import { Menu } from "./menu.tsx";
import { useEffect, useId, useState } from "./preact.ts";

type LinkInfo = ExampleInfo["links"][number];

/** How many held messages are shown. */
const SHOWN = 50;

/** The panel. */
export function HoldPanel({ lab }: { lab: Lab }) {
  const [link, choose] = useLink(lab);
  const held = lab.held;
  const isLive = lab.phase === "running";
  return (
    <>
      <h2>Hold</h2>
      <p class="hint">
        Stop messages at the relay, between the programs. They wait until you
        let them through.
      </p>
      <LinkChoice lab={lab} link={link} choose={choose} />
      {link && <Switch key={link.name} lab={lab} link={link} />}
      <section aria-label="What waits">
        <div class="row spread">
          <h3>
            {held.length === 0
              ? "Nothing waits"
              : `${lab.waiting} ${lab.waiting === 1 ? "waits" : "wait"}`}
          </h3>
          {held.length > 0 && (
            <span class="hint">
              the oldest for <Age since={held[0]?.sent ?? 0} lab={lab} />
            </span>
          )}
        </div>
        {held.length === 0 && (
          <p class="hint">
            {link && lab.isHeld(link.name)
              ? isLive
                ? "The next message will stop here."
                : "Start the programs. The first message will stop here."
              : "Switch Hold on, then let the programs talk."}
          </p>
        )}
        <ol class="held">
          {held.slice(0, SHOWN).map((event, index) => (
            <Held
              key={event.number}
              lab={lab}
              event={event}
              isFirst={index === 0}
            />
          ))}
        </ol>
        {lab.waiting > SHOWN && (
          <p class="hint">and {lab.waiting - SHOWN} more, younger ones</p>
        )}
      </section>
      {link && isLive && (
        <Send key={`send-${link.name}`} lab={lab} link={link} />
      )}
      {link && isLive && link.transport === "tcp" && (
        <Connections lab={lab} link={link} />
      )}
    </>
  );
}

function Switch({ lab, link }: { lab: Lab; link: LinkInfo }) {
  const on = lab.history.hold?.links.find(({ name }) => name === link.name);
  const [text, write] = useState(on?.containing ?? "");
  const id = useId();
  return (
    <div class="hold-switch">
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={on !== undefined}
          onChange={(event) =>
            lab.hold(link.name, event.currentTarget.checked, text)}
        />
        <span>
          Hold <small>what {link.client} and {link.server} send</small>
        </span>
      </label>
      <details open={text !== ""}>
        <summary>Only what contains …</summary>
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            lab.hold(link.name, true, text);
          }}
        >
          <label class="unseen" for={id}>Hold only what contains</label>
          <input
            id={id}
            class="mono"
            value={text}
            placeholder="a text"
            spellcheck={false}
            onInput={(event) => write(event.currentTarget.value)}
          />
          <button type="submit" class="small">Hold it</button>
        </form>
      </details>
    </div>
  );
}

function Held({ lab, event, isFirst }: {
  lab: Lab;
  event: PageEvent;
  isFirst: boolean;
}) {
  const [open, turn] = useState<"bytes" | "cut" | null>(null);
  const link = lab.example?.links.find(({ name }) => name === event.link);
  const { number } = event;
  const isStream = link?.transport === "tcp";
  const from = (event.from === "client" ? link?.client : link?.server) ?? "";
  const to = (event.from === "client" ? link?.server : link?.client) ?? "";
  const gone = meanwhile(lab, event, link);
  const isMessage = event.kind === "message" || event.kind === "datagram";
  const text = isMessage
    ? readable(fromBase64(event.bytes)).slice(0, 90) || "(empty)"
    : { connect: "connects", end: "sends no more (FIN)", reset: "resets" }[
      event.kind as "connect"
    ] ?? event.kind;
  return (
    <li class="held-one" style={{ "--accent": lab.accent(from) }}>
      <p class="route">
        <span class="hint">#{number}</span> <b>{from}</b> → {to}
        <span class="hint">
          {isMessage && ` ${event.size} B,`} for{" "}
          <Age since={event.sent} lab={lab} />
        </span>
      </p>
      <p class="mono excerpt">{text}</p>
      {gone && <p class={gone.isBad ? "gone" : "hint"}>{gone.text}</p>}
      <div class="row">
        <button
          type="button"
          class={`small${isFirst ? " primary" : ""}`}
          onClick={() =>
            isFirst && !isStream
              ? lab.send({ type: "next" })
              : lab.send({ type: "release", number, bytes: null })}
        >
          {isFirst
            ? "Let it through"
            : isStream
            ? "Let all up to it through"
            : "Let it overtake"}
        </button>
        {!isStream && isMessage && (
          <>
            <button
              type="button"
              class="small"
              onClick={() => lab.send({ type: "drop", number })}
            >
              Drop
            </button>
            <button
              type="button"
              class="small"
              onClick={() => lab.send({ type: "double", number })}
            >
              Double
            </button>
          </>
        )}
        {isMessage && (
          <button
            type="button"
            class="small"
            aria-expanded={open === "bytes"}
            onClick={() => turn(open === "bytes" ? null : "bytes")}
          >
            Change bytes
          </button>
        )}
        {isStream && isMessage && event.size > 1 && (
          <button
            type="button"
            class="small"
            aria-expanded={open === "cut"}
            onClick={() => turn(open === "cut" ? null : "cut")}
          >
            Cut here
          </button>
        )}
      </div>
      {open === "bytes" && <Change lab={lab} event={event} />}
      {open === "cut" && <Cut lab={lab} event={event} />}
    </li>
  );
}

/** What the client has done while a message lay here; null if nothing. */
function meanwhile(
  lab: Lab,
  event: PageEvent,
  link: LinkInfo | undefined,
): { text: string; isBad: boolean } | null {
  if (!link) return null;
  const { client } = link;
  const program = lab.history.state(client);
  if (program?.state === "ended") {
    const status = program.code === null ? "" : ` with status ${program.code}`;
    return { text: `Meanwhile ${client} has ended${status}.`, isBad: true };
  }
  const { items } = lab.history;
  for (let i = items.length - 1; i >= Math.max(0, items.length - 500); i--) {
    const item = items[i];
    if (!item) continue;
    if (item.kind === "line" && item.role === client && item.at > event.sent) {
      return {
        text: `Meanwhile ${client} prints: ${item.text.slice(0, 80)}`,
        isBad: item.stream === "stderr",
      };
    }
    if (
      item.kind === "wire" && item.event.link === event.link &&
      item.event.connection === event.connection &&
      item.event.from === "client" && item.event.sent > event.sent &&
      (item.event.kind === "end" || item.event.kind === "reset")
    ) {
      return {
        text: `Meanwhile ${client} has given the connection up.`,
        isBad: true,
      };
    }
  }
  return null;
}

/** Other bytes for a held message. */
function Change({ lab, event }: { lab: Lab; event: PageEvent }) {
  const [whole, load] = useState<Whole | null>(null);
  const [bytes, change] = useState<Uint8Array | null>(null);
  const { number, size } = event;
  useEffect(() => {
    let isHere = true;
    const first = fromBase64(event.bytes);
    const have = (whole: Whole) => {
      if (!isHere) return;
      load(whole);
      change(whole.bytes);
    };
    if (first.length === size) have({ bytes: first, size });
    else lab.ask(number).then(have);
    return () => {
      isHere = false;
    };
  }, [number]);
  if (!whole) return <p class="hint">The rest of its bytes is fetched …</p>;
  if (whole.bytes.length < whole.size) {
    return <p class="hint">It is too long to be changed by hand.</p>;
  }
  return (
    <div class="sub">
      <BytesField begin={whole.bytes} change={change} />
      <button
        type="button"
        class="small primary"
        disabled={bytes === null}
        onClick={() =>
          bytes &&
          lab.send({ type: "release", number, bytes: toBase64(bytes) })}
      >
        Let it through like this
      </button>
    </div>
  );
}

/** The first bytes go on, the rest stays. */
function Cut({ lab, event: { number, size } }: { lab: Lab; event: PageEvent }) {
  const id = useId();
  const [text, write] = useState(`${Math.ceil(size / 2)}`);
  const at = Number(text);
  const isGood = Number.isInteger(at) && at >= 1 && at < size;
  return (
    <form
      class="sub"
      onSubmit={(event) => {
        event.preventDefault();
        if (isGood) lab.send({ type: "cut", number, at });
      }}
    >
      <label for={id}>So many bytes go on now, the rest stays here</label>
      <div class="row">
        <input
          id={id}
          inputMode="numeric"
          size={8}
          value={text}
          aria-invalid={!isGood}
          onInput={(event) => write(event.currentTarget.value)}
        />
        <span class="hint">of {size}</span>
        <button type="submit" class="small primary" disabled={!isGood}>
          Cut
        </button>
      </div>
      {!isGood && (
        <p class="wrong" role="alert">A whole number from 1 to {size - 1}.</p>
      )}
    </form>
  );
}

/** A message of the user's own. */
function Send({ lab, link }: { lab: Lab; link: LinkInfo }) {
  const [bytes, change] = useState<Uint8Array | null>(new Uint8Array());
  const [as, choose] = useState("");
  const id = useId();
  const connections = connectionsOf(lab, link);
  const isUdp = link.transport === "udp";
  const options = [
    ...connections.flatMap((connection) => {
      const which = connections.length > 1 ? ` ${connection}` : "";
      return [
        {
          value: `${connection} client`,
          text: `to ${link.server}, as if from ${link.client}${which}`,
        },
        {
          value: `${connection} server`,
          text: `to ${link.client}${which}, as if from ${link.server}`,
        },
      ];
    }),
    ...isUdp
      ? [{ value: "0 client", text: `to ${link.server}, as a stranger` }]
      : [],
  ];
  const chosen = options.find(({ value }) => value === as) ?? options[0];
  return (
    <details class="more">
      <summary>Send your own</summary>
      {chosen === undefined
        ? <p class="hint">There is no connection yet.</p>
        : (
          <form
            class="sub"
            onSubmit={(event) => {
              event.preventDefault();
              if (!bytes) return;
              const [connection, from] = chosen.value.split(" ");
              lab.send({
                type: "inject",
                link: link.name,
                connection: Number(connection),
                from: from === "server" ? "server" : "client",
                bytes: toBase64(bytes),
              });
            }}
          >
            <label for={id}>Where to</label>
            <select
              id={id}
              value={chosen.value}
              onChange={(event) => choose(event.currentTarget.value)}
            >
              {options.map(({ value, text }) => (
                <option key={value} value={value}>{text}</option>
              ))}
            </select>
            <BytesField begin={new Uint8Array()} change={change} />
            <button
              type="submit"
              class="small primary"
              disabled={bytes === null}
            >
              Send
            </button>
          </form>
        )}
    </details>
  );
}

/** The connections or peers of a link that have been seen and not closed. */
function connectionsOf(lab: Lab, link: LinkInfo): number[] {
  const open = new Set<number>();
  const { items } = lab.history;
  for (const item of items.slice(-2000)) {
    if (item.kind !== "wire" || item.event.link !== link.name) continue;
    const { connection, kind } = item.event;
    if (connection === 0) continue;
    if (kind === "reset" || kind === "refused") open.delete(connection);
    else open.add(connection);
  }
  return [...open].slice(-20);
}

/** What can be done to a connection as a whole. */
function Connections({ lab, link }: { lab: Lab; link: LinkInfo }) {
  const connections = connectionsOf(lab, link);
  return (
    <details class="more">
      <summary>Break the connection</summary>
      <div class="row sub">
        {connections.length === 0 && (
          <p class="hint">There is no connection yet.</p>
        )}
        {connections.length === 1 && (
          <button
            type="button"
            class="small"
            onClick={() =>
              lab.send({
                type: "reset",
                link: link.name,
                connection: connections[0] ?? 1,
              })}
          >
            Reset
          </button>
        )}
        {connections.length > 1 && (
          <Menu label="Reset a connection" text="Reset" class="small">
            {connections.map((connection) => (
              <button
                key={connection}
                type="button"
                onClick={() =>
                  lab.send({ type: "reset", link: link.name, connection })}
              >
                Connection {connection}
              </button>
            ))}
          </Menu>
        )}
        <button
          type="button"
          class="small"
          onClick={() => lab.send({ type: "stall", link: link.name })}
        >
          Stall
        </button>
      </div>
      <p class="hint">
        Reset breaks it off at once. Stall is a cable that was pulled out:
        nothing passes, and both sides think that all is well.
      </p>
    </details>
  );
}
