import { expect, test } from "vitest";
import { traceView } from "./traceView";

const good = () => ({
  trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  start: "2026-11-25T10:14:07Z",
  duration_ns: 100,
  partial: false,
  warnings: [],
  services: ["edge", "db"],
  names: ["POST", "SELECT"],
  hosts: ["app-1"],
  spans: {
    id: ["00000000000000aa", "00000000000000bb"],
    parent: [-1, 0],
    depth: [0, 1],
    orphan: [],
    service: [0, 1],
    name: [0, 1],
    host: [0, -1],
    kind: [2, 3],
    status: [0, 2],
    start_ns: [0, 10],
    duration_ns: [100, 50],
    self_ns: [50, 50],
    events: [0, 1],
    async: [1],
  },
  critical_path: [
    [0, 0, 10],
    [1, 10, 60],
    [0, 60, 100],
  ],
  path_by_service: [
    { service: "db", ns: 50 },
    { service: "edge", ns: 50 },
  ],
});

test("columns become arrays of numbers", () => {
  const view = traceView(good(), "trace");
  expect(view.spans.count).toBe(2);
  expect([...view.spans.isAsync]).toEqual([0, 1]);
  expect(view.path[1]).toEqual({ row: 1, fromNs: 10, toNs: 60 });
});

test.each<[string, (sent: ReturnType<typeof good>) => void, string]>([
  ["a column too short", (sent) => sent.spans.depth.pop(), "trace.spans.depth is not a list of 2 numbers"],
  [
    "a service that is none",
    (sent) => (sent.spans.service[1] = 7),
    "trace.spans.service is not within its table",
  ],
  ["a caller behind its callee", (sent) => (sent.spans.parent[0] = 1), "trace.spans.parent is not in order"],
  ["a row that is none", (sent) => sent.spans.async.push(9), "trace.spans.async is not a list of rows"],
  [
    "a path beside the spans",
    (sent) => sent.critical_path.push([5, 0, 1]),
    "trace.critical_path is not of its spans",
  ],
  ["a text for a number", (sent) => (sent.spans.start_ns[0] = "0" as never), "is not a list of numbers"],
])("%s is refused by name", (_, spoil, message) => {
  const sent = good();
  spoil(sent);
  expect(() => traceView(sent, "trace")).toThrow(message);
});
