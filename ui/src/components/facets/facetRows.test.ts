import { expect, test } from "vitest";
import { hiddenValues, rowsOf } from "./facetRows";

const none = { included: [], excluded: [] };

test("values keep their order, carry their share and what the query says about them", () => {
  const values = [
    { value: 200, count: 40 },
    { value: "504", count: 10 },
  ];
  const rows = rowsOf("code", values, { included: ["504"], excluded: ["200", "429"] });
  expect(rows).toEqual([
    { value: 200, count: 40, share: 1, state: "excluded" },
    { value: "504", count: 10, share: 0.25, state: "included" },
    { value: "429", count: null, share: 0, state: "excluded" },
  ]);
});

test("severities come worst first", () => {
  const values = ["info", "debug", "odd", "fatal"].map((value) => ({ value, count: 1 }));
  expect(rowsOf("severity", values, none).map(({ value }) => value)).toEqual([
    "fatal",
    "info",
    "debug",
    "odd",
  ]);
});

test("how many values are not shown", () => {
  const facet = { field: "f", values: [{ value: "a", count: 1 }], missing: 0, other: 7, distinct: 4 };
  expect(hiddenValues(facet)).toBe(3);
  expect(hiddenValues({ ...facet, distinct: null })).toBe(null);
  expect(hiddenValues({ ...facet, distinct: 1, other: 0 })).toBe(0);
});
