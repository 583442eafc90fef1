import { describe, expect, test } from "vitest";
import type { Silence } from "../../api/alertmanager";
import {
  draftOf,
  endMsOf,
  isClean,
  plainDraft,
  previewWarning,
  problemsOf,
  type SilenceDraft,
  silenceOf,
} from "./draft";

const nowMs = Date.parse("2026-11-25T10:17:40.000Z");
const good: SilenceDraft = {
  ...plainDraft,
  matchers: [{ name: "host", op: "=", value: "db-1" }],
  comment: "moved to a larger disk",
};

test("a preset ends so long after it is saved, a text when it says", () => {
  expect(endMsOf(good, "utc", nowMs)).toBe(nowMs + 7_200_000);
  const until = { ...good, forMs: null, untilText: "2026-11-25 12:00:00" };
  expect(endMsOf(until, "utc", nowMs)).toBe(Date.parse("2026-11-25T12:00:00Z"));
  expect(endMsOf({ ...until, untilText: "noon" }, "utc", nowMs)).toBeNull();
});

describe("problemsOf", () => {
  test("a good draft has none", () => {
    expect(isClean(problemsOf(good, "utc", nowMs))).toBe(true);
  });

  const cases: [what: string, draft: Partial<SilenceDraft>, problem: RegExp][] = [
    ["no name", { matchers: [{ name: " ", op: "=", value: "x" }] }, /^Name a label/],
    ["a bad expression", { matchers: [{ name: "a", op: "=~", value: "(" }] }, /no regular expression/],
    ["no matcher", { matchers: [] }, /at least one label/],
    [
      "only what an empty label fulfils",
      { matchers: [{ name: "a", op: "=~", value: ".*" }] },
      /require a value/,
    ],
    ["an empty value", { matchers: [{ name: "a", op: "=", value: "" }] }, /require a value/],
    ["a negation alone", { matchers: [{ name: "a", op: "!=", value: "x" }] }, /require a value/],
    ["an end that is no time", { forMs: null, untilText: "noon" }, /Not a time/],
    ["an end that has passed", { forMs: null, untilText: "2026-11-25 10:00:00" }, /has passed/],
    ["no comment", { comment: "  " }, /Say why/],
  ];
  test.each(cases)("%s", (_, draft, problem) => {
    const { matchers, all, end, comment } = problemsOf({ ...good, ...draft }, "utc", nowMs);
    const said = [...matchers, all, end, comment].filter((one) => one !== null);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(problem);
  });

  test("a loose matcher beside a strict one is fine", () => {
    const matchers = [...good.matchers, { name: "a", op: "!=" as const, value: "x" }];
    expect(isClean(problemsOf({ ...good, matchers }, "utc", nowMs))).toBe(true);
  });
});

test("what is sent", () => {
  expect(silenceOf({ ...good, comment: " why " }, { user: "admin", zone: "utc", nowMs })).toEqual({
    matchers: good.matchers,
    startsAt: "2026-11-25T10:17:40.000Z",
    endsAt: "2026-11-25T12:17:40.000Z",
    createdBy: "admin",
    comment: "why",
  });
});

describe("draftOf", () => {
  const silence: Silence = {
    id: "1",
    matchers: [{ name: "host", value: "db-.*", isRegex: true, isEqual: false }],
    startsAt: "2026-11-25T10:00:00.000Z",
    endsAt: "2026-11-25T12:00:00.000Z",
    updatedAt: "2026-11-25T10:00:00.000Z",
    createdBy: "admin",
    comment: "why",
    status: { state: "active" },
  };
  test("one that holds keeps its times", () => {
    expect(draftOf(silence, "utc", nowMs)).toEqual({
      matchers: [{ name: "host", op: "!~", value: "db-.*" }],
      forMs: null,
      untilText: "2026-11-25 12:00:00",
      startsAt: silence.startsAt,
      comment: "why",
    });
  });
  test("one that ended begins anew", () => {
    const { forMs, startsAt } = draftOf({ ...silence, endsAt: "2026-11-25T10:10:00.000Z" }, "utc", nowMs);
    expect([forMs, startsAt]).toEqual([600_000, null]);
  });
});

test.each([
  [0, 5, /No alert/],
  [5, 5, /every alert.*all 5/],
  [1, 1, null],
  [2, 5, null],
] as const)("%i of %i", (matched, all, said) => {
  const warning = previewWarning(matched, all);
  if (said === null) expect(warning).toBeNull();
  else expect(warning).toMatch(said);
});
