import { expect, test } from "vitest";
import {
  decodeDashboardView,
  decodeListView,
  encodeDashboardView,
  encodeListView,
  plainDashboard,
} from "./url";

test("the plain view has no parameters, and every other one comes back as it was", () => {
  expect(encodeDashboardView(plainDashboard)).toEqual({});
  const view = {
    range: { from: "now-6h", to: "now" },
    zone: "local" as const,
    refreshS: 0,
    variables: { host: ["db-1"], device: ["sda", "sdb"] },
    panel: "3",
    editing: true,
    turned: ["row 7"],
  };
  expect(encodeDashboardView(view)).toMatchObject({ "var-host": "db-1", "var-device": ["sda", "sdb"] });
  expect(decodeDashboardView(encodeDashboardView(view))).toEqual(view);
});

test("what is malformed becomes its default", () => {
  const view = decodeDashboardView({ from: "yesterday", refresh: "often", view: ["1", "2"], "var-": "x" });
  expect(view).toEqual(plainDashboard);
});

test("the list's search", () => {
  expect(decodeListView({ ...encodeListView({ text: "host", tags: ["linux"] }) })).toEqual({
    text: "host",
    tags: ["linux"],
  });
  expect(encodeListView({ text: "", tags: [] })).toEqual({});
});
