/**
 * Above the diagram: what the network does now, and what is on hold.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import { capital } from "./capital.ts";
import { Copy } from "./copy.tsx";
import { Age } from "./age.tsx";
import type { Lab } from "./lab.ts";

/** What is active; nothing if nothing is. */
export function Active({ lab }: { lab: Lab }) {
  const { net, hold } = lab.history;
  const isOn = net !== null && Object.values(net.links).some((text) => text);
  const held = lab.held;
  const isHolding = hold !== null && hold.links.length > 0 || held.length > 0;
  const { waiting } = lab;
  return (
    <>
      {isOn && net && (
        <section class="active" aria-label="What the network does">
          <p>
            <span class="badge warn">network</span>{" "}
            {net.sentences.map((sentence) => (
              <span key={sentence}>{`${capital(sentence)}. `}</span>
            ))}
          </p>
          <div class="command">
            <code>{net.command}</code>
            <Copy text={net.command} what="the command" />
          </div>
        </section>
      )}
      {isHolding && (
        <section class="active holding" aria-label="On hold">
          <p>
            <span class="badge warn">hold</span>{" "}
            {held.length === 0 ? "Nothing waits yet." : (
              <>
                <b>
                  {waiting} {waiting === 1 ? "waits" : "wait"}
                </b>
                , the oldest for <Age since={held[0]?.sent ?? 0} lab={lab} />.
              </>
            )}
            {hold && hold.links.length > 0 && (
              <span class="hint">
                On hold: {hold.links.map(({ name, containing }) =>
                  containing ? `${name} (“${containing}”)` : name
                ).join(", ")}
              </span>
            )}
          </p>
          <div class="row">
            <button
              type="button"
              class="small primary"
              disabled={held.length === 0}
              title="n"
              onClick={() => lab.next()}
            >
              Next
            </button>
            <button
              type="button"
              class="small"
              onClick={() => {
                for (const { name } of hold?.links ?? []) lab.hold(name, false);
              }}
            >
              Release all
            </button>
          </div>
        </section>
      )}
    </>
  );
}
