/**
 * What the page keeps over a reload; each tab has its own.
 *
 * @module
 */
/// <reference lib="dom" />

/** What was kept under a name; null if nothing was, or nothing can be. */
export function recall<T>(name: string): T | null {
  try {
    const text = sessionStorage.getItem(`lab.${name}`);
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** Keeps a value under a name. */
export function remember(name: string, value: unknown): void {
  try {
    sessionStorage.setItem(`lab.${name}`, JSON.stringify(value));
  } catch {
    // Full, or forbidden: then a reload begins anew.
  }
}
