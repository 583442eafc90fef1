import { describe, expect, test } from "vitest";
import { styleOf } from "./fields";
import { placeSections } from "./layout";
import type { Panel } from "./model";
import { readDashboard } from "./read";
import { tableOf } from "./tables";
import { reduceValues, shownValue } from "./values";

const panels = (...list: object[]) => readDashboard({ title: "x", panels: list });
const first = (dashboard: ReturnType<typeof readDashboard>): Panel => {
  const panel = dashboard.sections[0]?.panels[0];
  if (!panel) throw new Error("there is no panel");
  return panel;
};

describe("wrappings", () => {
  const bare = { title: "T", uid: "u", panels: [] };
  test.each([
    ["bare", bare],
    ["exported", { dashboard: bare, meta: {} }],
    [
      "the V1 resource",
      {
        apiVersion: "dashboard.grafana.app/v1beta1",
        metadata: { name: "u" },
        spec: { title: "T", panels: [] },
      },
    ],
  ])("%s", (_, file) => {
    expect(readDashboard(file)).toMatchObject({ title: "T", uid: "u" });
  });
  test.each([
    [[], "a JSON object"],
    [{ a: 1 }, "neither a title nor a panel"],
    [{ apiVersion: "dashboard.grafana.app/v2alpha1", spec: { elements: {} } }, "V2 schema"],
  ])("%j is refused", (file, message) => {
    expect(() => readDashboard(file)).toThrow(message);
  });
});

test("a graph of old is a timeseries", () => {
  const panel = first(
    panels({
      type: "graph",
      title: "g",
      stack: true,
      fill: 2,
      yaxes: [{ format: "Bps", min: "0", logBase: 10 }],
      aliasColors: { in: "#7EB26D" },
      seriesOverrides: [{ alias: "/out/", transform: "negative-Y" }],
      targets: [{ expr: "rate(x[5m])", legendFormat: "{{dir}}" }],
    }),
  );
  expect(panel).toMatchObject({ kind: "timeseries", type: "graph" });
  expect(panel.field).toMatchObject({ unit: "Bps", min: 0, stack: true, fill: 0.2, log: true });
  const style = (name: string) => styleOf(panel.field, panel.overrides, { name, refId: "A", type: "number" });
  expect([style("in").fixedColour, style("out 1").negative, style("in").negative]).toEqual([
    "#7EB26D",
    true,
    false,
  ]);
});

test("a single number of old is a stat or a gauge", () => {
  const source = {
    type: "singlestat",
    format: "percent",
    valueName: "avg",
    thresholds: "50,80",
    colors: ["#299c46", "rgba(237, 129, 40, 0.89)", "#d44a3a"],
    colorValue: true,
    postfix: " used",
    title: "s",
  };
  const read = panels(source);
  const stat = first(read);
  expect(stat).toMatchObject({ kind: "stat", calc: "mean" });
  expect([10, 60, 90].map((value) => shownValue(value, stat.field).level)).toEqual([null, "warn", "crit"]);
  expect(read.lacking).toEqual([{ panel: "s", what: "the postfix “ used”" }]);
  expect(first(panels({ ...source, gauge: { show: true, maxValue: 100 } }))).toMatchObject({ kind: "gauge" });
});

test("data sources: Prometheus' are ours, whatever they are called; the others are named", () => {
  const read = readDashboard({
    title: "x",
    __inputs: [{ name: "DS_A", type: "datasource", pluginId: "prometheus" }],
    templating: { list: [{ name: "loki", type: "datasource", query: "loki" }] },
    panels: [
      "${DS_A}",
      "$loki",
      { type: "prometheus", uid: "q" },
      { uid: "${DS_A}" },
      null,
      "Elasticsearch main",
    ].map((datasource, at) => ({
      type: "stat",
      id: at + 1,
      title: `p${at}`,
      datasource,
      targets: [{ refId: "A", expr: "up" }],
    })),
  });
  expect(read.sections[0]?.panels.map(({ targets }) => targets[0]?.datasource.kind)).toEqual([
    "prometheus",
    "other",
    "prometheus",
    "prometheus",
    "prometheus",
    "other",
  ]);
  expect(read.lacking.map(({ what }) => what)).toEqual([
    "query A, which asks Loki",
    "query A, which asks Elasticsearch",
  ]);
});

