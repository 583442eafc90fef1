import { expect, test } from "vitest";
import { clamped, isWhole, moved, wholeWindow, zoomed } from "./window";

test("closer around a point, which keeps its place", () => {
  expect(zoomed({ fromNs: 0, toNs: 1000 }, 0.5, 250, 1000)).toEqual({ fromNs: 125, toNs: 625 });
  expect(zoomed({ fromNs: 0, toNs: 1000 }, 0.5, 1000, 1000)).toEqual({ fromNs: 500, toNs: 1000 });
});

test("out again, never beyond the trace", () => {
  expect(zoomed({ fromNs: 125, toNs: 625 }, 4, 125, 1000)).toEqual({ fromNs: 0, toNs: 1000 });
  expect(isWhole(zoomed({ fromNs: 400, toNs: 500 }, 100, 450, 1000), 1000)).toBe(true);
});

test("moved as far as there is something", () => {
  expect(moved({ fromNs: 100, toNs: 300 }, 50, 1000)).toEqual({ fromNs: 150, toNs: 350 });
  expect(moved({ fromNs: 100, toNs: 300 }, -500, 1000)).toEqual({ fromNs: 0, toNs: 200 });
  expect(moved({ fromNs: 100, toNs: 300 }, 5000, 1000)).toEqual({ fromNs: 800, toNs: 1000 });
});

test("never closer than can be told apart, and a trace of no time has a window", () => {
  const { fromNs, toNs } = zoomed({ fromNs: 0, toNs: 1000 }, 1e-9, 500, 1000);
  expect(toNs - fromNs).toBe(100);
  expect(wholeWindow(0)).toEqual({ fromNs: 0, toNs: 100 });
  expect(clamped({ fromNs: 900, toNs: 100 }, 1000)).toEqual({ fromNs: 900, toNs: 1000 });
});
