import { describe, expect, test } from "vitest";
import type { ResultTable } from "../../../api/logs";
import { columnsOf, countQuestion, groupNames, hasTime } from "./question";
import { binOf, seriesOf } from "./series";
import { decodeChartView, encodeChartView, plainChart } from "./url";

const startMs = Date.parse("2026-11-25T10:00:00Z");
const minutes = (count: number) => ({ startMs, endMs: startMs + count * 60_000 });
const at = (minute: number) => new Date(startMs + minute * 60_000).toISOString();

describe("the address", () => {
  test.each([
    [plainChart, {}],
    [{ by: null, look: "bars" as const }, { by: "" }],
    [
      { by: "http.route", look: "lines" as const },
      { by: "http.route", look: "lines" },
    ],
  ])("%j", (view, search) => {
    expect(encodeChartView(view)).toEqual(search);
    expect(decodeChartView(search)).toEqual(view);
  });
  test("what is malformed is the default", () => {
    expect(decodeChartView({ by: "a) | top 5 b", look: "pie" })).toEqual(plainChart);
    expect(decodeChartView({ by: 7 })).toEqual(plainChart);
  });
});

describe("what is asked", () => {
  test.each([
    ["error | top 5 host", "service", 60, "error | stats count() by (bin(30s), service)"],
    ["", null, 15, "* | stats count() by bin(10s)"],
    ["a OR b", "severity", 60 * 24, "a OR b | stats count() by (bin(30m), severity)"],
  ])("%j by %s in %i minutes", (query, by, count, asked) => {
    expect(countQuestion(query, by, minutes(count)).query).toBe(asked);
  });

  test.each([
    ["* | stats count() by service", ["service"]],
    [
      'x "a | stats b" | stats count() as n by (http.route, "a b", bin(1m)) | sort n',
      ["http.route", "a b", "bin(1m)"],
    ],
    ["* | stats count()", []],
    ["by: 5 | top 5 by", []],
  ])("the groups of %j", (query, names) => {
    expect(groupNames(query)).toEqual(names);
  });
});

const table = (names: [string, ResultTable["columns"][number]["kind"]][], rows: ResultTable["rows"]) => ({
  columns: names.map(([name, kind]) => ({ name, kind })),
  rows,
});

describe("a table over time", () => {
  const byCode = table(
    [
      ["bin(1m)", "time"],
      ["code", "number"],
      ["count()", "number"],
    ],
    [
      [at(0), 200, 5],
      [at(0), 504, 1],
      [at(2), 200, 7],
    ],
  );
  const query = "* | stats count() by (bin(1m), code)";

  test("a number that is grouped by names a line, also one that is no text", () => {
    expect(columnsOf(byCode.columns, query)).toEqual({ time: 0, labels: [1], values: [2] });
  });

  test("no record in a minute is a count of none", () => {
    const data = seriesOf(byCode, query, minutes(3), null);
    expect(data?.series).toEqual([
      { label: "200", values: [5, 0, 7] },
      { label: "504", values: [1, 0, 0] },
    ]);
    expect(data?.times).toEqual([0.5, 1.5, 2.5].map((minute) => startMs / 1000 + minute * 60));
    expect(data?.counts).toBe(true);
  });

  test("no measure in a minute is a gap; each function has its line", () => {
    const measured = table(
      [
        ["bin(1m)", "time"],
        ["host", "string"],
        ["p99(took)", "number"],
        ["slow", "number"],
      ],
      [
        [at(0), "a", 1.5, 4],
        [at(2), null, 2, null],
      ],
    );
    const data = seriesOf(
      measured,
      "* | stats p99(took), max(took) as slow by (host, bin(1m))",
      minutes(3),
      null,
    );
    expect(data?.counts).toBe(false);
    expect(Object.fromEntries(data?.series.map(({ label, values }) => [label, values]) ?? [])).toEqual({
      "a · p99(took)": [1.5, null, null],
      "a · slow": [4, null, null],
      "(none) · p99(took)": [null, null, 2],
      "(none) · slow": [null, null, null],
    });
  });

  test("severities keep their colours, and all records are one line with the name of what was counted", () => {
    const severities = table(
      [
        ["bin(1m)", "time"],
        ["severity", "string"],
        ["count()", "number"],
      ],
      [[at(1), "error", 3]],
    );
    expect(
      seriesOf(severities, "* | stats count() by (bin(1m), severity)", minutes(2), 60_000)?.series,
    ).toEqual([{ label: "error", values: [0, 3], colour: expect.stringContaining("var(--") }]);
    const all = table(
      [
        ["bin(1m)", "time"],
        ["count()", "number"],
      ],
      [[at(1), 3]],
    );
    expect(seriesOf(all, "* | stats count() by bin(1m)", minutes(2), 60_000)?.series[0]?.label).toBe(
      "count()",
    );
  });

  test("without a time, without rows, and with a bin far too narrow there is nothing to draw", () => {
    const top = table(
      [
        ["host", "string"],
        ["count", "number"],
      ],
      [["a", 1]],
    );
    expect(hasTime(top)).toBe(false);
    expect(hasTime(byCode)).toBe(true);
    expect(seriesOf(top, "* | top 5 host", minutes(3), null)).toBe(null);
    expect(seriesOf({ ...byCode, rows: [] }, query, minutes(3), null)).toBe(null);
    expect(seriesOf(byCode, query, minutes(60), 100)).toBe(null);
  });

  test.each([
    ["bin(5m)", 300_000],
    ["bin(250ms)", 250],
    ["count()", null],
    ["bin(x)", null],
  ])("the width of %s", (name, ms) => {
    expect(binOf(name)).toBe(ms);
  });
});
