import { expect, test } from "vitest";
import { findRows } from "./find";
import { traceOf } from "./sample";

const view = traceOf([
  [0, "edge POST /checkout", 0, 100, { host: "app-1" }],
  [1, "postgres SELECT products", 1, 10, { host: "db-1" }],
  [1, "postgres SELECT users", 11, 20, { host: "db-1", error: true }],
  [1, "cart GetCart", 21, 30],
]);

test.each([
  ["", []],
  ["select", [1, 2]],
  ["postgres users", [2]],
  ["db-1", [1, 2]],
  ["error", [2]],
  ["error select", [2]],
  ["0000000000000004", [3]],
  ["/CHECKOUT", [0]],
  ["nothing of the kind", []],
])("“%s”", (text, rows) => {
  expect(findRows(view, text)).toEqual(rows);
});
