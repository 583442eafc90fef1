import { expect, test } from "vitest";
import type { LogRecord } from "../../../api/logs";
import type { Pattern, PatternsAnswer } from "../../../api/patterns";
import { momentOf, ownPattern } from "./ownPattern";

const record = {
  id: "0-7",
  timestamp: "2026-11-25T10:17:39.999999999Z",
  service: "check out",
  host: null,
  body: "deadline exceeded",
} as LogRecord;

test("asks for the record's nanosecond, service and host", () => {
  expect(momentOf(record)).toEqual({
    query: 'service:"check out" -host:*',
    start: "2026-11-25T10:17:39.999999999Z",
    end: "2026-11-25T10:17:40.000000000Z",
  });
  expect(momentOf({ ...record, body: null })).toBe(null);
  expect(momentOf({ ...record, timestamp: "yesterday" })).toBe(null);
});

const pattern = (id: string, ...examples: string[]) =>
  ({ id, examples: examples.map((example) => ({ id: example, body: "" })) }) as Pattern;
const answer = (without_pattern: number, ...patterns: Pattern[]) =>
  ({ patterns, without_pattern }) as PatternsAnswer;

test.each([
  ["its example", answer(2, pattern("a", "0-1"), pattern("b", "0-2", "0-7")), "b"],
  ["the only one", answer(0, pattern("a", "0-1", "0-2", "0-3")), "a"],
  ["others are without", answer(1, pattern("a", "0-1")), undefined],
  ["one of several, but which", answer(0, pattern("a", "0-1"), pattern("b", "0-2")), undefined],
  ["none", answer(1), undefined],
])("%s", (_, given, id) => {
  expect(ownPattern(given, record.id)?.id).toBe(id);
});
