import { expect, test } from "vitest";
import { type BuiltIns, interpolate, namesIn, type Scope, type VariableValue } from "./interpolate";

const one = (value: string, many = false): VariableValue => ({
  values: [value],
  many,
  whole: null,
  text: value,
});
const scope: Scope = new Map([
  ["host", one("db-1")],
  ["quote", one('a"b\\c')],
  ["device", { values: ["sd.a", "nvme0n1"], many: true, whole: null, text: "sd.a + nvme0n1" }],
  ["single", one("sd.a", true)],
  ["all", { values: ["a", "b"], many: true, whole: ".*", text: "All" }],
]);
const builtIns: BuiltIns = { startMs: 1_000_000, endMs: 4_600_000, stepS: 30, scrapeS: 15 };

test.each([
  ['up{host="$host"}', 'up{host="db-1"}'],
  ['up{host="${host}"}', 'up{host="db-1"}'],
  ['up{host="[[host]]"}', 'up{host="db-1"}'],
  ['up{x="$quote"}', 'up{x="a\\"b\\\\c"}'],
  ['x{d=~"$device"}', 'x{d=~"(sd\\\\.a|nvme0n1)"}'],
  ['x{d=~"$single"}', 'x{d=~"sd\\\\.a"}'],
  ['x{d=~"$all"}', 'x{d=~".*"}'],
  ["${device:regex}", "(sd\\.a|nvme0n1)"],
  ["${device:pipe}", "sd.a|nvme0n1"],
  ["${device:csv}", "sd.a,nvme0n1"],
  ["${device:json}", '["sd.a","nvme0n1"]'],
  ["${device:doublequote}", '"sd.a","nvme0n1"'],
  ["${device:text}", "sd.a + nvme0n1"],
  ["[[device:pipe]]", "sd.a|nvme0n1"],
  ["rate(x[$__rate_interval])", "rate(x[60s])"],
  ["rate(x[$__interval])", "rate(x[30s])"],
  ["$__interval_ms", "30000"],
  ["increase(x[$__range]) / $__range_s", "increase(x[3600s]) / 3600"],
  ["$__from ${__to} ${__to:date:seconds}", "1000000 4600000 4600"],
  ["$unknown ${unknown:pipe}", "$unknown ${unknown:pipe}"],
  ["$hostname", "$hostname"],
])("in a query, %s is %s", (text, expected) => {
  expect(interpolate(text, scope, builtIns, "promql")).toBe(expected);
});

test("in titles names are said, in queries of logs several are alternatives", () => {
  expect(interpolate("Disks $device of $all", scope, null, "text")).toBe("Disks sd.a + nvme0n1 of All");
  expect(interpolate('host:"$host"', scope, null, "logs")).toBe('host:"db-1"');
  expect(interpolate("device:$device", scope, null, "logs")).toBe('device:("sd.a" OR "nvme0n1")');
});

test("the names that a text refers to", () => {
  expect([...namesIn("$a ${b:csv} [[c]] $__interval")]).toEqual(["a", "b", "c", "__interval"]);
});
