import { expect, test } from "vitest";
import { decodeLogsView, encodeLogsView, type LogsView, plainView } from "./url";

const plain: LogsView = plainView;

test("the plain view has no parameters", () => {
  expect(encodeLogsView(plain)).toEqual({});
  expect(decodeLogsView({})).toEqual(plain);
});

test.each<Partial<LogsView>>([
  { query: 'service:checkout "a & b" | top 10 x' },
  { range: { from: "now-15m", to: "now" } },
  { range: { from: "2026-11-25T10:00:00.000Z", to: "2026-11-25T10:30:00.000Z" } },
  { order: "oldest" },
  { zone: "local" },
  { refreshS: 10 },
  {
    columns: [
      { field: "http.route", widthPx: 160 },
      { field: "body", widthPx: null },
    ],
    wrap: true,
  },
  { record: { id: "0-2a00003", time: "2026-11-25T10:17:39.912345678Z" } },
  { tab: "patterns" },
  { patterns: { sort: "severity", onlyNew: true, open: "9f00000000000abc" } },
  { live: true },
])("round trip of %j", (change) => {
  const view = { ...plain, ...change };
  const params = Object.fromEntries(new URLSearchParams(Object.entries(encodeLogsView(view))));
  expect(decodeLogsView(params)).toEqual(view);
});

test.each([
  { from: "last tuesday", to: "now" },
  { from: "now", to: "now-1h" },
  { from: "now-1h", to: "now", order: "sideways", zone: "mars", refresh: "often" },
  { record: "0-1", at: "some time" },
  { record: "0-1" },
  { query: 5 },
  { tab: "graph", sort: "size", new: "yes", pattern: "p_51c", live: "yes" },
])("malformed %j becomes the plain view", (search) => {
  expect(decodeLogsView(search)).toEqual(plain);
});
