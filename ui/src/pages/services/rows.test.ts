import { describe, expect, test } from "vitest";
import { ofOperation, tracesSearch } from "./links";
import { ariaSort, entryOperations, errorLevel, hasWords, type Row, sortRows } from "./rows";
import { redSeries } from "./series";
import { decodeMapView, decodeServicesView, encodeMapView, encodeServicesView } from "./url";
import { errorsText, latencyText, rateText, rateWith } from "./words";

function row(name: string, more: Partial<Row> = {}): Row {
  return { name, rate: 1, errors: 0, p50_ns: 1, p95_ns: 2, p99_ns: 3, operations: 1, ...more };
}

describe("the order", () => {
  const rows = [
    row("quiet", { p95_ns: 5 }),
    row("slow", { p95_ns: 900, rate: 3 }),
    row("a little", { errors: 0.0004, p95_ns: 7 }),
    row("fails", { errors: 0.02, p95_ns: 1, rate: 9 }),
    row("unknown", { p95_ns: null, errors: null, rate: 2 }),
  ];
  const names = (sorted: Row[]) => sorted.map(({ name }) => name);

  test("worst first: by errors that count, then by p95", () => {
    expect(names(sortRows(rows, "worst", false))).toEqual(["fails", "slow", "a little", "quiet", "unknown"]);
  });

  test.each([
    ["rate", false, "fails"],
    ["rate", true, "a little"],
    ["name", false, "a little"],
    ["name", true, "unknown"],
    ["p95", false, "slow"],
    ["errors", false, "fails"],
  ] as const)("by %s, reversed %s: %s", (key, reverse, first) => {
    expect(names(sortRows(rows, key, reverse))[0]).toBe(first);
  });

  test("what is not known is last, either way", () => {
    expect(names(sortRows(rows, "p95", false)).at(-1)).toBe("unknown");
    expect(names(sortRows(rows, "p95", true)).at(-1)).toBe("unknown");
  });

  test("and is said to who cannot see the arrow", () => {
    expect(ariaSort("rate", "rate", false)).toBe("descending");
    expect(ariaSort("name", "name", false)).toBe("ascending");
    expect(ariaSort("rate", "name", false)).toBe("none");
  });
});

test.each([
  [null, null],
  [0, null],
  [0.009, null],
  [0.01, "warn"],
  [0.05, "crit"],
  [1, "crit"],
] as const)("%s of failed calls is %s", (share, level) => {
  expect(errorLevel(share)).toBe(level);
});

test.each([
  [errorsText(0), "0 %"],
  [errorsText(null), "–"],
  [errorsText(0.00004), "< 0.01 %"],
  [errorsText(0.0031), "0.31 %"],
  [errorsText(0.58), "58.0 %"],
  [rateText(412.2), "412"],
  [rateText(0.0002), "< 0.001"],
  [rateText(4480), "4,480"],
  [rateText(11_800), "11.8 k"],
  [rateWith(4480, "database"), "4,480 q/s"],
  [rateWith(376, "messaging"), "376 msg/s"],
  [latencyText(940_000_000), "940 ms"],
  [latencyText(1_040_000_000), "1.04 s"],
  [latencyText(null), "–"],
])("%s", (text, wanted) => {
  expect(text.replaceAll("\u00a0", " ")).toBe(wanted);
});

test("found by every word of the name", () => {
  expect(hasWords("billing-api", "API bill")).toBe(true);
  expect(hasWords("billing-api", "worker")).toBe(false);
  expect(hasWords("billing-api", "  ")).toBe(true);
});

test("a view survives its address, and a malformed one becomes the plain one", () => {
  const plain = decodeServicesView({});
  expect(encodeServicesView(plain)).toEqual({});
  const view = { ...plain, filter: "pay", sort: "rate" as const, reverse: true };
  expect(decodeServicesView(encodeServicesView(view) as Record<string, unknown>)).toEqual(view);
  expect(decodeServicesView({ sort: "colour", filter: ["a"], reverse: "yes" })).toEqual(plain);
  const map = { ...decodeMapView({}), node: "a/b", find: "x", group: "leaves" as const };
  expect(encodeMapView(decodeMapView({}))).toEqual({});
  expect(decodeMapView(encodeMapView(map) as Record<string, unknown>)).toEqual(map);
  expect(decodeMapView({ group: "colour", node: "" })).toEqual(decodeMapView({}));
});

test("what a service takes comes before what it calls; without any, there is only the other", () => {
  const [served, call] = [{ kind: "server" }, { kind: "client" }];
  expect(entryOperations([call, served])).toEqual({ entry: [served], others: [call] });
  expect(entryOperations([call])).toEqual({ entry: [call], others: [] });
});

test("an operation's traces: quoted where it must be, the slowest first", () => {
  const frame = { range: { from: "now-1h", to: "now" }, zone: "utc" as const };
  const search = tracesSearch(ofOperation("shop", 'GET /a "b"', "server"), frame, true);
  expect(search).toEqual({ query: 'service:shop name:"GET /a \\"b\\"" kind:server', order: "slowest" });
});

test("the charts: seconds, in the middle of the steps", () => {
  const red = redSeries(
    {
      start: "2026-11-25T10:00:00Z",
      step_s: 10,
      rate: [1, null],
      errors: [0, null],
      p50_ns: [1e6, null],
      p95_ns: [2e9, null],
      p99_ns: [null, null],
    },
    "red",
  );
  const startS = Date.parse("2026-11-25T10:00:00Z") / 1000;
  expect(red.times).toEqual([startS + 5, startS + 15]);
  expect(red.latency.map(({ label, values }) => [label, values])).toEqual([
    ["p50", [0.001, null]],
    ["p95", [2, null]],
    ["p99", [null, null]],
  ]);
});
