import { describe, expect, test } from "vitest";
import { valueAxis } from "./axis";
import { answersInValues, type Exemplar, exemplarsOf, mayHaveExemplars, placeExemplars } from "./exemplars";

test("exemplars have a trace; others are nothing to open", () => {
  const point = (labels: Record<string, string>, value = 1) => ({
    series: { operation: "GET /a" },
    labels,
    value,
    timeS: 10,
  });
  const found = exemplarsOf(
    [
      point({ trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", span_id: "00f067aa0ba902b7" }),
      point({ traceID: "abc" }),
      point({ trace_id: "../../admin" }),
      point({ user: "7" }),
      point({ trace_id: "ab" }, Number.NaN),
    ],
    true,
  );
  expect(found.map(({ traceId, spanId, text, value }) => [traceId, spanId, text, value])).toEqual([
    ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "GET /a", 1],
    ["abc", null, "GET /a", 1],
  ]);
});

test.each([
  ["histogram_quantile(0.95, sum by (le) (rate(http_seconds_bucket[5m])))", true, true],
  ["histogram_quantile(0.95, sum(rate(x[5m])))", true, true],
  ["1000 * histogram_quantile(0.95, sum(rate(x_bucket[5m])))", true, false],
  ["histogram_quantile(0.9, sum(rate(x_bucket[5m]))) * 1000", true, false],
  ["rate(http_server_request_duration_seconds_count[5m])", false, false],
  ["sum(rate(http_request_duration_seconds[5m]))", true, false],
  ["up", false, false],
  ["rate(node_cpu_total[5m])", false, false],
])("%s: asked %s, on the axis %s", (query, asked, onAxis) => {
  expect(mayHaveExemplars(query)).toBe(asked);
  expect(answersInValues(query)).toBe(onAxis);
});

describe("places", () => {
  const box = { left: 40, top: 8, width: 900, height: 100 };
  const axis = valueAxis({ extent: { min: 0, max: 1 }, unit: "s" });
  const at = (time: number, value: number | null): Exemplar => ({
    time,
    value,
    traceId: `${time} ${value}`,
    spanId: null,
    text: "",
  });

  test("by time and value; too high ones at the top, those of another kind on the base line", () => {
    const placed = placeExemplars([at(0, 0), at(50, 0.5), at(100, 9), at(25, null)], box, [0, 100], axis);
    const rows = placed.map(({ exemplar, left, top }) => [exemplar.time, left, Math.round(top)]);
    const half = Math.round(8 + 100 * (1 - 0.5 / axis.max));
    expect(rows).toEqual([
      [0, 40, 108],
      [25, 265, 108],
      [50, 490, half],
      [100, 940, 8],
    ]);
  });

  test("of those side by side the highest", () => {
    const many = Array.from({ length: 5000 }, (_, index) => at(index / 50, (index % 100) / 100));
    const placed = placeExemplars(many, box, [0, 100], axis);
    expect(placed.length).toBeLessThanOrEqual(52);
    const gaps = placed.slice(1).map(({ left }, index) => left - (placed[index]?.left ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(12);
    // Between two peaks nothing fits; before the first and behind the last something lower does.
    const inner = placed.slice(1, -1).map(({ exemplar }) => exemplar.value ?? 0);
    expect(inner.length).toBeGreaterThanOrEqual(48);
    expect(Math.min(...inner)).toBeGreaterThan(0.95);
  });

  test("outside of the time there are none", () => {
    expect(placeExemplars([at(-1, 1), at(101, 1)], box, [0, 100], axis)).toEqual([]);
    expect(placeExemplars([at(1, 1)], { ...box, width: 0 }, [0, 100], axis)).toEqual([]);
  });

  test("on a log axis by its powers", () => {
    const log = valueAxis({ extent: { min: 0.01, max: 1 }, unit: "s", log: true });
    const [placed] = placeExemplars([at(50, 0.1)], box, [0, 100], log);
    expect(placed?.top).toBeCloseTo(8 + 50);
  });
});
