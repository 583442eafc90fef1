import { expect, test } from "vitest";
import { matchItems, type PaletteItem, pastedId } from "./items";

const item = (group: string, label: string): PaletteItem => ({
  id: `${group} ${label}`,
  group,
  label,
  icon: "search",
  run: () => {},
});
const items = [
  item("Pages", "Logs"),
  item("Pages", "Status"),
  item("Saved views", "Slow checkouts"),
  item("Saved views", "Checkout errors"),
  ...Array.from({ length: 12 }, (_, at) => item("Recent queries", `service:checkout ${at}`)),
  item("Do", "Live tail"),
];
const shown = (text: string, only: string | null = null) =>
  matchItems(items, text, only).map(
    ({ name, items: members }) => `${name}: ${members.map(({ label }) => label).join(", ")}`,
  );

test("while nothing is typed: all groups in their order, the first of each", () => {
  const groups = matchItems(items, " ", null);
  expect(groups.map(({ name }) => name)).toEqual(["Pages", "Saved views", "Recent queries", "Do"]);
  expect(groups[2]?.items.length).toBe(5);
});

test("typed: only what matches, the best group and the best item first", () => {
  expect(shown("checkout")).toEqual([
    "Saved views: Checkout errors, Slow checkouts",
    expect.stringMatching(/^Recent queries: (service:checkout \d+(, )?){8}$/),
  ]);
  expect(shown("live")).toEqual(["Do: Live tail"]);
  expect(shown("qqq")).toEqual([]);
});

test("narrowed to one group", () => {
  expect(shown("", "Saved views")).toEqual(["Saved views: Slow checkouts, Checkout errors"]);
  expect(shown("live", "Pages")).toEqual([]);
});

test.each([
  ["4bf92f3577b34da6a3ce929d0e0e4736", "trace 4bf92f3577b34da6a3ce929d0e0e4736"],
  [" trace_id:4BF92F3577B34DA6A3CE929D0E0E4736 ", "trace 4bf92f3577b34da6a3ce929d0e0e4736"],
  ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "trace 4bf92f3577b34da6a3ce929d0e0e4736"],
  ['"0-2a00003"', "record 0-2a00003"],
  ["00000000000000000000000000000000", null],
  ["check-out", null],
  ["2026-11-25", null],
  ["timeout", null],
])("pasted %s", (text, expected) => {
  const found = pastedId(text);
  expect(found && `${found.kind} ${found.id}`).toBe(expected);
});
