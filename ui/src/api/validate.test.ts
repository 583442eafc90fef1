import { expect, test } from "vitest";
import { array, nullable, number, object, oneOf, string } from "./validate";

const shape = object({ name: string, size: nullable(number), kind: oneOf("a", "b"), tags: array(string) });

test("keeps the named fields and drops the rest", () => {
  const value = shape({ name: "x", kind: "a", tags: ["t"], extra: 1 }, "answer");
  expect(value).toEqual({ name: "x", size: null, kind: "a", tags: ["t"] });
});

test.each([
  [{ name: 1, kind: "a", tags: [] }, "answer.name is not a string"],
  [{ name: "x", size: "1", kind: "a", tags: [] }, "answer.size is not a number"],
  [{ name: "x", kind: "c", tags: [] }, "answer.kind is not one of a, b"],
  [{ name: "x", kind: "a", tags: ["t", 2] }, "answer.tags[1] is not a string"],
  [null, "answer is not an object"],
])("refuses %j", (value, message) => {
  expect(() => shape(value, "answer")).toThrow(message);
});
