import { expect, test } from "vitest";
import { keyName, nextStep } from "./shortcuts";

const bindings = ["/", "g l", "t", "t -", "Shift T"];

test.each([
  [null, "/", { fire: "/", pending: null }],
  [null, "g", { fire: null, pending: "g" }],
  ["g", "l", { fire: "g l", pending: null }],
  ["g", "x", { fire: null, pending: null }],
  [null, "t", { fire: "t", pending: "t" }],
  ["t", "-", { fire: "t -", pending: null }],
  ["g", "t", { fire: "t", pending: "t" }],
  [null, "q", { fire: null, pending: null }],
])("after %s the key %s", (pending, key, step) => {
  expect(nextStep(bindings, pending, key)).toEqual(step);
});

test("key names", () => {
  expect(keyName({ key: "T", shiftKey: true })).toBe("Shift T");
  expect(keyName({ key: "?", shiftKey: true })).toBe("?");
  expect(keyName({ key: "Escape", shiftKey: false })).toBe("Escape");
});
