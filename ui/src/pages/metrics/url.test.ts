import { expect, test } from "vitest";
import { decodeMetricsView, encodeMetricsView, type MetricsView, plainView } from "./url";

const full: MetricsView = {
  queries: [
    { text: "up", legend: "", hidden: true },
    { text: 'rate(cpu{mode="user"}[5m])', legend: "{{host_name}}", hidden: false },
  ],
  range: { from: "now-3h", to: "now" },
  zone: "local",
  refreshS: 30,
  tab: "table",
  stack: true,
  metric: "cpu",
  browser: false,
};

test.each([
  ["the plain view", plainView],
  ["everything", full],
  ["one query", { ...plainView, queries: [{ text: "up", legend: "", hidden: false }] }],
])("%s survives the address", (_, view) => {
  expect(decodeMetricsView(encodeMetricsView(view) as Record<string, unknown>)).toEqual(view);
});

test("the plain view has a plain address", () => {
  expect(encodeMetricsView(plainView)).toEqual({});
});

test("one q is a query too, and nonsense is the plain view", () => {
  expect(decodeMetricsView({ q: "up" }).queries).toEqual([{ text: "up", legend: "", hidden: false }]);
  expect(
    decodeMetricsView({
      q: 7,
      from: "whenever",
      zone: "mars",
      refresh: "often",
      tab: "chairs",
      hide: "x",
      browser: "2",
    }),
  ).toEqual(plainView);
  expect(decodeMetricsView({ q: Array.from({ length: 50 }, () => "up") }).queries).toHaveLength(10);
});
