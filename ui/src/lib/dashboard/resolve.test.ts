import { expect, test } from "vitest";
import type { BuiltIns } from "./interpolate";
import type { VariableQuery } from "./model";
import { autoText, inOrder, pickChoices, resolveVariables, scopeOf, sortChoices } from "./resolve";
import { readVariable, readVariableQuery } from "./variables";

const builtIns: BuiltIns = { startMs: 0, endMs: 3_600_000, stepS: 15, scrapeS: 15 };
const variable = (json: object) => readVariable(json, new Map(), () => {});

test.each<[string, VariableQuery | null]>([
  ["label_values(up, host)", { kind: "values", label: "host", selector: "up" }],
  ["label_values(host)", { kind: "values", label: "host", selector: null }],
  ['label_values(up{job=~"a,b"}, host)', { kind: "values", label: "host", selector: 'up{job=~"a,b"}' }],
  [
    'label_values({__name__=~"a|b"},  host)',
    { kind: "values", label: "host", selector: '{__name__=~"a|b"}' },
  ],
  ["label_names()", { kind: "names" }],
  ["metrics(node_.*)", { kind: "metrics", pattern: "node_.*" }],
  ["query_result(sum by (a) (up))", { kind: "result", expr: "sum by (a) (up)" }],
  ["SELECT 1", null],
])("the query %s", (text, expected) => {
  expect(readVariableQuery(text)).toEqual(expected);
});

test("a later variable's query has the value of the one that it refers to, whatever their order in the file", async () => {
  const device = variable({ name: "device", type: "query", query: 'label_values(io{host="$host"}, device)' });
  const host = variable({ name: "host", type: "query", query: { query: "label_values(up, host)" } });
  expect(inOrder([device, host]).map(({ name }) => name)).toEqual(["host", "device"]);
  const asked: string[] = [];
  const resolved = await resolveVariables([device, host], { host: ["b"] }, builtIns, async (query) => {
    asked.push(JSON.stringify(query));
    return query.kind === "values" && query.label === "host" ? ["a", "b"] : ["sda", "sdb"];
  });
  expect(asked[1]).toContain('io{host=\\"b\\"}');
  expect(resolved.map(({ variable: { name }, chosen }) => [name, chosen])).toEqual([
    ["device", ["sda"]],
    ["host", ["b"]],
  ]);
});

test("all of them: each by name, or by what the file says", async () => {
  const base = { name: "d", type: "query", query: "label_values(d)", multi: true, includeAll: true };
  const ask = async () => ["a", "b"];
  const [named] = await resolveVariables([variable(base)], { d: ["$__all"] }, builtIns, ask);
  expect(named && scopeOf([named], builtIns).get("d")).toMatchObject({
    values: ["a", "b"],
    whole: null,
    text: "All",
  });
  const [whole] = await resolveVariables([variable({ ...base, allValue: ".+" })], {}, builtIns, ask);
  expect(whole && scopeOf([whole], builtIns).get("d")).toMatchObject({ whole: ".+" });
});

test("what was chosen and is gone gives way; a failed query keeps the file's choice and says why", async () => {
  const one = variable({ name: "h", type: "query", query: "label_values(h)", current: { value: "old" } });
  const [gone] = await resolveVariables([one], {}, builtIns, async () => ["new"]);
  expect(gone?.chosen).toEqual(["new"]);
  const [failed] = await resolveVariables([one], {}, builtIns, async () =>
    Promise.reject(new Error("refused")),
  );
  expect(failed).toMatchObject({ chosen: ["old"], error: "refused" });
});

test("a pattern keeps and cuts", () => {
  expect(pickChoices(["a-1", "b-2", "a-3"], "/^a-(.*)/")).toEqual([
    { text: "1", value: "1" },
    { text: "3", value: "3" },
  ]);
  expect(pickChoices(['x{n="web"} 7 0'], '/n="(?<text>[^"]*)".* (?<value>\\d+) 0/')).toEqual([
    { text: "web", value: "7" },
  ]);
  expect(pickChoices(["lo", "eth0"], "/^(?!lo$).*/").map(({ value }) => value)).toEqual(["eth0"]);
});

test.each([
  [0, ["b10", "B2", "a"]],
  [1, ["B2", "a", "b10"]],
  [3, ["a", "B2", "b10"]],
  [4, ["b10", "B2", "a"]],
  [5, ["a", "b10", "B2"]],
  [7, ["a", "B2", "b10"]],
])("sorted by %i", (sort, expected) => {
  const choices = ["b10", "B2", "a"].map((value) => ({ text: value, value }));
  expect(sortChoices(choices, sort).map(({ value }) => value)).toEqual(expected);
});

test("custom and interval variables", () => {
  expect(variable({ name: "c", type: "custom", query: "a,Two : 2,x\\,y" }).choices).toEqual([
    { text: "a", value: "a" },
    { text: "Two", value: "2" },
    { text: "x,y", value: "x,y" },
  ]);
  const interval = variable({
    name: "i",
    type: "interval",
    query: "1m,1h",
    auto: true,
    auto_count: 60,
    auto_min: "10s",
  });
  expect(autoText(interval, builtIns)).toBe("60s");
});

test("what cannot be asked is named", () => {
  const notes: string[] = [];
  readVariable({ name: "x", type: "adhoc" }, new Map(), (what) => notes.push(what));
  readVariable({ name: "y", type: "query", query: "SELECT 1" }, new Map(), (what) => notes.push(what));
  readVariable({ name: "z", type: "query", datasource: { type: "loki" } }, new Map(), (what) =>
    notes.push(what),
  );
  expect(notes).toEqual([
    "the variable x, which is of the type adhoc",
    "the query of the variable y: SELECT 1",
    "values of the variable z from Loki",
  ]);
});
