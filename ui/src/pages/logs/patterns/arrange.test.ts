import { expect, test } from "vitest";
import type { Pattern } from "../../../api/patterns";
import { formatShare } from "../../../lib/number";
import { arrange, severitiesOf, templateParts } from "./arrange";

function pattern(id: string, more: Partial<Pattern>): Pattern {
  return {
    id,
    template: "",
    count: 1,
    share: 0,
    severities: {},
    counts: [],
    first_seen: "2026-11-25T10:00:00Z",
    last_seen: "2026-11-25T10:00:00Z",
    is_new: false,
    services: [],
    examples: [],
    parameters: [],
    ...more,
  };
}

test.each([
  ["connection to <ip>:<num> refused", ["connection to ", "<ip>#0", ":", "<num>#1", " refused"]],
  ["<*>", ["<*>#0"]],
  ["no placeholder <b> here", ["no placeholder <b> here"]],
  ["", []],
])("parts of %s", (template, expected) => {
  const parts = templateParts(template);
  expect(parts.map((part) => (part.slot === null ? part.text : `${part.text}#${part.slot}`))).toEqual(
    expected,
  );
});

const many = pattern("a", { count: 900, severities: { info: 900 } });
const broken = pattern("b", { count: 3, severities: { error: 1, info: 2 }, is_new: true });
const late = pattern("c", {
  count: 5,
  first_seen: "2026-11-25T10:10:00Z",
  severities: { warn: 5 },
  is_new: true,
});

test.each([
  ["count" as const, false, "acb"],
  ["newest" as const, false, "cab"],
  ["severity" as const, false, "bca"],
  ["count" as const, true, "cb"],
])("by %s, only new: %s", (sort, onlyNew, order) => {
  expect(
    arrange([broken, many, late], sort, onlyNew)
      .map(({ id }) => id)
      .join(""),
  ).toBe(order);
});

test("severities are worst first and without those that do not occur", () => {
  expect(severitiesOf(broken)).toEqual([
    ["error", 1],
    ["info", 2],
  ]);
});

test.each([
  [0, "0 %"],
  [0.0004, "< 0.1 %"],
  [0.012, "1.2 %"],
  [0.05, "5 %"],
  [0.123, "12 %"],
  [1, "100 %"],
])("share %d", (share, text) => {
  expect(formatShare(share)).toBe(text.replaceAll(" ", "\u00a0"));
});
