import { expect, test } from "vitest";
import { nextLiveState } from "./liveState";

const state = { query: "error", sinceMs: 1000, paused: true };

test("the same query goes on, another one begins anew and still waits, the end forgets both", () => {
  expect(nextLiveState(null, true, "error", 1000)).toEqual({ query: "error", sinceMs: 1000, paused: false });
  expect(nextLiveState(state, true, "error", 2000)).toBe(state);
  expect(nextLiveState(state, true, "warn", 2000)).toEqual({ query: "warn", sinceMs: 2000, paused: true });
  expect(nextLiveState(state, false, "error", 2000)).toBe(null);
  expect(nextLiveState(null, false, "error", 2000)).toBe(null);
});
