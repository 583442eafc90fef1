import { expect, test } from "vitest";
import {
  expiryText,
  nameProblem,
  passwordProblem,
  rateText,
  retentionText,
  rolesText,
  shareLevel,
  shareOf,
  tokenState,
} from "./words";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test.each([
  [{}, "no role"],
  [{ "*": "admin" }, "admin everywhere"],
  [{ shop: "editor", default: "viewer" }, "viewer of default, editor of shop"],
] as const)("roles %o", (roles, text) => {
  expect(rolesText(roles)).toBe(text);
});

test.each([
  ["", /^Name the user/],
  ["Ada", /^Small letters/],
  ["-shift", /^Small letters/],
  ["a".repeat(65), /^Small letters/],
  ["with space", /^Small letters/],
  ["admin", /already/],
  ["night-shift.2@shop_a", null],
  ["7", null],
])("a user's name %s", (name, problem) => {
  if (problem === null) expect(nameProblem(name, ["admin"])).toBeNull();
  else expect(nameProblem(name, ["admin"])).toMatch(problem);
});

test("a password has twelve characters, whatever their bytes, and at most 1 KiB", () => {
  expect(passwordProblem("elevenchars")).toMatch(/At least 12/);
  expect(passwordProblem("twelve chars")).toBeNull();
  expect(passwordProblem("😀".repeat(11))).toMatch(/At least 12/);
  expect(passwordProblem("😀".repeat(257))).toMatch(/At most/);
  expect(passwordProblem("x".repeat(1024))).toBeNull();
});

test("when a token expires", () => {
  const nowMs = Date.UTC(2026, 10, 25, 10);
  const at = (days: number) => ({ expires_at: new Date(nowMs + days * 86_400_000).toISOString() });
  expect([-1, 0, 1, 13.9, 14.1].map((days) => tokenState(at(days), nowMs))).toEqual([
    "expired",
    "expired",
    "soon",
    "soon",
    "good",
  ]);
  expect(tokenState({ expires_at: null }, nowMs)).toBe("good");
  expect(plain(expiryText(at(2.5), nowMs))).toBe("in 2 d 12 h");
  expect(plain(expiryText(at(-1), nowMs))).toBe("expired 1 d ago");
  expect(expiryText({ expires_at: null }, nowMs)).toBe("never");
});

test.each([
  ["15d", "15 d"],
  ["0s", "for ever"],
  ["36h", "36 h"],
  ["odd", "odd"],
])("retention %s", (retention, text) => {
  expect(plain(retentionText(retention))).toBe(text);
});

test("limits and how full they are", () => {
  expect(rateText(null, null)).toBe("no limit");
  expect(plain(rateText(20 * 1024 * 1024, 5000))).toBe("20 MiB/s, 5,000 records/s");
  expect(shareOf(80, null)).toBeNull();
  expect(shareOf(80, 100)).toBe(0.8);
  expect([0.79, 0.8, 0.94, 0.95, 1.2].map(shareLevel)).toEqual(["none", "warn", "warn", "crit", "crit"]);
});
