import { describe, expect, test } from "vitest";
import { firstQuery, withMatcher } from "./edit";
import { differingLabels, formatLegend, legendNames, selectorText } from "./legend";
import { textPosition } from "./position";
import { guessUnit, metricNames } from "./units";

describe("names of series", () => {
  const cpu = (host: string, mode: string) => ({ __name__: "cpu", host_name: host, mode, job: "agent" });

  test("a format puts labels in their places", () => {
    expect(formatLegend("{{host_name}} {{ mode }}{{nothing}}", cpu("db-1", "user"))).toBe("db-1 user");
    expect(legendNames([cpu("db-1", "user"), cpu("db-1", "idle")], "{{host_name}}", "cpu")).toEqual([
      "db-1",
      "db-1 (2)",
    ]);
  });

  test.each([
    ["one label differs", [cpu("db-1", "user"), cpu("db-1", "idle")], ["user", "idle"]],
    [
      "two differ",
      [cpu("db-1", "user"), cpu("db-2", "idle")],
      ["host_name=db-1, mode=user", "host_name=db-2, mode=idle"],
    ],
    ["one series", [cpu("db-1", "user")], ["cpu"]],
    ["one without a name", [{ host_name: "db-1" }], ['{host_name="db-1"}']],
    ["one without any label", [{}], ["sum(cpu)"]],
    ["the metric differs", [{ __name__: "up" }, { __name__: "down" }], ["up", "down"]],
    ["one has no label", [{ mode: "user" }, {}], ["user", "sum(cpu)"]],
  ])("%s", (_, series, names) => {
    expect(legendNames(series, "", "sum(cpu)")).toEqual(names);
  });

  test("a selector can be asked for again", () => {
    expect(selectorText({ __name__: "up", "http.route": 'a"b', job: "x" })).toBe(
      'up{"http.route"="a\\"b", job="x"}',
    );
    expect(differingLabels([{ a: "1", b: "1" }, { a: "1" }])).toEqual(["b"]);
  });
});

describe("the unit of a query", () => {
  test.each([
    ["system_memory_usage_bytes", "bytes"],
    ['sum by (host_name) (system_memory_usage_bytes{system_memory_state="used"})', "bytes"],
    ["rate(system_network_io_bytes_total[5m])", "binBps"],
    ["rate(http_requests_total[5m])", "ops"],
    ["rate(system_cpu_time_seconds_total[5m])", "percentunit"],
    ["histogram_quantile(0.95, sum by (le) (http_server_request_duration_seconds_bucket))", "s"],
    ["histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket[5m])))", "s"],
    ["histogram_quantile(0.95, sum(rate(narrows_red_duration_seconds[5m])))", "s"],
    ["system_memory_usage_bytes / system_memory_limit_bytes", "percentunit"],
    ["system_memory_usage_bytes / 1024", "bytes"],
    ["rate(a_bytes_total[5m]) / rate(b_total[5m])", "none"],
    ["narrows_host_temperature_celsius", "celsius"],
    ["count(system_memory_usage_bytes)", "none"],
    ["1 + 1", "none"],
    ["", "none"],
  ])("%s is %s", (query, unit) => {
    expect(guessUnit(query)).toBe(unit);
  });

  test("metadata says more than a name", () => {
    expect(guessUnit("queue_delay", { queue_delay: [{ unit: "ms" }] })).toBe("ms");
  });

  test("metrics of a query are neither functions nor labels nor durations", () => {
    const query =
      'sum by (mode) (rate(cpu{job="a_b"}[5m] offset 1h)) / on (host) group_left (x) limit_bytes > bool 3';
    expect(metricNames(query)).toEqual(["cpu", "limit_bytes"]);
  });
});

describe("writing into a query", () => {
  test.each([
    ["cpu", "counter", "rate(cpu[5m])"],
    ["memory", "gauge", "memory"],
    ["d_bucket", "histogram", "histogram_quantile(0.95, sum by (le) (rate(d_bucket[5m])))"],
    ["http.requests", "counter", 'rate({"http.requests"}[5m])'],
  ])("%s, a %s, begins with %s", (metric, type, query) => {
    expect(firstQuery(metric, type)).toBe(query);
  });

  test.each([
    ["", 'cpu{mode="user"}'],
    ["rate(cpu[5m])", 'rate(cpu{mode="user"}[5m])'],
    ['rate(cpu{job="a,b"}[5m])', 'rate(cpu{job="a,b", mode="user"}[5m])'],
    ['rate(cpu{mode=~"x|y", job="a"}[5m])', 'rate(cpu{job="a", mode="user"}[5m])'],
    ['rate(cpu{mode="user"}[5m])', "rate(cpu[5m])"],
    ["cpu_total + cpu", 'cpu_total + cpu{mode="user"}'],
    ["memory", 'cpu{mode="user"}'],
  ])("%s becomes %s", (query, expected) => {
    expect(withMatcher(query, "cpu", "mode", "user")).toBe(expected);
  });
});

test.each([
  ["sum(up", { start: 3, end: 4 }, { from: 3, to: 4 }],
  ["é + up", { start: 3, end: 4 }, { from: 2, to: 3 }],
  ["up", { start: 2, end: 2 }, { from: 1, to: 2 }],
  ["up", { start: 0, end: 0 }, { from: 0, to: 1 }],
  ["", { start: 0, end: 0 }, { from: 0, to: 0 }],
  ["𝛑", { start: 0, end: 4 }, { from: 0, to: 2 }],
])("in %j the bytes %j are at %j", (text, bytes, position) => {
  expect(textPosition(text, bytes)).toEqual(position);
});
