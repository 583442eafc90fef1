import { expect, test } from "vitest";
import { formatClockMs, formatDuration, formatMoment, formatSpan, needsDays } from "./format";
import { instantOf, nanosOf } from "./nanos";
import { zoneLabel } from "./zone";

const now = Date.parse("2026-11-25T10:17:40.912Z");

test("clocks and moments", () => {
  expect(formatClockMs(now, "utc")).toBe("10:17:40.912");
  expect(formatMoment(now, "utc")).toBe("2026-11-25 10:17:40");
  expect(zoneLabel("utc", now)).toBe("UTC");
});

test.each([
  [3_600_000, 0, "09:17:40 – 10:17:40"],
  [86_400_000, 0, "2026-11-24 10:17:40 – 2026-11-25 10:17:40"],
  [90_000_000, 86_400_000, "2026-11-24 09:17:40 – 10:17:40"],
])("span from %d to %d ago", (from, to, text) => {
  expect(formatSpan({ startMs: now - from, endMs: now - to }, "utc", now)).toBe(text);
});

test.each([
  [250, "250 ms"],
  [30_000, "30 s"],
  [72_000, "1 min 12 s"],
  [10_800_000, "3 h"],
  [93_600_000, "1 d 2 h"],
])("duration of %d", (ms, text) => {
  expect(formatDuration(ms)).toBe(text.replace(/(\d) /g, "$1\u00a0"));
});

test("days are shown when a span passes midnight", () => {
  expect(needsDays({ startMs: now - 3_600_000, endMs: now }, "utc")).toBe(false);
  expect(needsDays({ startMs: now - 43_200_000, endMs: now }, "utc")).toBe(true);
});

test("nanoseconds survive", () => {
  const instant = "2026-11-25T10:17:39.912345678Z";
  const nanos = nanosOf(instant);
  expect(nanos).toBe(1_795_601_859_912_345_678n);
  expect(nanos && instantOf(nanos + 1n)).toBe("2026-11-25T10:17:39.912345679Z");
  expect(nanosOf("2026-11-25T12:17:39.5+02:00")).toBe(1_795_601_859_500_000_000n);
  expect(nanosOf("yesterday")).toBeNull();
  expect(instantOf(-1n)).toBe("1969-12-31T23:59:59.999999999Z");
});
