import { expect, test } from "vitest";
import { decodeHostsView, encodeHostsView } from "./url";

test("everything survives the address, nonsense is the plain view", () => {
  const view = {
    ...decodeHostsView({}),
    filter: "db",
    sort: "memory" as const,
    reverse: true,
    range: { from: "now-3h", to: "now" },
    refreshS: 10,
  };
  expect(decodeHostsView(encodeHostsView(view) as Record<string, unknown>)).toEqual(view);
  expect(encodeHostsView(decodeHostsView({ sort: "colour", reverse: 1, filter: ["a", "b"] }))).toEqual({});
});
