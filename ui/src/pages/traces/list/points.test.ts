import { expect, test } from "vitest";
import type { TracePoint } from "../../../api/traces";
import { durationAxis, nearestPoint, placePoints } from "./points";

const point = (ms: number, at = 0): TracePoint => ({
  trace_id: String(ms),
  start: new Date(1_000_000 + at).toISOString(),
  duration_ns: ms * 1e6,
  error: false,
  service: "a",
  name: "b",
});
const area = { left: 50, top: 10, width: 100, height: 90 };

test.each<[number[], number[]]>([
  [
    [700, 1400],
    [500, 1000, 2000],
  ],
  [
    [12, 1400],
    [10, 100, 1000],
  ],
  [
    [1, 60_000],
    [1, 10, 100, 1000, 10_000, 100_000],
  ],
  [[100], [100, 200]],
])("an axis for %j ms", (durations, ticks) => {
  expect(durationAxis(durations.map((ms) => point(ms))).ticks.map((ns) => Math.round(ns / 1e6))).toEqual(
    ticks,
  );
});

test("no points, and points of no time, have an axis", () => {
  expect(durationAxis([]).ticks.length).toBeGreaterThan(1);
  const { minNs, maxNs } = durationAxis([point(0)]);
  expect(maxNs).toBeGreaterThan(minNs);
});

test("a power of ten is a step up, time goes to the right", () => {
  const points = [point(10, 0), point(100, 500), point(1000, 1000)];
  const places = placePoints(points, { startMs: 1_000_000, endMs: 1_001_000 }, durationAxis(points), area);
  expect(places).toEqual([
    { x: 50, y: 100 },
    { x: 100, y: 55 },
    { x: 150, y: 10 },
  ]);
  expect(nearestPoint(places, 104, 52, 10)).toBe(1);
  expect(nearestPoint(places, 75, 75, 10)).toBe(-1);
});
