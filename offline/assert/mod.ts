/**
 * Stand-in for `jsr:@std/assert` where JSR is out of reach: the part that this
 * project uses, on `node:assert`. Every function throws an
 * {@linkcode AssertionError} when what its name says does not hold.
 *
 * @module
 */
import { deepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

// deno-lint-ignore no-explicit-any -- a class with any constructor
type Class<T> = abstract new (...args: any[]) => T;

function check(holds: boolean, claim: string, msg?: string): asserts holds {
  if (!holds) throw new AssertionError(msg ? `${claim}: ${msg}` : `${claim}.`);
}

export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

export function fail(msg?: string): never {
  throw new AssertionError(
    msg ? `Failed assertion: ${msg}` : "Failed assertion.",
  );
}

export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    const { message } = error as Error;
    throw new AssertionError(msg ? `${message}\n${msg}` : message);
  }
}

export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  let equal = true;
  try {
    deepStrictEqual(actual, expected);
  } catch {
    equal = false;
  }
  check(!equal, `Expected something else than ${inspect(actual)}`, msg);
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  const claim = `Expected ${inspect(actual)} to be ${inspect(expected)} itself`;
  check(Object.is(actual, expected), claim, msg);
}

export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  check(
    actual !== undefined && actual !== null,
    `Expected ${actual} to be something`,
    msg,
  );
}

export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: Class<T>,
  msg?: string,
): asserts actual is T {
  check(
    actual instanceof expectedType,
    `Expected ${inspect(actual)} to be a ${expectedType.name}`,
    msg,
  );
}

export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  const claim = `Expected "${actual}" to contain "${expected}"`;
  check(actual.includes(expected), claim, msg);
}

export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  check(
    expected.test(actual),
    `Expected "${actual}" to match ${expected}`,
    msg,
  );
}

export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  check(
    !expected.test(actual),
    `Expected "${actual}" not to match ${expected}`,
    msg,
  );
}

export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  check(actual > expected, `Expected ${actual} > ${expected}`, msg);
}

export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  check(actual >= expected, `Expected ${actual} >= ${expected}`, msg);
}

export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  check(actual < expected, `Expected ${actual} < ${expected}`, msg);
}

export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  check(actual <= expected, `Expected ${actual} <= ${expected}`, msg);
}

/** Returns the error that `fn` threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: Class<E>,
  msgIncludes = "",
  msg?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes, msg);
  }
  throw new AssertionError(
    `Expected function to throw${msg ? `: ${msg}` : "."}`,
  );
}

/** Returns the error that the promise of `fn` was rejected with. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: Class<E>,
  msgIncludes = "",
  msg?: string,
): Promise<E> {
  const promise = fn(); // what it throws by itself is no rejection
  try {
    await promise;
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes, msg);
  }
  throw new AssertionError(
    `Expected function to reject${msg ? `: ${msg}` : "."}`,
  );
}

function checkError<E extends Error>(
  error: unknown,
  ErrorClass: Class<E> | undefined,
  msgIncludes: string,
  msg?: string,
): E {
  assertInstanceOf(error, ErrorClass ?? Error, msg);
  assertStringIncludes(error.message, msgIncludes, msg);
  return error as E;
}