test("rows, folded or not, and rows of the first versions", () => {
  const at = (y: number, more: object) => ({ gridPos: { x: 0, y, w: 12, h: 4 }, ...more });
  const read = panels(
    at(5, { type: "row", id: 5, title: "Folded", collapsed: true, panels: [at(6, { type: "stat", id: 6 })] }),
    at(1, { type: "row", id: 1, title: "Open" }),
    at(0, { type: "stat", id: 9 }),
    at(2, { type: "stat", id: 2 }),
  );
  expect(
    read.sections.map(({ row, panels: inside }) => [row?.title, row?.collapsed, inside.map(({ id }) => id)]),
  ).toEqual([
    [undefined, undefined, [9]],
    ["Open", false, [2]],
    ["Folded", true, [6]],
  ]);
  const old = readDashboard({
    title: "x",
    rows: [
      {
        panels: [
          { type: "graph", span: 6 },
          { type: "graph", span: 8 },
        ],
      },
    ],
  });
  expect(old.sections[0]?.panels.map(({ grid }) => [grid.x, grid.y, grid.w])).toEqual([
    [0, 0, 12],
    [0, 7, 16],
  ]);
});

test("a panel for each value, and what is below moves down", () => {
  const read = panels(
    {
      type: "stat",
      id: 1,
      title: "$host",
      repeat: "host",
      maxPerRow: 2,
      gridPos: { x: 0, y: 0, w: 24, h: 4 },
    },
    { type: "stat", id: 2, title: "below", gridPos: { x: 0, y: 4, w: 24, h: 4 } },
  );
  const scope = new Map([["host", { values: ["a", "b", "c"], many: true, whole: null, text: "All" }]]);
  const [section] = placeSections(read, scope);
  expect(section?.panels.map(({ title, grid: { x, y, w } }) => [title, x, y, w])).toEqual([
    ["a", 0, 0, 12],
    ["b", 12, 0, 12],
    ["c", 0, 4, 12],
    ["below", 0, 8, 24],
  ]);
});

test("panels of a hand-made file do not lie upon each other", () => {
  const gridPos = { x: 0, y: 0, w: 12, h: 4 };
  const [section] = placeSections(panels({ type: "stat", gridPos }, { type: "stat", gridPos }), new Map());
  expect(section?.panels.map(({ grid }) => grid.y)).toEqual([0, 4]);
});

test("a table merges its queries, and organizes the columns", () => {
  const panel = first(
    panels({
      type: "table",
      targets: [
        { refId: "A", expr: "a", format: "table", instant: true },
        { refId: "B", expr: "b", format: "table", instant: true },
      ],
      transformations: [
        { id: "merge" },
        {
          id: "organize",
          options: {
            excludeByName: { Time: true },
            renameByName: { "Value #A": "Used" },
            indexByName: { "Value #A": 0 },
          },
        },
      ],
      fieldConfig: {
        defaults: {},
        overrides: [
          { matcher: { id: "byName", options: "Used" }, properties: [{ id: "unit", value: "bytes" }] },
        ],
      },
    }),
  );
  const series = (mount: string, value: number) => ({
    labels: { mount },
    times: [1],
    values: [value],
    histograms: false,
  });
  const table = tableOf(
    panel,
    panel.targets.map((target, at) => ({ target, series: [series("/", at + 1), series("/b", at + 3)] })),
  );
  expect(table.columns.map(({ name, style }) => [name, style.unit])).toEqual([
    ["Used", "bytes"],
    ["mount", "none"],
    ["Value #B", "none"],
  ]);
  expect(table.rows).toEqual([
    [1, "/", 2],
    [3, "/b", 4],
  ]);
});

test("what is made of values, and how it reads", () => {
  const values = [1, null, 5, 3];
  expect(
    ["lastNotNull", "mean", "max", "min", "sum", "range", "first", "diff"].map((calc) =>
      reduceValues(values, calc),
    ),
  ).toEqual([3, 3, 5, 1, 9, 4, 1, 2]);
  expect(reduceValues([null], "mean")).toBeNull();
  const { field } = first(
    panels({
      type: "stat",
      fieldConfig: {
        defaults: {
          mappings: [
            { type: "value", options: { "1": { text: "up" }, "0": { text: "down", color: "red" } } },
            { type: "special", options: { match: "null", result: { text: "unknown" } } },
          ],
        },
      },
    }),
  );
  expect([1, 0, null].map((value) => shownValue(value, field))).toEqual([
    { text: "up", level: null },
    { text: "down", level: "crit" },
    { text: "unknown", level: null },
  ]);
});

test("what is not done is named once, by panel", () => {
  const read = readDashboard({
    title: "x",
    annotations: {
      list: [
        { builtIn: 1, enable: true },
        { name: "deploys", enable: true },
      ],
    },
    panels: [
      { type: "heatmap", title: "h" },
      {
        type: "timeseries",
        title: "t",
        timeShift: "1d",
        transformations: [{ id: "calculateField" }],
        fieldConfig: { defaults: {}, overrides: [{ matcher: { id: "byValue" }, properties: [] }] },
      },
    ],
  });
  expect(read.lacking).toEqual([
    { panel: null, what: "annotations “deploys”" },
    { panel: "h", what: "a panel of the type heatmap" },
    { panel: "t", what: "a shift in time by 1d" },
    { panel: "t", what: "overrides by “byValue”" },
    { panel: "t", what: "the transformation calculateField" },
  ]);
});
