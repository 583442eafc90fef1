import { expect, test } from "vitest";
import type { Pattern, PatternsAnswer } from "../../../api/patterns";
import { labelsOf, patternFacet } from "./patternFacet";

const patterns = Array.from(
  { length: 7 },
  (_, at) => ({ id: `${at}`, template: `template ${at}`, count: 70 - at * 10 }) as Pattern,
);
const answer = { patterns, total: 12, matched: 400, without_pattern: 30 } as PatternsAnswer;

test("the five most frequent ones; what the others have is counted, records without a pattern are not", () => {
  const facet = patternFacet(answer);
  expect(facet.values.map(({ value, count }) => [value, count])).toEqual([
    ["0", 70],
    ["1", 60],
    ["2", 50],
    ["3", 40],
    ["4", 30],
  ]);
  expect([facet.other, facet.distinct, facet.missing]).toEqual([120, 12, 0]);
});

test("one that is chosen has its text although it is not among the five", () => {
  expect(labelsOf(answer).get("6")).toBe("template 6");
});
