import { expect, test } from "vitest";
import { fuzzyMatch } from "./fuzzy";

function marked(text: string, pattern: string): string | null {
  const match = fuzzyMatch(text, pattern);
  if (!match) return null;
  let result = "";
  let at = 0;
  for (const { start, end } of match.ranges) {
    result += `${text.slice(at, start)}[${text.slice(start, end)}]`;
    at = end;
  }
  return result + text.slice(at);
}

test.each([
  ["Slow checkouts", "check", "Slow [check]outs"],
  ["Live tail", "LT", "[L]ive [t]ail"],
  ["Last 15 min", "15", "Last [15] min"],
  ["Colours: dark", "dark col", "[Col]ours: [dark]"],
  ["Reset the columns", "recol", "[Re]set the [col]umns"],
  ["Status", "xyz", null],
  ["Sign out", "gn", "Si[gn] out"],
  ["Sort by count", "tu", null],
  ["Clear the query", "che", null],
  ["anything", "", "anything"],
  ["İstanbul", "ist", null],
])("%s by %s", (text, pattern, expected) => {
  expect(marked(text, pattern)).toBe(expected);
});

test("a beginning is better than a word inside, a word better than its middle, letters apart are last", () => {
  const texts = ["the unlogged", "logs", "open logs", "live tail of good services"];
  const score = (text: string) => fuzzyMatch(text, "log")?.score ?? Number.NEGATIVE_INFINITY;
  expect([...texts].sort((a, b) => score(b) - score(a)).slice(0, 3)).toEqual([
    "logs",
    "open logs",
    "the unlogged",
  ]);
});
