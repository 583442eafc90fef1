import { expect, test } from "vitest";
import type { HistogramAnswer } from "../../api/logs";
import {
  bucketsSpan,
  countsBySeverity,
  describeBucket,
  describeHistogram,
  draggedSpan,
  layoutBars,
  movedCursor,
  withSeverities,
} from "./histogram";

const answer: HistogramAnswer = {
  start: "2026-11-25T10:00:00Z",
  bucket_ms: 30_000,
  buckets: 4,
  series: [
    { severity: "info", counts: [10, 0, 5, 5] },
    { severity: "error", counts: [0, 0, 1, 15] },
  ],
  matched: 36,
  partial: false,
  warnings: [],
  took_ms: 1,
};
const area = { left: 40, top: 0, width: 400, height: 100 };

test("bars stack from the base line, the worst on top, and none is thinner than a pixel", () => {
  const bars = layoutBars(answer, area, 1000);
  expect(bars.map((bar) => bar.severity)).toEqual(["info", "info", "error", "info", "error"]);
  expect(Math.min(...bars.map((bar) => bar.height))).toBe(1);
  const [info, error] = layoutBars(answer, area, 20).slice(-2);
  expect(info?.y).toBe(75);
  expect(error && error.y + error.height).toBe(75);
});

test("a drag selects whole bars, in either direction and past the edges", () => {
  const from = Date.parse(answer.start);
  expect(draggedSpan(answer, area, 150, 290)).toEqual({ startMs: from + 30_000, endMs: from + 90_000 });
  expect(draggedSpan(answer, area, 290, 150)).toEqual({ startMs: from + 30_000, endMs: from + 90_000 });
  expect(draggedSpan(answer, area, -50, 9999)).toEqual({ startMs: from, endMs: from + 120_000 });
});

test("totals, worst first", () => {
  expect(countsBySeverity(answer)).toEqual([
    ["error", 16],
    ["info", 20],
  ]);
  expect(countsBySeverity(withSeverities(answer, ["error"]))).toEqual([["error", 16]]);
});

test("the sentence names the totals and the peak", () => {
  expect(describeHistogram(answer, "utc").replaceAll("\u00a0", " ")).toBe(
    "36 records (16 error, 20 info), most in the 30 s from 10:01:30: 20.",
  );
  expect(describeHistogram({ ...answer, series: [] }, "utc")).toBe("No records in this time range.");
});

test("the bucket cursor stays between the first and the last bar", () => {
  expect(movedCursor("ArrowLeft", 0, 4)).toBe(0);
  expect(movedCursor("ArrowRight", 2, 4)).toBe(3);
  expect(movedCursor("PageDown", 0, 4)).toBe(3);
  expect(movedCursor("Home", 3, 4)).toBe(0);
  expect(movedCursor("End", 0, 4)).toBe(3);
  expect(movedCursor("j", 1, 4)).toBe(null);
});

test("a selection of buckets has whole bars, in either direction", () => {
  const span = { startMs: Date.parse("2026-11-25T10:00:30Z"), endMs: Date.parse("2026-11-25T10:02:00Z") };
  expect(bucketsSpan(answer, 1, 3)).toEqual(span);
  expect(bucketsSpan(answer, 3, 1)).toEqual(span);
});

test("a bucket in words", () => {
  expect(describeBucket(answer, 2, "utc")).toBe("10:01:00, 6 records: 1 error, 5 info");
  expect(describeBucket(answer, 1, "utc")).toBe("10:00:30, no records");
});
