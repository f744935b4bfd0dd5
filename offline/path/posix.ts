/**
 * Stand-in for `jsr:@std/path/posix` where JSR is out of reach: the part that
 * this project uses, on `node:path`.
 *
 * @module
 */
import path from "node:path";

export const { basename, dirname, extname, join, normalize, resolve } =
  path.posix;
