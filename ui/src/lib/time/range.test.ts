import { expect, test } from "vitest";
import { absoluteRange, agoBound, rangeName, resolveBound, resolveRange, shiftRange, zoomOut } from "./range";

const now = Date.parse("2026-11-25T10:17:40Z");
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

test.each([
  ["now", "2026-11-25T10:17:40.000Z"],
  ["now-90m", "2026-11-25T08:47:40.000Z"],
  ["now-7d", "2026-11-18T10:17:40.000Z"],
  ["2026-11-25T10:00:00Z", "2026-11-25T10:00:00.000Z"],
  ["2026-11-25T10:00:00.123456789+02:00", "2026-11-25T08:00:00.123Z"],
  ["yesterday", null],
  ["now-1y", null],
  ["2026-13-45T10:00:00Z", null],
  ["", null],
])("bound %s", (text, instant) => {
  expect(iso(resolveBound(text, now))).toBe(instant);
});

test("a range that ends before it starts has no span", () => {
  expect(resolveRange({ from: "now", to: "now-1h" }, now)).toBeNull();
  expect(resolveRange({ from: "now-1h", to: "now-1h" }, now)).toBeNull();
});

test.each([
  [{ from: "now-1h", to: "now" }, "Last 1 h"],
  [{ from: "now-15m", to: "now" }, "Last 15 min"],
  [{ from: "now-2h", to: "now-1h" }, "Relative"],
  [{ from: "2026-11-25T10:00:00Z", to: "2026-11-25T11:00:00Z" }, "Fixed"],
])("name of %j", (range, name) => {
  expect(rangeName(range)).toBe(name.replace(/(\d) /, "$1\u00a0"));
});

test("zooming out doubles: up to now it reaches back, a fixed range grows on both sides", () => {
  expect(zoomOut({ from: "now-1h", to: "now" }, now)).toEqual({ from: "now-2h", to: "now" });
  const fixed = absoluteRange({ startMs: now - 60_000, endMs: now });
  expect(zoomOut(fixed, now)).toEqual(absoluteRange({ startMs: now - 90_000, endMs: now + 30_000 }));
});

test("shifting moves by half and fixes the range", () => {
  const shifted = shiftRange({ from: "now-1h", to: "now" }, -1, now);
  expect(shifted).toEqual(absoluteRange({ startMs: now - 5_400_000, endMs: now - 1_800_000 }));
});

test.each([
  [7_200_000, "now-2h"],
  [5_400_000, "now-90m"],
  [604_800_000, "now-7d"],
  [45_000, "now-45s"],
  [3_628_800_000, "now-6w"],
])("ago %d", (ms, bound) => {
  expect(agoBound(ms)).toBe(bound);
});
