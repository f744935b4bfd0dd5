/**
 * Stand-in for `jsr:@std/path` where JSR is out of reach: the part that this
 * project uses, on `node:path`.
 *
 * @module
 */
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const {
  basename,
  dirname,
  extname,
  isAbsolute,
  join,
  normalize,
  relative,
  resolve,
  sep: SEPARATOR,
} = path;

/** The path that a `file:` URL names; throws a TypeError for other URLs. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL {
  return pathToFileURL(path);
}
