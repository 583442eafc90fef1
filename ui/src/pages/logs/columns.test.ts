import { describe, expect, test } from "vitest";
import {
  type Column,
  decodeColumns,
  defaultColumns,
  encodeColumns,
  gridOf,
  moveColumn,
  resizeColumn,
  toggleColumn,
} from "./columns";

function fields(columns: Column[]): string {
  return columns.map(({ field }) => field).join(" ");
}

describe("columns in the address", () => {
  test("the default has no parameter", () => {
    expect(encodeColumns(defaultColumns)).toEqual({});
    expect(decodeColumns("")).toEqual(defaultColumns);
  });

  test.each<Column[][]>([
    [[{ field: "body", widthPx: null }]],
    [
      [
        { field: "service", widthPx: 160 },
        { field: "body", widthPx: null },
        { field: "duration_ms", widthPx: null },
      ],
    ],
    [
      [
        { field: "a,b:c %d", widthPx: 44 },
        { field: "body", widthPx: null },
      ],
    ],
  ])("round trip of %j", (columns) => {
    expect(decodeColumns(encodeColumns(columns).columns ?? "")).toEqual(columns);
  });

  test.each([
    ["service,service,host", "service host body"],
    [",,host,", "host body"],
    ["%E0%A4%A,host", "host body"],
    [
      Array.from({ length: 50 }, (_, at) => `f${at}`).join(","),
      `${fields(decodeColumns(Array.from({ length: 20 }, (_, at) => `f${at}`).join(",")))}`,
    ],
  ])("%s", (text, expected) => {
    expect(fields(decodeColumns(text))).toBe(expected);
  });

  test("a width out of bounds is brought back, a malformed one is none", () => {
    expect(decodeColumns("a:5,b:9999,c:wide").map(({ widthPx }) => widthPx)).toEqual([40, 800, null, null]);
  });
});

test("add, remove, move, resize", () => {
  expect(fields(toggleColumn(defaultColumns, "code"))).toBe("severity service host body code");
  expect(fields(toggleColumn(defaultColumns, "host"))).toBe("severity service body");
  expect(fields(toggleColumn(defaultColumns, "body"))).toBe("severity service host body");
  expect(fields(moveColumn(defaultColumns, "body", -1))).toBe("severity service body host");
  expect(fields(moveColumn(defaultColumns, "service", -1))).toBe("service severity host body");
  expect(fields(moveColumn(defaultColumns, "severity", -1))).toBe(fields(defaultColumns));
  expect(fields(moveColumn(defaultColumns, "body", 1))).toBe(fields(defaultColumns));
  expect(resizeColumn(defaultColumns, "host", 2000)[2]).toEqual({ field: "host", widthPx: 800 });
});

test("the grid gives the rest to the body and knows when it must scroll", () => {
  const { template, minPx } = gridOf(resizeColumn(defaultColumns, "host", 90), 98);
  expect(template).toBe("98px minmax(52px, 52px) minmax(72px, 128px) 90px minmax(240px, 1fr)");
  expect(minPx).toBe(98 + 52 + 72 + 90 + 240 + 4 * 12 + 25);
});
