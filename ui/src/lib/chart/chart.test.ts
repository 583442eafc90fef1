import { describe, expect, test } from "vitest";
import { roundStep, tickText, valueAxis } from "./axis";
import { assignColours, slotOf } from "./colours";
import { byValue, describeChart, rowsAt } from "./describe";
import {
  type ChartSeries,
  drawnSeries,
  extentOf,
  gapsOf,
  indexAt,
  lastValue,
  stackValues,
  stepOf,
} from "./series";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const series = (label: string, ...values: (number | null)[]): ChartSeries => ({ label, values });
const noon = Date.parse("2026-11-25T10:00:00Z") / 1000;

describe("what is drawn", () => {
  const many = Array.from({ length: 37 }, (_, at) => series(`s${at}`, at, null, 1));

  test("up to ten are drawn as they are", () => {
    expect(drawnSeries(many.slice(0, 10), false)).toMatchObject({ hidden: 0 });
  });

  test("of more lines the ten highest, in their order, and the rest is counted", () => {
    const { series: shown, hidden } = drawnSeries(many, false);
    expect(shown.map(({ label }) => label)).toEqual(many.slice(27).map(({ label }) => label));
    expect(hidden).toBe(27);
  });

  test("of a higher stack the rest is one series that keeps the height", () => {
    const { series: shown } = drawnSeries(many, true);
    expect(shown).toHaveLength(11);
    expect(shown.at(-1)).toMatchObject({ label: "other", isOther: true, values: [351, null, 27] });
    const whole = many.reduce((sum, { values }) => sum + (values[0] ?? 0), 0);
    expect(stackValues(shown).at(-1)?.[0]).toBe(whole);
  });

  test("a stack goes on where one series is missing, and stops where all are", () => {
    expect(stackValues([series("a", 1, null, null), series("b", 2, 2, null)])).toEqual([
      [1, 0, null],
      [3, 2, null],
    ]);
  });
});

describe("gaps", () => {
  const times = [0, 15, 30, 45, 60, 75];
  test.each([
    ["none", [[1, 1, 1, 1, 1, 1]], []],
    ["in the middle", [[1, null, null, 1, 1, 1]], [{ start: 0, end: 45 }]],
    [
      "at both ends",
      [[null, null, 1, 1, null, null]],
      [
        { start: 0, end: 30 },
        { start: 45, end: 75 },
      ],
    ],
    [
      "one series still speaks",
      [
        [1, null, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
      ],
      [],
    ],
    ["the newest value is not there yet", [[1, 1, 1, 1, 1, null]], []],
    ["nothing at all", [[null, null, null, null, null, null]], []],
  ])("%s", (_, columns, gaps) => {
    expect(gapsOf(times, columns, 15)).toEqual(gaps);
  });
});

test("steps, extents and the nearest time", () => {
  expect(stepOf([0, 30, 45, 90])).toBe(15);
  expect(stepOf([7])).toBe(1);
  expect(extentOf([[null, 3, Number.POSITIVE_INFINITY], [-1]])).toEqual({ min: -1, max: 3 });
  expect(extentOf([[null]])).toBeNull();
  expect([-5, 0, 7, 8, 44, 500].map((time) => indexAt([0, 15, 30, 45], time))).toEqual([0, 0, 0, 1, 3, 3]);
});

describe("the value axis", () => {
  test.each([
    ["bytes", 0, 21.3 * 2 ** 30, ["0", "10", "20"]],
    ["percent", 0, 97, ["0", "25", "50", "75", "100"]],
    ["s", 0, 0.94, ["0", "250", "500", "750", "1,000"]],
    ["percentunit", 0.1, 0.6, ["0", "20", "40", "60"]],
    ["none", -120, 118, ["−100", "0", "100"]],
    ["none", 0, 0, ["0", "1"]],
  ])("%s from %d to %d has the ticks %s", (unit, min, max, ticks) => {
    const axis = valueAxis({ extent: { min, max }, unit });
    expect(axis.ticks.map((tick) => tickText(tick, axis, unit))).toEqual(ticks);
    expect(axis.min).toBeLessThanOrEqual(min);
    expect(axis.max).toBeGreaterThanOrEqual(max);
  });

  test("zero can be left out, and the ends can be given", () => {
    expect(valueAxis({ extent: { min: 61.2, max: 61.9 }, unit: "celsius", zero: false }).min).toBeGreaterThan(
      60,
    );
    expect(valueAxis({ extent: { min: 3, max: 8 }, unit: "percent", min: 0, max: 100 })).toMatchObject({
      min: 0,
      max: 100,
    });
  });

  test("a log axis has decades", () => {
    const axis = valueAxis({ extent: { min: 0.0002, max: 3 }, unit: "s", log: true });
    expect(axis.ticks.map((tick) => plain(tickText(tick, axis, "s")))).toEqual([
      "100 µs",
      "1 ms",
      "10 ms",
      "100 ms",
      "1 s",
      "10 s",
    ]);
  });

  test("every extent has some ticks, within its ends", () => {
    for (let power = -9; power < 16; power += 1)
      for (const factor of [1, 1.3, 2.7, 4.9, 9.99]) {
        const axis = valueAxis({ extent: { min: 0, max: factor * 10 ** power }, unit: "none" });
        expect(axis.ticks.length).toBeGreaterThanOrEqual(2);
        expect(axis.ticks.length).toBeLessThanOrEqual(6);
        for (const tick of axis.ticks) {
          expect(tick).toBeGreaterThanOrEqual(axis.min);
          expect(tick).toBeLessThanOrEqual(axis.max * (1 + 1e-9));
        }
      }
    expect(roundStep(0)).toBe(1);
  });
});

describe("colours", () => {
  test("a name has its colour wherever it is", () => {
    const alone = assignColours([{ label: "db-1" }]);
    expect(alone).toEqual([slotOf("db-1")]);
    expect(assignColours([{ label: "app-1", colour: "#123456" }, { label: "db-1" }])[1]).toBe(slotOf("db-1"));
  });

  test("ten names have ten colours, whatever their order", () => {
    const names = Array.from({ length: 10 }, (_, at) => ({ label: `disk ${at}` }));
    const colours = assignColours(names);
    expect(new Set(colours).size).toBe(10);
    expect(assignColours(names.toReversed())).toEqual(colours.toReversed());
  });
});

describe("words", () => {
  test("one series is a sentence about its change", () => {
    const text = describeChart([series("p95", 0.18, 0.94, 0.9)], [noon, noon + 15, noon + 30], "s", "utc");
    expect(plain(text)).toBe("p95 rose from 180 ms to 900 ms, highest 940 ms at 10:00:15.");
  });

  test("many series name the highest", () => {
    const text = describeChart([series("a", 1, 2), series("b", 9, null)], [noon, noon + 15], "none", "utc");
    expect(plain(text)).toBe("2 series from 10:00:00 to 10:00:15; highest 9 at 10:00:00, b.");
  });

  test("no data is said", () => {
    expect(describeChart([series("a", null)], [noon], "none", "utc")).toBe("No data.");
  });

  test("a tooltip lists the highest first and counts the rest", () => {
    const { rows, more } = rowsAt([series("a", 1), series("b", 3), series("c", null), series("d", 2)], 0, 2);
    expect(rows.map((row) => row.series.label)).toEqual(["b", "d"]);
    expect(more).toBe(1);
    expect(
      byValue([series("x", 1, null), series("y", null, 5), series("z", null)], (one) =>
        lastValue(one.values),
      ).map((s) => s.label),
    ).toEqual(["y", "x", "z"]);
  });
});
