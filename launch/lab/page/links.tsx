/**
 * Which link a panel is about.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { ExampleInfo } from "../messages.ts";
import type { Lab } from "./lab.ts";
import { useId, useState } from "./preact.ts";

type LinkInfo = ExampleInfo["links"][number];

/** The link that was chosen, the first to begin with. */
export function useLink(
  lab: Lab,
): [LinkInfo | undefined, (name: string) => void] {
  const [name, choose] = useState("");
  const links = lab.example?.links ?? [];
  return [links.find((link) => link.name === name) ?? links[0], choose];
}

/** A choice if there are several links. */
export function LinkChoice({ lab, link, choose }: {
  lab: Lab;
  link: LinkInfo | undefined;
  choose(name: string): void;
}) {
  const id = useId();
  const links = lab.example?.links ?? [];
  if (links.length < 2) return null;
  return (
    <fieldset class="segments links">
      <legend>Between</legend>
      {links.map(({ name, client, server, transport }) => (
        <label key={name}>
          <input
            type="radio"
            name={id}
            checked={name === link?.name}
            onChange={() => choose(name)}
          />
          <span>
            {client} – {server} <small>{transport.toUpperCase()}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
