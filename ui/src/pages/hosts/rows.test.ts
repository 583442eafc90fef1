import { describe, expect, test } from "vitest";
import type { Points } from "../../api/prometheus";
import { hostCharts, hostTables, listQueries } from "./queries";
import { type Answers, filterRows, heatStep, hostRows, levelOf, sortRows } from "./rows";

const one = (value: number, labels: Record<string, string>): Points => ({
  labels,
  times: [0],
  values: [value],
  histograms: false,
});
const answers: Answers = {
  cpuBusy: [
    one(0.7, { host_name: "db-1" }),
    one(0.2, { host_name: "app-1" }),
    one(0.9, { host_name: "old-1" }),
  ],
  cores: [one(8, { host_name: "db-1" })],
  load: [one(16.8, { host_name: "db-1" }), one(1, { host_name: "app-1" })],
  pressure: [
    one(0.58, { host_name: "db-1", resource: "cpu" }),
    one(0.02, { host_name: "db-1", resource: "io" }),
    one(0.31, { host_name: "app-1", resource: "io" }),
    one(0.01, { host_name: "app-1", resource: "cpu" }),
  ],
  fileSystems: [
    one(0.2, { host_name: "db-1", system_filesystem_mountpoint: "/" }),
    one(0.61, { host_name: "db-1", system_filesystem_mountpoint: "/var/lib" }),
    one(Number.NaN, { host_name: "db-1", system_filesystem_mountpoint: "/empty" }),
  ],
  lastSeen: [one(100, { host_name: "db-1" })],
  lastSeenBefore: [one(60, { host_name: "db-1" }), one(30, { host_name: "gone-1" })],
};
const rows = hostRows(answers);
const row = (name: string) => rows.find((found) => found.name === name);

describe("a row", () => {
  test("has every column that came", () => {
    expect(row("db-1")).toMatchObject({
      cpuBusy: 0.7,
      loadPerCore: 2.1,
      memoryUsed: null,
      fileSystem: { mount: "/var/lib", used: 0.61 },
      lastSeenS: 100,
      saturation: { resource: "cpu", share: 0.58 },
    });
  });

  test("is saturated in what is waited for most; without pressure by its CPU", () => {
    expect(row("app-1")?.saturation).toEqual({ resource: "io", share: 0.31 });
    expect(row("old-1")?.saturation).toEqual({ resource: "cpu", share: 0.9 });
    expect(row("gone-1")).toMatchObject({ saturation: null, lastSeenS: 30 });
  });
});

test.each([
  ["saturation", false, ["old-1", "db-1", "app-1", "gone-1"]],
  ["saturation", true, ["app-1", "db-1", "old-1", "gone-1"]],
  ["host", false, ["app-1", "db-1", "gone-1", "old-1"]],
  ["seen", false, ["db-1", "gone-1", "app-1", "old-1"]],
] as const)("sorted by %s, reversed %s", (key, reverse, names) => {
  expect(sortRows(rows, key, reverse).map(({ name }) => name)).toEqual(names);
});

test("filtered by words, limits and heat", () => {
  expect(filterRows(rows, "1 DB").map(({ name }) => name)).toEqual(["db-1"]);
  expect([0.1, 0.25, 0.5, null].map((value) => levelOf("pressure", value))).toEqual([
    null,
    "warn",
    "crit",
    null,
  ]);
  expect([0, 0.019, 0.02, 0.3, 0.9].map(heatStep)).toEqual([0, 0, 1, 4, 6]);
});

test("a host's name is quoted wherever it is written", () => {
  const name = 'a"b\\c';
  const texts = [
    ...Object.values(listQueries(name)),
    ...hostCharts(name, "1m").flatMap(({ queries }) => queries.map(({ text }) => text)),
    ...Object.values(hostTables(name)),
  ];
  for (const text of texts) {
    expect(text).toContain('{host_name="a\\"b\\\\c"');
    expect(text.split("(").length).toBe(text.split(")").length);
    expect(text.split("{").length).toBe(text.split("}").length);
  }
});

test("the list asks for every host", () => {
  for (const text of Object.values(listQueries())) expect(text).not.toMatch(/\{\}|host_name=/);
});
