import { expect, test } from "vitest";
import { manyLines, oneLine, summary } from "./json";

test.each([
  ["plain", "plain"],
  ["two\n  lines\tand tabs", "two lines and tabs"],
  ["\u001b[31mred\u001b[0m", "red"],
  [{ a: 1, b: [true] }, '{"a":1,"b":[true]}'],
  [null, "null"],
])("one line of %j", (body, text) => {
  expect(oneLine(body)).toBe(text);
});

test("a huge body is cut", () => {
  expect(oneLine("x".repeat(1_000_000)).length).toBeLessThanOrEqual(2000);
});

test.each([
  [{}, "{}"],
  [[], "[]"],
  [{ id: "5512", items: 11 }, '{ id: "5512", items: 11 }'],
  [[1, 2, 3], "[ 1, 2, 3 ]"],
  [{ deep: { x: 1 }, list: [1] }, "{ deep: {…}, list: […] }"],
  [Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`key${at}`, at])), "more"],
])("summary of %j", (value, text) => {
  expect(summary(value)).toContain(text);
});

test("a wrapped body keeps its lines, without colour codes", () => {
  expect(manyLines("a\n  b\u001b[31mred\u001b[0m\n")).toBe("a\n  bred");
  expect(manyLines({ a: 1 })).toBe('{\n  "a": 1\n}');
  expect(manyLines("x".repeat(1_000_000)).length).toBe(2000);
});
