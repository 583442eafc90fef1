import { expect, test } from "vitest";
import { timeTicks, valueTicks } from "./scale";

test.each([
  [0, [0]],
  [1, [0, 1]],
  [7, [0, 5]],
  [69, [0, 25, 50]],
  [100, [0, 50, 100]],
  [2400, [0, 1000, 2000]],
])("value ticks up to %d", (max, ticks) => {
  expect(valueTicks(max)).toEqual(ticks);
});

test("time ticks are round and inside", () => {
  const start = Date.parse("2026-11-25T09:17:40Z");
  const { ticks, stepMs } = timeTicks(start, start + 3_600_000, 4, "utc");
  expect(stepMs).toBe(900_000);
  expect(ticks.map((ms) => new Date(ms).toISOString().slice(11, 16))).toEqual([
    "09:30",
    "09:45",
    "10:00",
    "10:15",
  ]);
});

test("day ticks fall on midnight", () => {
  const start = Date.parse("2026-11-20T09:17:40Z");
  const { ticks } = timeTicks(start, start + 4 * 86_400_000, 4, "utc");
  expect(ticks.map((ms) => new Date(ms).toISOString())).toEqual([
    "2026-11-21T00:00:00.000Z",
    "2026-11-22T00:00:00.000Z",
    "2026-11-23T00:00:00.000Z",
    "2026-11-24T00:00:00.000Z",
  ]);
});
