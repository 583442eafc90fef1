import { describe, expect, test } from "vitest";
import type { Alert } from "../../api/alerts";
import {
  byWorst,
  groupsOf,
  hostOf,
  lastedMs,
  levelOf,
  limitText,
  safeHref,
  sentenceOf,
  severityOf,
  sortAlerts,
  stateOf,
  tagsOf,
  textParts,
  valueText,
  whereOf,
} from "./model";

const nowMs = Date.parse("2026-11-25T10:00:00Z");

function alert(change: Partial<Alert> = {}): Alert {
  return {
    fingerprint: "0",
    name: "Down",
    labels: {},
    annotations: {},
    state: "firing",
    starts_at: "2026-11-25T09:00:00Z",
    ends_at: null,
    updated_at: "2026-11-25T09:59:00Z",
    value: null,
    silenced_by: [],
    inhibited_by: [],
    muted_by: [],
    receivers: [],
    rule: null,
    threshold: null,
    ...change,
  };
}

test.each([
  [{}, "firing"],
  [{ state: "pending" }, "pending"],
  [{ state: "resolved", silenced_by: ["1"] }, "resolved"],
  [{ silenced_by: ["1"], inhibited_by: ["2"] }, "silenced"],
  [{ inhibited_by: ["2"], muted_by: ["3"] }, "inhibited"],
  [{ muted_by: ["3"] }, "muted"],
] as [Partial<Alert>, string][])("the state of %o is %s", (change, state) => {
  expect(stateOf(alert(change))).toBe(state);
});

test("severities in other people's words, and the colours that follow", () => {
  const of = (severity: string) => severityOf({ severity });
  expect(["page", "CRITICAL", "warn", "notice", "blue", ""].map(of)).toEqual([
    "critical",
    "critical",
    "warning",
    "info",
    "none",
    "none",
  ]);
  const level = (change: Partial<Alert>) => levelOf(alert(change));
  expect(level({ labels: { severity: "critical" } })).toBe("crit");
  expect(level({ labels: {} })).toBe("warn");
  expect(level({ labels: { severity: "info" } })).toBe("info");
  expect(level({ labels: { severity: "critical" }, state: "pending" })).toBe("warn");
  expect(level({ labels: { severity: "critical" }, silenced_by: ["1"] })).toBeNull();
  expect(level({ labels: { severity: "critical" }, state: "resolved" })).toBeNull();
});

test.each([
  [{ host_name: "db-1" }, "db-1"],
  [{ service_name: "shop", host: "db-1" }, "shop on db-1"],
  [{ service: "shop", instance: "10.0.0.7:9100" }, "shop on 10.0.0.7"],
  [{ service: "db-1", host: "db-1" }, "db-1"],
  [{ instance: "https://shop.example/health" }, ""],
  [{ host_name: "", host: "db-2" }, "db-2"],
  [{}, ""],
])("%o is at %s", (labels, where) => {
  expect(whereOf(labels as Record<string, string>)).toBe(where);
});

test("the host of an instance is without its port", () => {
  expect(hostOf({ instance: "db-1:9100" })).toBe("db-1");
});

test("the sentence is the rule's, on one line, or its name", () => {
  expect(sentenceOf(alert({ annotations: { summary: "db-1 is down.\nMore" } }))).toBe("db-1 is down");
  expect(sentenceOf(alert({ annotations: { message: "old style" } }))).toBe("old style");
  expect(sentenceOf(alert({ annotations: { summary: "  " } }))).toBe("Down");
});

test("service and host come first among the labels, the name is not one", () => {
  const labels = { alertname: "Down", a: "1", host: "db-1", service: "shop" };
  expect(tagsOf(labels).map(([name]) => name)).toEqual(["service", "host", "a"]);
});

test("value and limit in the unit of what the rule looks at", () => {
  const query = "sum(rate(errors_total[5m])) / sum(rate(calls_total[5m]))";
  const share = alert({ value: 0.064, threshold: { op: ">", value: 0.05, query } });
  expect([valueText(share), limitText(share)]).toEqual(["6.4\u00a0%", ">\u00a05\u00a0%"]);
  const bytes = alert({ value: 2 ** 30, threshold: { op: "<", value: 2 ** 31, query: "free_bytes" } });
  expect([valueText(bytes), limitText(bytes)]).toEqual(["1\u00a0GiB", "<\u00a02\u00a0GiB"]);
  const several = alert({
    value: 14,
    threshold: { op: ">", value: 10, query: "sum(a_total) / sum(b_total)" },
  });
  expect(valueText(several)).toBe("14");
  expect([valueText(alert()), limitText(alert())]).toEqual(["–", null]);
});

test("how long: up to now, or up to its end", () => {
  expect(lastedMs(alert(), nowMs)).toBe(3_600_000);
  const ended = alert({ state: "resolved", ends_at: "2026-11-25T09:10:00Z" });
  expect(lastedMs(ended, nowMs)).toBe(600_000);
  // An alert that fires is only expected to end.
  expect(lastedMs(alert({ ends_at: "2026-11-25T10:04:00Z" }), nowMs)).toBe(3_600_000);
});

describe("order", () => {
  const warning = alert({ fingerprint: "w", labels: { severity: "warning" } });
  const critical = alert({
    fingerprint: "c",
    labels: { severity: "critical" },
    starts_at: "2026-11-25T08:00:00Z",
  });
  const pending = alert({ fingerprint: "p", labels: { severity: "critical" }, state: "pending" });
  const silenced = alert({ fingerprint: "s", labels: { severity: "critical" }, silenced_by: ["1"] });
  const newer = alert({
    fingerprint: "n",
    labels: { severity: "warning" },
    starts_at: "2026-11-25T09:30:00Z",
  });
  const all = [silenced, pending, warning, newer, critical];

  test("worst first: state, severity, then the newest", () => {
    expect([...all].sort(byWorst).map(({ fingerprint }) => fingerprint)).toEqual(["c", "n", "w", "p", "s"]);
  });
  test("the other orders", () => {
    const first = (sort: "newest" | "longest" | "name") => sortAlerts(all, sort, nowMs)[0]?.fingerprint;
    expect([first("newest"), first("longest"), first("name")]).toEqual(["n", "c", "c"]);
  });
  test("groups are in the order of their first alerts", () => {
    const named = [alert({ name: "B" }), alert({ name: "A" }), alert({ name: "B", fingerprint: "1" })];
    expect(groupsOf(named).map(({ name, alerts }) => [name, alerts.length])).toEqual([
      ["B", 2],
      ["A", 1],
    ]);
  });
});

describe("links in annotations", () => {
  test.each([
    ["https://wiki.example.com/a?b=c#d", "https://wiki.example.com/a?b=c#d"],
    ["http://10.0.0.1:3000/", "http://10.0.0.1:3000/"],
    ["javascript:alert(1)", null],
    ["JAVASCRIPT:alert(1)", null],
    ["data:text/html,<script>", null],
    ["//evil.example", null],
    ["/relative", null],
    ["", null],
  ])("%s", (text, href) => {
    expect(safeHref(text)).toBe(href);
  });
  test("in a text, without the full stop behind it", () => {
    expect(textParts("See https://a.example/b. Or javascript:x (http://c.example).")).toEqual([
      { text: "See ", href: null },
      { text: "https://a.example/b", href: "https://a.example/b" },
      { text: ". Or javascript:x (", href: null },
      { text: "http://c.example", href: "http://c.example/" },
      { text: ").", href: null },
    ]);
    expect(textParts("nothing")).toEqual([{ text: "nothing", href: null }]);
    expect(textParts("")).toEqual([]);
  });
});
