import { describe, expect, test } from "vitest";
import { cellId, cellsOf, movedCell } from "./cellCursor";

const fields = ["severity", "service", "body", "http.route"];

describe("movedCell", () => {
  test.each([
    [null, "ArrowRight", "severity"],
    ["severity", "ArrowRight", "service"],
    // The body is passed over, in both directions.
    ["service", "ArrowRight", "http.route"],
    ["http.route", "ArrowLeft", "service"],
    ["http.route", "ArrowRight", "http.route"],
    ["severity", "ArrowLeft", null],
    [null, "ArrowLeft", null],
    // A column that was taken away leaves the cursor on the row.
    ["gone", "ArrowRight", "severity"],
    ["severity", "j", undefined],
  ])("from %s by %s", (cell, key, to) => {
    expect(movedCell(fields, cell, key)).toBe(to);
  });

  test("a body alone has no cell", () => {
    expect(cellsOf(["body"])).toEqual([]);
    expect(movedCell(["body"], null, "ArrowRight")).toBe(null);
  });
});

test("an id has no character of the column's name", () => {
  expect(cellId("0-a", ["body", "a b"], "a b")).toBe("cell-0-a-1");
});
