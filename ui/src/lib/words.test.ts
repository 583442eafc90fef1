import { expect, test } from "vitest";
import { headline, sentence } from "./words";

test.each([
  ["unknown stage `feilds`", "Unknown stage `feilds`."],
  ["The quote is open.", "The quote is open."],
  ["trace_id: is no number", "trace_id: is no number."],
  ["what is meant?", "What is meant?"],
])("sentence of %s", (text, expected) => {
  expect(sentence(text)).toBe(expected);
});

test("a headline has no full stop", () => {
  expect(headline("the query took longer than 30 s")).toBe("The query took longer than 30 s");
});
