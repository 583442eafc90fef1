import { describe, expect, test } from "vitest";
import type { Evidence } from "../../api/bottlenecks";
import {
  cardsOf,
  chartOf,
  countedBy,
  familyOf,
  figuresOf,
  hotRange,
  onsetShare,
  rangeOf,
  targetOf,
} from "./evidence";
import { onsetS, storedOf, verdictOf } from "./sample";
import { changeAnnotations, onsetAnnotation, usualBand } from "./symptom";
import { decodeListView, decodeVerdictView, encodeListView, encodeVerdictView, plainVerdict } from "./url";

const found = (family: string, more: Partial<Evidence> = {}): Evidence => ({
  family,
  type: "t",
  text: "",
  baseline: null,
  now: null,
  unit: "count",
  query: null,
  exemplars: [],
  at_s: null,
  ...more,
});

test("one card per family, the strongest first, each with its place", () => {
  const cards = cardsOf([found("host"), found("trace"), found("host"), found("logs")], 2);
  expect(cards.map(({ at, evidence, more }) => [at, evidence.family, more])).toEqual([
    [0, "host", 1],
    [1, "trace", 0],
  ]);
});

test("a family that is new has a name, too", () => {
  expect(familyOf({ family: "service_mesh" }).name).toBe("Service mesh");
});

test.each([
  [{ baseline: 14, now: 704, unit: "ms" }, ["14", "704", "ms"]],
  [{ baseline: 0.2, now: 62, unit: "ms" }, ["0.2", "62", "ms"]],
  [{ baseline: 900, now: 1900, unit: "ms" }, ["0.9", "1.9", "s"]],
  [{ baseline: 0.03, now: 0.58, unit: "share" }, ["3", "58", "%"]],
  [{ baseline: 0, now: 412, unit: "1/s" }, ["0", "412", "per s"]],
  [{ baseline: null, now: 31, unit: "count" }, [null, "31", ""]],
  [{ baseline: 1 << 29, now: 1 << 30, unit: "bytes" }, ["0.5", "1", "GiB"]],
  [{ baseline: 1, now: 2, unit: "connections" }, ["1", "2", "connections"]],
])("%j", (more, [before, now, unit]) => {
  expect(figuresOf(found("host", more), onsetS)).toEqual({ before, now, unit });
});

test("what is next to nothing in the unit of what came of it has its own", () => {
  const more = { baseline: 22.7, now: 70_300, unit: "ms" };
  expect(figuresOf(found("queue", more), onsetS)).toEqual({
    before: "22.7\u00a0ms",
    now: "1.17",
    unit: "min",
  });
});

test("a change is so long before the onset, or after it", () => {
  expect(figuresOf(found("change", { at_s: onsetS - 15 }), onsetS)).toEqual({
    before: null,
    now: "15",
    unit: "s before",
  });
  expect(figuresOf(found("change", { at_s: onsetS + 120 }), onsetS)?.unit).toBe("min after");
  expect(figuresOf(found("logs"), onsetS)).toBeNull();
});

test.each([
  ["rate(up[1m])", { page: "metrics", text: "rate(up[1m])" }],
  ['logs:service:catalog "slow query"', { page: "logs", text: 'service:catalog "slow query"' }],
  ["traces: status:error", { page: "traces", text: "status:error" }],
  ['rate({__name__="logs:x"}[1m])', { page: "metrics", text: 'rate({__name__="logs:x"}[1m])' }],
])("%s", (query, target) => {
  expect(targetOf(query)).toEqual(target);
});

test("the chart of a search counts what it finds, that of a metric has the finding's unit", () => {
  expect(countedBy("logs:service:catalog")).toBe("records in 10 s that match");
  expect(countedBy("traces:service:catalog")).toBe("spans in 10 s that match");
  expect([countedBy("rate(up[1m])"), countedBy(null)]).toEqual([null, null]);
});

describe("the time of links", () => {
  const iso = (s: number) => new Date((onsetS + s) * 1000).toISOString();
  test("of an open verdict up to now, of a closed one a little further than its end", () => {
    const open = storedOf(verdictOf());
    expect(rangeOf(open, (onsetS + 300) * 1000 + 700)).toEqual({ from: iso(-2700), to: iso(300) });
    expect(rangeOf({ ...open, closed_s: onsetS + 600 }, 9e15)).toEqual({ from: iso(-2700), to: iso(900) });
    expect(hotRange(open, (onsetS + 300) * 1000)).toEqual({ from: iso(0), to: iso(300) });
  });
});

describe("charts", () => {
  test("series share their times; what is missing is a gap", () => {
    const chart = chartOf(
      [
        {
          labels: { __name__: "up", host: "a" },
          values: [
            [1, 1],
            [3, 3],
          ],
        },
        {
          labels: { __name__: "up", host: "b" },
          values: [
            [2, 2],
            [3, null],
          ],
        },
        { labels: { host: "a" }, values: [] },
        { labels: {}, values: [] },
        { labels: { host: "a", mode: "user" }, values: [] },
      ],
      10,
    );
    expect(chart.times).toEqual([1, 2, 3]);
    expect(chart.series.map(({ label }) => label)).toEqual(["a", "b", "a (2)", "value", "host=a, mode=user"]);
    expect(chart.series.slice(0, 2).map(({ values }) => values)).toEqual([
      [10, null, 30],
      [null, 20, null],
    ]);
  });

  test("where the onset is", () => {
    expect(onsetShare([0, 10, 20], 5)).toBe(0.25);
    expect([onsetShare([0, 10], 40), onsetShare([], 4), onsetShare([3, 3], 3)]).toEqual([null, null, null]);
  });

  test("the onset is as wide as it is uncertain", () => {
    expect(onsetAnnotation(verdictOf().window)).toMatchObject({
      time: onsetS - 10,
      endTime: onsetS + 10,
      text: "onset ± 10\u00a0s",
      onset: true,
    });
  });

  test("the last change before the onset has its words", () => {
    const changes = [-900, -15, 60].map((by) => ({ at_s: onsetS + by, text: `${by}`, kind: "deploy" }));
    const marks = changeAnnotations(changes, verdictOf().window);
    expect(marks.map(({ important }) => important)).toEqual([false, true, false]);
  });

  test("what is usual: the median and its spread, never below zero", () => {
    expect(usualBand({ median: 100, mad: 5 }, 0.5)).toEqual({ low: 42.5, high: 57.5 });
    expect(usualBand({ median: 1, mad: 5 }, 1)?.low).toBe(0);
    expect(usualBand(null, 1)).toBeUndefined();
  });
});

describe("addresses", () => {
  test.each([[{}], [{ rev: "2", evidence: "0", zoom: "kept", zone: "local", refresh: "off" }]])(
    "a verdict's %j comes back as it was",
    (search) => {
      expect(encodeVerdictView(decodeVerdictView(search))).toEqual(search);
    },
  );
  test("what is malformed is its default", () => {
    expect(decodeVerdictView({ rev: "0", evidence: "-1", zoom: "x" })).toEqual(plainVerdict);
  });
  test.each([[{}], [{ filter: "db", state: "closed" }]])("the list's %j comes back", (search) => {
    expect(encodeListView(decodeListView(search))).toEqual(search);
  });
  test("an unknown state is all", () => {
    expect(decodeListView({ state: "quiet" }).state).toBe("all");
  });
});
