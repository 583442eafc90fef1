import { expect, test } from "vitest";
import { labelsOf, listMetrics } from "./list";

const metadata = {
  system_cpu_time_seconds_total: [{ type: "counter", help: "Seconds each CPU spent in a mode", unit: "s" }],
  request_duration_seconds: [{ type: "histogram", help: "How long requests take", unit: "" }],
  odd: [{ type: "unknown", help: "", unit: "" }],
};
const names = ["up", "system_cpu_time_seconds_total", "request_duration_seconds_bucket", "odd", "jobs_total"];

test("by name, with what is known of them", () => {
  expect(listMetrics(names, metadata, "").map(({ name, type, unit }) => [name, type, unit])).toEqual([
    ["jobs_total", "counter", "none"],
    ["odd", "", "none"],
    ["request_duration_seconds_bucket", "histogram", "s"],
    ["system_cpu_time_seconds_total", "counter", "s"],
    ["up", "", "none"],
  ]);
});

test.each([
  ["cpu", ["system_cpu_time_seconds_total"]],
  ["seconds cpu", ["system_cpu_time_seconds_total"]],
  ["requests take", ["request_duration_seconds_bucket"]],
  ["nothing of the kind", []],
])("%s finds %s", (wanted, found) => {
  expect(listMetrics(names, metadata, wanted).map(({ name }) => name)).toEqual(found);
});

test("labels that tell most apart are first, values by how many series have them", () => {
  const series = [
    { __name__: "cpu", host: "a", mode: "user", job: "agent" },
    { __name__: "cpu", host: "a", mode: "idle", job: "agent" },
    { __name__: "cpu", host: "b", mode: "wait", job: "agent" },
  ];
  expect(labelsOf(series)).toEqual([
    {
      name: "mode",
      values: [
        { value: "idle", series: 1 },
        { value: "user", series: 1 },
        { value: "wait", series: 1 },
      ],
    },
    {
      name: "host",
      values: [
        { value: "a", series: 2 },
        { value: "b", series: 1 },
      ],
    },
    { name: "job", values: [{ value: "agent", series: 3 }] },
  ]);
});
