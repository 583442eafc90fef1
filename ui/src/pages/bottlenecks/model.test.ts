import { describe, expect, test } from "vitest";
import type { WatchState } from "../../api/bottlenecks";
import {
  amountText,
  barsOf,
  beforeNowText,
  culpritPlace,
  entityText,
  fixText,
  headlineParts,
  hopText,
  impactText,
  kindText,
  lastedText,
  markOf,
  noteText,
  precisionText,
  shortId,
  sliText,
  stateOf,
  unwatchedText,
} from "./model";
import { culpritOf, hopOf, onsetS, storedOf, verdictOf } from "./sample";

const plain = (text: string | null) => text?.replaceAll("\u00a0", " ");

test.each([
  ["open", storedOf(verdictOf()), "open", "warn"],
  ["open with an alert", storedOf(verdictOf(), { alerts: ["f"] }), "open", "crit"],
  ["not localised", storedOf(verdictOf({ state: "not_localised" })), "not_localised", "vague"],
  ["closed", storedOf(verdictOf(), { closed_s: onsetS + 60 }), "closed", "over"],
  [
    "closed, never localised",
    storedOf(verdictOf({ state: "not_localised" }), { closed_s: 1 }),
    "closed",
    "over",
  ],
] as const)("%s", (_, stored, state, mark) => {
  expect(stateOf(stored)).toBe(state);
  expect(markOf(stored)).toBe(mark);
});

describe("amounts", () => {
  test.each([
    [690, "latency", "690 ms"],
    [5200, "latency", "5.2 s"],
    [0.3, "latency", "300 µs"],
    [0.0593, "errors", "5.93 %"],
  ] as const)("%d of %s", (value, sli, text) => {
    expect(plain(amountText(value, sli))).toBe(text);
  });

  test.each([
    [118, 878, "latency", "118 → 878 ms"],
    [0.3, 9.1, "latency", "300 µs → 9.1 ms"],
    [180, 1940, "latency", "180 ms → 1.94 s"],
    [0.0012, 0.0642, "errors", "0.12 → 6.42 %"],
  ] as const)("%d to %d", (before, now, sli, text) => {
    expect(plain(beforeNowText(before, now, sli))).toBe(text);
  });

  test("calls are said where there is more than one", () => {
    expect(plain(hopText(hopOf("db", 61, 0, { baseline: 1.2, now: 62, calls: 11.3 }), "latency"))).toBe(
      "1.2 → 62 ms × 11.3 calls",
    );
    expect(plain(hopText(hopOf("a", 5, 0), "latency"))).toBe("10 → 15 ms");
  });

  test("who is gone answers nothing", () => {
    expect(plain(hopText(hopOf("a", 5, 0, { baseline: 22.5, now: 0, calls: 1 }), "latency"))).toBe(
      "22.5 ms → no answer",
    );
  });

  test("what is not known is a dash", () => {
    expect(plain(hopText(hopOf("a", 5, 0, { baseline: Number.NaN, now: Number.NaN }), "latency"))).toBe(
      "– → –",
    );
  });
});

describe("names", () => {
  test.each([
    [{}, "db"],
    [{ type: "edge", peer: "shop" }, "db → shop"],
    [{ type: "process", process: "stress", host: "app-4" }, "stress on app-4"],
    [{ type: "process", process: "stress" }, "stress"],
    [{ type: "host", host: "app-4" }, "app-4"],
  ])("%j", (more, text) => {
    expect(entityText(culpritOf("db", more).entity)).toBe(text);
  });

  test.each([
    ["slow_statement", "missing_index", "Slow statement, missing index"],
    ["n_plus_one", null, "N+1 calls"],
    ["cpu_saturation", null, "CPU saturation"],
    ["something_new", null, "Something new"],
  ])("%s", (kind, subkind, text) => {
    expect(kindText({ kind, subkind })).toBe(text);
  });

  test("the statement in the sentence is marked, once", () => {
    expect(headlineParts("db SELECT 1 adds 80", culpritOf("db", { statement: "SELECT 1" }))).toEqual([
      { text: "db ", isCulprit: false },
      { text: "SELECT 1", isCulprit: true },
      { text: " adds 80", isCulprit: false },
    ]);
    expect(headlineParts("db adds 80", culpritOf("db", { statement: "SELECT 1" }))).toHaveLength(1);
    expect(headlineParts("x", null)).toEqual([{ text: "x", isCulprit: false }]);
  });

  test.each([
    ["v_01jd7q8m2x", "v_01jd7q8m2x"],
    ["01JD7Q8M2X5T9V3W", "01JD7Q8M2X5T…"],
  ])("%s", (id, text) => {
    expect(shortId(id)).toBe(text);
  });
});

