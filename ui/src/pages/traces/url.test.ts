import { expect, test } from "vitest";
import { decodeTraceView, encodeTraceView } from "./trace/url";
import { decodeTracesView, encodeTracesView, plainView } from "./url";

test("the search survives its address, nonsense is the plain view", () => {
  const view = {
    ...plainView,
    query: "service:checkout duration>500ms",
    range: { from: "now-3h", to: "now" },
    order: "slowest" as const,
    limit: 200,
    zone: "local" as const,
    refreshS: 10,
  };
  expect(decodeTracesView(encodeTracesView(view) as Record<string, unknown>)).toEqual(view);
  const odd = { query: 7, from: "yesterday-ish", order: "loudest", limit: "7" };
  expect(encodeTracesView(decodeTracesView(odd))).toEqual({});
});

test("start and end are taken as the bounds", () => {
  const range = { from: "2026-11-25T10:00:00Z", to: "2026-11-25T10:05:00Z" };
  expect(decodeTracesView({ start: range.from, end: range.to }).range).toEqual(range);
  expect(decodeTracesView({ start: "now-3h" }).range).toEqual({ from: "now-3h", to: "now" });
});

test("a trace survives its address, nonsense is the plain view", () => {
  const view = {
    tab: "table" as const,
    span: "9d1c07aa52e0b7f3",
    show: "events" as const,
    zoom: { fromNs: 1000, toNs: 5_000_000 },
    pathOnly: true,
    find: "select products",
    sort: "self" as const,
    reverse: true,
    frame: "00f067aa0ba902b7",
    zone: "local" as const,
  };
  expect(decodeTraceView(encodeTraceView(view) as Record<string, unknown>)).toEqual(view);
  const odd = { tab: "sky", span: "xyz", zoom: "9-3", show: 1, sort: "colour", frame: "1", path: "yes" };
  expect(encodeTraceView(decodeTraceView(odd))).toEqual({});
});
