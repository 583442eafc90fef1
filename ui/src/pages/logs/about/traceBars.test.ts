import { expect, test } from "vitest";
import type { TraceView } from "../../../lib/trace/view";
import { placeIn, traceBars } from "./traceBars";

const view = {
  start: "2026-11-25T10:00:00.000Z",
  durationNs: 1000e6,
  services: ["shop", "catalog", "db"],
  spans: {
    count: 4,
    service: Int32Array.of(0, 1, 2, 2),
    startNs: Float64Array.of(0, 100e6, 200e6, 600e6),
    durationNs: Float64Array.of(1000e6, 800e6, 100e6, 200e6),
  },
  pathByService: [
    { service: "catalog", ns: 500e6 },
    { service: "db", ns: 300e6 },
    { service: "shop", ns: 200e6 },
  ],
} as unknown as TraceView;

test("one bar for each service, from its first span to the end of its last", () => {
  const bars = traceBars(view, 5).map(({ service, from, width }) => [service, from, width]);
  expect(bars).toEqual([
    ["shop", 0, 1],
    ["catalog", 0.1, 0.8],
    ["db", 0.2, expect.closeTo(0.6)],
  ]);
});

test("of more than there is room for those that the trace waited for longest", () => {
  expect(traceBars(view, 2).map(({ service }) => service)).toEqual(["catalog", "db"]);
});

test.each([
  ["2026-11-25T10:00:00.250Z", 0.25],
  ["2026-11-25T09:59:59.999Z", null],
  ["2026-11-25T10:00:01.001Z", null],
])("the record of %s", (time, place) => {
  expect(placeIn(view, time)).toBe(place);
});
