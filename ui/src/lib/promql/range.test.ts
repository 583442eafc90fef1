import { describe, expect, test } from "vitest";
import type { RangeAnswer } from "../../api/prometheus";
import { type Grid, gridOf, gridTimes, onGrid, rateInterval, stepFor } from "./range";
import { RangeCache } from "./rangeCache";

test.each([
  [300_000, 1200, 15],
  [3_600_000, 1200, 15],
  [10_800_000, 1200, 15],
  [86_400_000, 1200, 120],
  [86_400_000, 300, 300],
  [7 * 86_400_000, 1200, 600],
  [20 * 365 * 86_400_000, 10, 105 * 604_800],
])("%d ms on %d px have a step of %d s", (spanMs, widthPx, stepS) => {
  expect(stepFor(spanMs, widthPx)).toBe(stepS);
});

test("the interval of rates covers four scrapes", () => {
  expect(rateInterval(15)).toBe(60);
  expect(rateInterval(300)).toBe(315);
});

test("a grid lies on multiples of its step, within the span", () => {
  const grid = gridOf({ startMs: 1_000_007_000, endMs: 1_000_067_000 }, 15);
  expect(grid).toEqual({ startS: 1_000_020, endS: 1_000_065, stepS: 15 });
  expect(gridTimes(grid)).toEqual([1_000_020, 1_000_035, 1_000_050, 1_000_065]);
  expect(gridOf({ startMs: 1000, endMs: 2000 }, 60)).toEqual({ startS: 60, endS: 60, stepS: 60 });
});

test("a series on a grid has null where it has nothing to draw", () => {
  const points = { times: [0, 30, 45, 60, 90], values: [1, Number.NaN, 3, Number.POSITIVE_INFINITY, 9] };
  expect(onGrid(points, { startS: 0, endS: 60, stepS: 15 })).toEqual([1, null, null, 3, null]);
});

describe("a refresh", () => {
  /** A server whose values are known for every instant; `from` says since when a series is there. */
  function server(value: (time: number) => number, series: Record<string, number> = { a: 0 }) {
    const asked: Grid[] = [];
    const fetch = async (grid: Grid): Promise<RangeAnswer> => {
      asked.push(grid);
      const times = gridTimes(grid);
      return {
        warnings: [],
        infos: [],
        series: Object.entries(series)
          .map(([host, from]) => ({ host, times: times.filter((time) => time >= from) }))
          .filter((one) => one.times.length > 0)
          .map((one) => ({
            labels: { host: one.host },
            times: one.times,
            values: one.times.map(value),
            histograms: false,
          })),
      };
    };
    return { asked, fetch };
  }
  const grid = (startS: number, endS: number): Grid => ({ startS, endS, stepS: 15 });

  test("asks for the tail only, and answers as if for everything", async () => {
    const { asked, fetch } = server((time) => time * 2, { a: 0, b: 3600 });
    const cache = new RangeCache();
    await cache.answer("up", grid(0, 3600), 0, fetch);
    const answer = await cache.answer("up", grid(60, 3660), 60_000, fetch);
    expect(asked[1]).toEqual(grid(3555, 3660));
    expect(answer).toEqual(await server((time) => time * 2, { a: 0, b: 3600 }).fetch(grid(60, 3660)));
  });

  test("sees what came late within a minute", async () => {
    let late = 0;
    const { fetch } = server((time) => (time >= 3555 ? late : 1));
    const cache = new RangeCache();
    await cache.answer("up", grid(0, 3600), 0, fetch);
    late = 7;
    const answer = await cache.answer("up", grid(15, 3615), 15_000, fetch);
    expect(answer.series[0]?.values.slice(-5)).toEqual([7, 7, 7, 7, 7]);
  });

  test.each([
    ["an earlier start", grid(-60, 3600), 60_000],
    ["another place", grid(9000, 12_600), 60_000],
    ["an earlier end", grid(60, 3000), 60_000],
    ["an old answer", grid(60, 3660), 600_000],
  ])("%s is asked for as a whole", async (_, next, nowMs) => {
    const { asked, fetch } = server(() => 1);
    const cache = new RangeCache();
    await cache.answer("up", grid(0, 3600), 0, fetch);
    await cache.answer("up", next, nowMs, fetch);
    expect(asked[1]).toEqual(next);
  });

  test("does not build on a partial answer", async () => {
    const { asked, fetch } = server(() => 1);
    const cache = new RangeCache();
    await cache.answer("up", grid(0, 3600), 0, async (whole) => ({
      ...(await fetch(whole)),
      warnings: ["1 file is damaged"],
    }));
    await cache.answer("up", grid(60, 3660), 60_000, fetch);
    expect(asked[1]).toEqual(grid(60, 3660));
  });

  test("forgets a series that has left the range", async () => {
    const cache = new RangeCache();
    const gone = server(() => 1, { a: 0 });
    await cache.answer("up", grid(0, 300), 0, gone.fetch);
    const answer = await cache.answer("up", grid(255, 555), 60_000, server(() => 1, {}).fetch);
    expect(answer.series).toEqual([]);
  });

  test("another query or step has its own answer", async () => {
    const { asked, fetch } = server(() => 1);
    const cache = new RangeCache();
    await cache.answer("up", grid(0, 3600), 0, fetch);
    await cache.answer("down", grid(60, 3660), 0, fetch);
    expect(asked[1]).toEqual(grid(60, 3660));
  });
});
