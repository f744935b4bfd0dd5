/**
 * Above each column: the program, what it is doing, and what can be done with it.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Item } from "../messages.ts";
import type { Lab } from "./lab.ts";
import { Menu } from "./menu.tsx";

type Program = (Item & { kind: "program" }) | undefined;

/** The heads of all columns. */
export function Heads({ lab }: { lab: Lab }) {
  const { roles } = lab.history;
  return (
    <div class="heads" data-columns={roles.length}>
      {roles.map((role) => <Head key={role} lab={lab} role={role} />)}
    </div>
  );
}

function Head({ lab, role }: { lab: Lab; role: string }) {
  const { history, history: { roles }, phase, example } = lab;
  const program = history.state(role);
  const title = history.run?.cast.members.find(({ name }) => name === role)
    ?.title ?? "";
  const script = example?.roles.find(({ name }) => name === role)?.script ?? "";
  const isOwn = title !== script && title.includes(" ");
  const hasSource = script.endsWith(".ts") && !isOwn && phase !== "opened";
  const isAlive = isRunning(program);
  const { word, tone } = stateOf(lab, role, program);
  return (
    <section
      class="head"
      aria-label={`Program ${role}`}
      style={{ "--accent": lab.accent(role) }}
    >
      <div class="who">
        <h2>{role}</h2>
        <p class="script" title={title}>
          {isOwn && <span class="own">your own:</span>}{" "}
          {shortened(title, isOwn, roles.length)}
          {program?.edited && isAlive && <span class="badge">edited</span>}
        </p>
      </div>
      <div class="what">
        <p class={`state ${tone}`}>
          <span class="dot" aria-hidden="true" />
          {word}
        </p>
        <div class="buttons">
          {hasSource && (
            <button
              type="button"
              class="small"
              aria-label={`Source of ${role}`}
              onClick={() => lab.showSource(script)}
            >
              Source
            </button>
          )}
          {program?.state === "ended" && phase === "running" && (
            <button
              type="button"
              class="small"
              aria-label={`Start ${role} again`}
              onClick={() =>
                lab.send({
                  type: "restart",
                  role,
                  edited: lab.edited.has(role),
                })}
            >
              Start
            </button>
          )}
          {isAlive && phase === "running" && (
            <Menu label={`End it: ${role}`} text="End it" class="small">
              <button
                type="button"
                onClick={() =>
                  lab.send({ type: "interrupt", role })}
              >
                <b>Ctrl-C</b>
                <small>asks it to end</small>
              </button>
              <button
                type="button"
                onClick={() =>
                  lab.send({ type: "end-input", role })}
              >
                <b>End input</b>
                <small>Ctrl-D: nobody types any more</small>
              </button>
              <button
                type="button"
                onClick={() =>
                  lab.send({ type: "kill", role })}
              >
                <b>Kill</b>
                <small>at once, as kill -9 does</small>
              </button>
            </Menu>
          )}
        </div>
      </div>
    </section>
  );
}

/** Whether a program runs. */
export function isRunning(program: Program): boolean {
  return program !== undefined && program.state !== "idle" &&
    program.state !== "ended";
}

/** `tcp/server.ts` stays where there is room; of a long command the beginning. */
function shortened(title: string, isOwn: boolean, columns: number): string {
  const room = columns > 3 ? 20 : 28;
  return isOwn || title.length < room ? title : title.replace(/^.*\//, "…/");
}

function stateOf(
  lab: Lab,
  role: string,
  program: Program,
): { word: string; tone: string } {
  if (lab.phase === "opened") return { word: "", tone: "opened" };
  if (!program || program.state === "idle") {
    return { word: "not started", tone: "idle" };
  }
  switch (program.state) {
    case "ended": {
      const { code, signal, stopped } = program;
      if (stopped && code !== 0) return { word: "stopped", tone: "ended" };
      if (signal) return { word: `ended by ${signal}`, tone: "bad" };
      return {
        word: `ended with status ${code ?? "?"}`,
        tone: code === 0 ? "ended" : "bad",
      };
    }
    case "starting":
      return { word: "starting", tone: "starting" };
    default: {
      if (lab.history.prompt(role) !== null) {
        return { word: "asks you", tone: "asks" };
      }
      if (program.state === "running") {
        return { word: "running", tone: "alive" };
      }
      const link = [...lab.history.links.values()]
        .find(({ server }) => server === role);
      const port = link?.target.port;
      return {
        word: port ? `listening on ${port}` : "listening",
        tone: "alive",
      };
    }
  }
}

/** What went wrong, if something did; the rest stands in the diagram. */
export function Closing({ lab }: { lab: Lab }) {
  const { over, phase } = lab;
  if (phase !== "over" || !over?.failure) return null;
  return (
    <div class="closing failed">
      <p>
        <b>{over.failure.replace(/[^.!?]$/, "$&.")}</b>{" "}
        What the programs printed stands in the diagram. Then start again.
      </p>
    </div>
  );
}
