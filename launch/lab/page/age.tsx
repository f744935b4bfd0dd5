/**
 * How old something is, kept up to date.
 *
 * @module
 */
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/// <reference lib="dom" />
import type { Lab } from "./lab.ts";
import { useEffect, useState } from "./preact.ts";

/** The time since an event of the run. */
export function Age({ since, lab }: { since: number; lab: Lab }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span class="age">{age(lab.now() - since)}</span>;
}

/** `3 s`, `2 min 5 s`. */
export function age(us: number): string {
  const seconds = Math.max(0, Math.floor(us / 1e6));
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
