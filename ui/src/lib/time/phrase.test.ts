import { expect, test } from "vitest";
import { parseMomentText, parseRangePhrase } from "./phrase";

const now = Date.parse("2026-11-25T10:17:40Z");
const day = "2026-11-25T";

function check(phrase: string, expected: [from: string, to: string] | null): void {
  const range = parseRangePhrase(phrase, now, "utc");
  expect(range && [range.from, range.to]).toEqual(expected);
}

test.each<[string, [string, string]]>([
  ["3h", ["now-3h", "now"]],
  ["15 min", ["now-15m", "now"]],
  ["last 2 days", ["now-2d", "now"]],
  ["past hour", ["now-1h", "now"]],
  ["90 minutes ago", ["now-90m", "now"]],
  ["LAST 3H", ["now-3h", "now"]],
])("relative: %s", check);

test.each<[string, [string, string]]>([
  ["today", [`${day}00:00:00.000Z`, "2026-11-26T00:00:00.000Z"]],
  ["yesterday", ["2026-11-24T00:00:00.000Z", `${day}00:00:00.000Z`]],
  ["yesterday 14:00", ["2026-11-24T14:00:00.000Z", "2026-11-24T15:00:00.000Z"]],
  ["yesterday at 14:00 to 14:30", ["2026-11-24T14:00:00.000Z", "2026-11-24T14:30:00.000Z"]],
  ["10:03", [`${day}10:03:00.000Z`, `${day}11:03:00.000Z`]],
  ["10:00-10:30", [`${day}10:00:00.000Z`, `${day}10:30:00.000Z`]],
  ["10:00 - 10:30:15", [`${day}10:00:00.000Z`, `${day}10:30:15.000Z`]],
  ["10:00 to now", [`${day}10:00:00.000Z`, "now"]],
  ["2026-11-20", ["2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z"]],
  ["2026-11-20 to 2026-11-22", ["2026-11-20T00:00:00.000Z", "2026-11-23T00:00:00.000Z"]],
  ["2026-11-20 08:00 – 2026-11-21 09:00", ["2026-11-20T08:00:00.000Z", "2026-11-21T09:00:00.000Z"]],
  ["2026-11-25T10:17:39.912345678Z", [`${day}10:17:39.912Z`, `${day}11:17:39.912Z`]],
])("absolute: %s", check);

test.each<[string, null]>([
  ["", null],
  ["0h", null],
  ["soon", null],
  ["25:00", null],
  ["10:75", null],
  ["2026-02-30", null],
  ["11:00 to 10:00", null],
  ["10:00 to 11:00 to 12:00", null],
  ["yesterday maybe", null],
])("refused: %s", check);

test("local phrases use the browser's zone", () => {
  const range = parseRangePhrase("2026-11-20 08:00", now, "local");
  expect(range?.from).toBe(new Date(2026, 10, 20, 8).toISOString());
});

test("one end of a range", () => {
  expect(parseMomentText("2026-11-25 10:17:40", now, "utc")).toBe(now);
  expect(parseMomentText("now", now, "utc")).toBe(now);
  expect(parseMomentText("3 o'clock", now, "utc")).toBeNull();
});
