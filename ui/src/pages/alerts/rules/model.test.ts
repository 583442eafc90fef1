import { describe, expect, test } from "vitest";
import type { AlertingRule, RecordingRule, RuleGroup } from "../../../api/rules";
import {
  allRules,
  countStates,
  evaluatedMs,
  filterList,
  findRule,
  firstRules,
  isSlow,
  listOf,
} from "./model";
import { decodeRulesView, encodeRulesView } from "./url";

const base = {
  query: "up == 0",
  labels: {},
  health: "ok",
  lastError: null,
  evaluationTime: 0.001,
  lastEvaluation: "2026-11-25T10:17:30Z",
  language: "promql",
} as const;
const alerting = (name: string, more: Partial<AlertingRule> = {}): AlertingRule => ({
  ...base,
  type: "alerting",
  name,
  state: "inactive",
  duration: 0,
  keepFiringFor: 0,
  annotations: {},
  alerts: [],
  ...more,
});
const recording = (name: string): RecordingRule => ({ ...base, type: "recording", name });
const group = (file: string, name: string, rules: RuleGroup["rules"]): RuleGroup => ({
  name,
  file,
  interval: 30,
  evaluationTime: 0.01,
  lastEvaluation: base.lastEvaluation,
  rules,
});

const groups = [
  group("z.yaml", "shop", [
    alerting("Slow", { state: "firing", labels: { severity: "critical" } }),
    alerting("Slow", { state: "pending", labels: { severity: "warning" } }),
    recording("job:rate:5m"),
  ]),
  group("a.yaml", "hosts", [alerting("Silent"), alerting("Broken", { health: "err", lastError: "no" })]),
  group("a.yaml", "disks", [alerting("Full", { state: "unknown" })]),
];
const files = listOf(groups);

describe("the list", () => {
  test("files by name, groups and rules in their order, an address for each rule", () => {
    expect(
      files.map(({ file, groups: members }) => [file, members.map(({ group: one }) => one.name)]),
    ).toEqual([
      ["a.yaml", ["hosts", "disks"]],
      ["z.yaml", ["shop"]],
    ]);
    expect(allRules(files).map(({ key }) => key)).toEqual([
      "hosts/Silent",
      "hosts/Broken",
      "disks/Full",
      "shop/Slow",
      "shop/Slow#2",
      "shop/job:rate:5m",
    ]);
  });

  test("each rule has one state", () => {
    expect(countStates(files)).toEqual({ firing: 1, pending: 1, inactive: 2, failing: 1, recording: 1 });
  });

  test.each([
    ["slow", null, ["shop/Slow", "shop/Slow#2"]],
    ["slow severity=critical", null, ["shop/Slow"]],
    ["A.YAML hosts", null, ["hosts/Silent", "hosts/Broken"]],
    ["up", "failing", ["hosts/Broken"]],
    ["", "recording", ["shop/job:rate:5m"]],
    ["nowhere", null, []],
  ] as const)("%s, %s", (filter, state, keys) => {
    expect(allRules(filterList(files, { filter, state })).map(({ key }) => key)).toEqual(keys);
  });

  test.each([
    [0, []],
    [1, ["hosts/Silent"]],
    [3, ["hosts/Silent", "hosts/Broken", "disks/Full"]],
    [99, allRules(files).map(({ key }) => key)],
  ])("the first %i, without empty files and groups", (limit, keys) => {
    const first = firstRules(files, limit);
    expect(allRules(first).map(({ key }) => key)).toEqual(keys);
    expect(first.every(({ groups: some }) => some.every(({ rules }) => rules.length > 0))).toBe(true);
  });

  test("a rule is found by its address, also the second of a name", () => {
    expect(findRule(files, "shop/Slow#2")?.rule.labels).toEqual({ severity: "warning" });
    expect(findRule(files, "shop/Slow")?.group.file).toBe("z.yaml");
    expect(findRule(files, "shop/Gone")).toBeNull();
  });
});

test("never evaluated is Go's zero time", () => {
  expect(evaluatedMs("0001-01-01T00:00:00Z")).toBeNull();
  expect(evaluatedMs("")).toBeNull();
  expect(evaluatedMs("2026-11-25T10:17:30Z")).toBe(Date.UTC(2026, 10, 25, 10, 17, 30));
});

test("slow is more than half of the interval", () => {
  expect([14.9, 15, 15.1].map((evaluationTime) => isSlow({ interval: 30, evaluationTime }))).toEqual([
    false,
    false,
    true,
  ]);
});

test("the view survives its address, and what is malformed is dropped", () => {
  const view = { rule: "shop/Slow#2", state: "firing", filter: "a b" } as const;
  expect(decodeRulesView({ ...encodeRulesView(view) })).toEqual(view);
  expect(encodeRulesView({ rule: null, state: null, filter: "" })).toEqual({});
  expect(decodeRulesView({ state: "odd", rule: "", filter: ["a"] })).toEqual({
    rule: null,
    state: null,
    filter: "",
  });
});
