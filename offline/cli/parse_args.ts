/**
 * Stand-in for `jsr:@std/cli/parse-args` where JSR is out of reach: the part
 * that this project uses, on `node:util`.
 *
 * @module
 */
import { parseArgs as tokenize } from "node:util";

/** What {@linkcode parseArgs} can be told; the names are the real package's. */
export interface ParseOptions<
  TString extends string,
  TBoolean extends string,
  TDefault,
> {
  /** Options that take a text; without one, it is empty. */
  string?: readonly TString[];
  /** Options that are there or not. */
  boolean?: readonly TBoolean[];
  /** Values of options that are not given. */
  default?: TDefault;
  /**
   * Called for everything that is not declared, positional arguments included.
   * What it returns false for is left out of the result.
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The result: the options by name, and the positional arguments in `_`. */
export type Args<TString extends string, TBoolean extends string, TDefault> =
  & { [K in Exclude<TString, keyof TDefault>]?: string }
  & { [K in Extract<TString, keyof TDefault>]: string }
  & { [K in TBoolean]: boolean }
  & { _: (string | number)[] };

/** Parses `--name value`, `--name=value`, `--flag` and positional arguments. */
export function parseArgs<
  const TString extends string = never,
  const TBoolean extends string = never,
  TDefault extends Record<string, unknown> = Record<never, never>,
>(
  args: readonly string[],
  options: ParseOptions<TString, TBoolean, TDefault> = {},
): Args<TString, TBoolean, TDefault> {
  const strings = new Set<string>(options.string);
  const booleans = new Set<string>(options.boolean);
  const unknown = options.unknown ?? (() => true);

  // `node:util` decides by the declaration alone whether an option takes the
  // next argument, the real package also by what that argument looks like: so
  // join the two beforehand. `given` keeps each token's original argument.
  const joined: string[] = [];
  const given: string[] = [];
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  for (let i = 0; i < end; i++) {
    const arg = args[i] ?? "";
    const name = /^--([^=]+)$/.exec(arg)?.[1];
    const next = i + 1 < end ? args[i + 1] ?? "" : "";
    const takesNext = name !== undefined &&
      (booleans.has(name) ? /^(true|false)$/.test(next) : /^[^-]/.test(next));
    given.push(arg);
    if (takesNext) joined.push(`${arg}=${args[++i]}`);
    else if (name && strings.has(name)) joined.push(`${arg}=`);
    else joined.push(arg);
  }

  const result: Record<string, unknown> = {};
  const positional: (string | number)[] = [];
  const asPositional = (text: string) => isNumber(text) ? Number(text) : text;
  const { tokens } = tokenize({
    args: joined,
    options: Object.fromEntries(
      [...strings].map((name) => [name, { type: "string" as const }]),
    ),
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    const arg = given[token.index] ?? "";
    if (token.kind === "positional") {
      if (unknown(arg) !== false) positional.push(asPositional(arg));
    } else if (token.kind === "option") {
      const text = token.value;
      const value = strings.has(token.name)
        ? text ?? ""
        : booleans.has(token.name)
        ? text !== "false"
        : text ?? true;
      const declared = strings.has(token.name) || booleans.has(token.name);
      if (declared || unknown(arg, token.name, value) !== false) {
        result[token.name] = declared || !isNumber(value)
          ? value
          : Number(value);
      }
    }
  }
  positional.push(...args.slice(end + 1).map(asPositional));
  for (const name of booleans) result[name] ??= false;
  return { ...options.default, ...result, _: positional } as unknown as Args<
    TString,
    TBoolean,
    TDefault
  >;
}

function isNumber(value: unknown): boolean {
  return typeof value === "string" && /\S/.test(value) &&
    Number.isFinite(Number(value));
}