describe("the culprit on the path", () => {
  const path = [hopOf("edge", 9, 8), hopOf("shop", 8, 7), hopOf("db", 7, 0)];
  test.each([
    ["a node", culpritOf("shop"), { hop: 1, isEdge: false }],
    ["an edge", culpritOf("edge", { type: "edge", peer: "shop" }), { hop: 0, isEdge: true }],
    ["one that the path does not name", culpritOf("other"), { hop: 2, isEdge: false }],
    ["none", null, { hop: null, isEdge: false }],
  ])("%s", (_, culprit, expected) => {
    expect(culpritPlace({ culprit, path })).toEqual(expected);
  });
  test("without a path", () => {
    expect(culpritPlace({ culprit: culpritOf("db"), path: [] }).hop).toBeNull();
  });
});

describe("sentences", () => {
  test("confidence is a rate that was measured", () => {
    expect(plain(precisionText({ level: "high", precision: 0.96, cases: 142 }))).toBe(
      "this level is right in 96 % of 142 test cases",
    );
    expect(precisionText({ level: "low", precision: null, cases: 0 })).toMatch(/^not measured yet/);
    expect([barsOf({ level: "high", precision: null, cases: 0 }), barsOf(null)]).toEqual([3, 1]);
  });

  test("the fix condition says whether it is enough", () => {
    const fix = { expected: 40, threshold: 50, is_enough: true };
    expect(plain(fixText(verdictOf({ fix })))).toBe(
      "Without it a mean of 40 ms is expected, under the 50 ms that is still normal.",
    );
    expect(fixText(verdictOf({ fix: { ...fix, is_enough: false } }))).toMatch(/more contributes\.$/);
    expect(fixText(verdictOf())).toBeNull();
  });

  test("who is hit", () => {
    const impact = { operations: [], requests_affected: 9120, share: 0.71 };
    expect(plain(impactText(verdictOf({ impact })) ?? "")).toBe("9,120 slow requests, 71 % of all");
    expect(impactText(verdictOf())).toBeNull();
  });

  test.each([
    ["bottleneck", "The bottleneck: it adds 80 ms of 100 ms to edge GET /."],
    ["contributes", "It contributes to the bottleneck of edge GET /, which is db."],
    ["other", "edge GET / is slow because of db: 80 ms of 100 ms."],
  ] as const)("in other pages: %s", (role, text) => {
    expect(plain(noteText(storedOf(verdictOf()), role))).toBe(text);
  });

  test.each([
    ["bottleneck", "The bottleneck: it adds 23 s of 24 s to the wait in rabbitmq orders."],
    ["other", "Messages wait in rabbitmq orders because of worker: 23 s of 24 s."],
    [null, "Messages wait 24 s longer in rabbitmq orders; not localised."],
  ] as const)("of a queue messages wait: %s", (role, text) => {
    const symptom = {
      ...verdictOf().symptom,
      ...{ service: "rabbitmq", operation: "orders", baseline: 100, now: 24100, is_queue: true },
    };
    const culprit = role === null ? null : { ...culpritOf("worker"), contribution: 23000 };
    const verdict = verdictOf({ symptom, culprit });
    expect(plain(noteText(storedOf(verdict), role ?? "other"))).toBe(text);
    const impact = { operations: [], requests_affected: 120, share: 1 };
    expect(plain(impactText({ symptom, impact }) ?? "")).toBe("120 late messages, 100 % of all");
    expect(sliText(symptom)).toBe("wait of messages");
  });

  test("in other pages: not localised", () => {
    expect(plain(noteText(storedOf(verdictOf({ culprit: null })), "other"))).toBe(
      "edge GET / is 100 ms slower; not localised.",
    );
  });

  test("how long", () => {
    expect(plain(lastedText(storedOf(verdictOf()), (onsetS + 860) * 1000))).toBe("14 min 20 s");
    expect(plain(lastedText(storedOf(verdictOf(), { closed_s: onsetS + 60 }), 9e15))).toBe("1 min");
  });

  test("no verdict is good news only where somebody looks", () => {
    const said = (watch: WatchState, looked_at_s: number | null) =>
      unwatchedText({ watch, looked_at_s }, "utc");
    expect(said("on", onsetS)).toBeNull();
    expect(said("on", null)?.title).toBe("Not looked yet.");
    expect(said("off", null)?.title).toBe("Not watched.");
    expect(said("late", onsetS)?.why).toContain("at 10:03:20");
    expect(said("late", null)?.why).toContain("has succeeded yet");
  });
});
