/**
 * What `--help` says about `--net`.
 *
 * @module
 */
import { PRESETS } from "./presets.ts";
import { TROUBLES } from "./troubles.ts";

/** The lines, each at most 80 columns wide. */
export const HELP: readonly string[] = [
  '--net "CONDITIONS" makes the network misbehave, as in --net "loss=20%":',
  ...Object.entries(TROUBLES).map(([name, { example, does, transports }]) => {
    const where = transports.length > 1 ? "" : transports[0]?.toUpperCase();
    return `  ${`${name}=${example}`.padEnd(14)} ${
      (where ?? "").padEnd(3)
    } ${does}`;
  }),
  ...Object.entries(PRESETS).map(([name, text]) =>
    `  ${name.padEnd(11)} = ${text}`
  ),
  "A share can also say which: loss=#1 (the first), #3,#4, every3, 2/5 (two of",
  "each five), 5%x4 (in runs of four). The others take it after a colon:",
  "delay=3s:#1, delay=1s:every3. For a time: loss=100%@5s..8s.",
  "up. is from the client to the server, down. is back: down.loss=#1. Without,",
  "it is for both. ROLE: is for the link to that server: toupper:delay=3s.",
  "Units: ms, s; B, KB, MB (KiB, MiB); KB/s, MB/s. @FILE reads conditions from a",
  "file. --seed N repeats the same chance.",
];
