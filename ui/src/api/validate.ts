// Checks what the server sent before anything else sees it: a wrong shape fails here, by name, not in a component.
import type { Json } from "../lib/json";

export type Check<T> = (value: unknown, path: string) => T;

export class ShapeError extends Error {
  constructor(path: string, expected: string) {
    super(`the answer's ${path} is not ${expected}`);
    this.name = "ShapeError";
  }
}

export const string: Check<string> = (value, path) => {
  if (typeof value !== "string") throw new ShapeError(path, "a string");
  return value;
};

export const number: Check<number> = (value, path) => {
  if (typeof value !== "number") throw new ShapeError(path, "a number");
  return value;
};

export const boolean: Check<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw new ShapeError(path, "true or false");
  return value;
};

/** Anything that JSON.parse can return. */
export const json: Check<Json> = (value, path) => {
  if (value === undefined) throw new ShapeError(path, "present");
  return value as Json;
};

export const jsonObject: Check<{ [key: string]: Json }> = (value, path) => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ShapeError(path, "an object");
  return value as { [key: string]: Json };
};

/** Absent and null are the same. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null || value === undefined ? null : check(value, path));
}

export function array<T>(check: Check<T>): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, "a list");
    return value.map((item, index) => check(item, `${path}[${index}]`));
  };
}

export function oneOf<T extends string>(...words: T[]): Check<T> {
  return (value, path) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw new ShapeError(path, `one of ${words.join(", ")}`);
    return word;
  };
}

/** Checks the named fields and drops the others, so that a newer server may send more. */
export function object<T>(fields: { [K in keyof T]: Check<T[K]> }): Check<T> {
  return (value, path) => {
    if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
    const source = value as Record<string, unknown>;
    const entries = Object.entries(fields) as [string, Check<unknown>][];
    return Object.fromEntries(
      entries.map(([name, check]) => [name, check(source[name], `${path}.${name}`)]),
    ) as T;
  };
}
