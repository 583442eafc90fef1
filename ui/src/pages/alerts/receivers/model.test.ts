import { expect, test } from "vitest";
import { FixtureNotify } from "../../../../tests/fixture/notify";
import type { Receivers, Route } from "../../../api/receivers";
import { deadEnds, linesTo, routeLines } from "./model";

const { now } = new FixtureNotify();
const root = now.route as Route;
const plain = (texts: string[]) => texts.map((text) => text.replaceAll("\u00a0", " "));

test("the tree as lines: depth, and only what a route says otherwise", () => {
  const lines = routeLines(root);
  expect(lines.map(({ depth, key, route }) => [depth, key, route.receiver])).toEqual([
    [0, "0", "on-call"],
    [1, "0.0", "shop-team"],
    [2, "0.0.0", "on-call"],
    [1, "0.1", "nobody"],
  ]);
  expect(lines.map(({ timings }) => plain(timings))).toEqual([
    ["one message per alertname, service, host", "after 10 s", "changes every 1 min", "again after 4 h"],
    ["one message per alertname, service", "after 30 s", "quiet in weekends"],
    ["one message per alert", "at once", "again after 1 h"],
    ["only in office-hours"],
  ]);
  expect(linesTo(lines, "on-call").map(({ key }) => key)).toEqual(["0", "0.0.0"]);
});

test("a root that groups by nothing says so", () => {
  expect(routeLines({ ...root, group_by: [] })[0]?.timings[0]).toBe("one message for all");
});

test("who is routed to and tells nobody", () => {
  const receiver = (name: string, routes: number, supported: boolean[]): Receivers["receivers"][number] => ({
    name,
    routes,
    integrations: supported.map((one, index) => ({
      kind: "webhook",
      index,
      target: "",
      send_resolved: true,
      supported: one,
      last: null,
      sent: 0,
      failed: 0,
    })),
  });
  const of = (...receivers: Receivers["receivers"]) => deadEnds({ ...now, receivers });
  expect(of(receiver("a", 1, []))).toEqual({ names: ["a"], all: true });
  expect(of(receiver("a", 1, [false]), receiver("b", 0, [true]))).toEqual({ names: ["a"], all: true });
  expect(of(receiver("a", 1, []), receiver("b", 2, [false, true]))).toEqual({ names: ["a"], all: false });
  expect(of(receiver("a", 0, []), receiver("b", 2, [true]))).toEqual({ names: [], all: false });
});
