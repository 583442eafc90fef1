import { expect, test } from "vitest";
import { plainView } from "../url";
import { isSameState, stateOf, viewState } from "./state";

const record = { id: "0-1", time: "2026-11-25T10:17:39.912345678Z" };

test("a view keeps the question, not the record that is open", () => {
  const patterns = { ...plainView.patterns, open: "9f00000000000abc", onlyNew: true };
  expect(viewState({ ...plainView, query: "sku", record, tab: "patterns", patterns })).toEqual({
    query: "sku",
    tab: "patterns",
    new: "1",
  });
});

test.each([
  [{ query: "a", order: "oldest" }, { order: "oldest", query: "a" }, true],
  [{ query: "a", unknown: 5, zone: "mars" }, { query: "a" }, true],
  [{ query: "a" }, { query: "b" }, false],
  [{}, { live: "1" }, false],
])("%j and %j are the same view: %s", (a, b, same) => {
  expect(isSameState(stateOf({ state: a }), stateOf({ state: b }))).toBe(same);
});
