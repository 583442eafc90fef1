import { describe, expect, test } from "vitest";
import { funnelOf, partsOf, roundToSum, scaleOf, segmentsOf, sumsOf } from "./funnel";
import { culpritOf, hopOf, verdictOf } from "./sample";

const texts = (verdict = verdictOf()) =>
  funnelOf(verdict).rows.map(({ hop, text }) => [hop?.service ?? null, text.adds, text.passesOn, text.keeps]);

describe("the keeps sum to the symptom", () => {
  test("a chain: each adds what the one before passes on", () => {
    expect(texts()).toEqual([
      ["edge", "100", "95", "5"],
      ["shop", "95", "80", "15"],
      ["db", "80", "–", "80"],
    ]);
    expect(funnelOf(verdictOf())).toMatchObject({ totalText: "100", unit: "ms" });
  });

  test("thirds round so that their sum is the rounded whole", () => {
    const third = 100 / 3;
    const path = [hopOf("a", 100, 2 * third), hopOf("b", 2 * third, third), hopOf("c", third, 0)];
    const rows = texts(verdictOf({ path, culprit: culpritOf("c") }));
    expect(rows.map(([, , , keeps]) => keeps).sort()).toEqual(["33", "33", "34"]);
    // Each row is right by itself, too.
    for (const [, adds, passesOn, keeps] of rows)
      expect(Number(adds) - (passesOn === "–" ? 0 : Number(passesOn))).toBe(Number(keeps));
  });

  test("what no hop keeps is a row of its own, and counts", () => {
    const path = [hopOf("edge", 100, 30, { keeps: 10, keeps_self: 10 }), hopOf("db", 30, 0)];
    const { rows } = funnelOf(verdictOf({ path }));
    expect(rows.at(-1)).toMatchObject({ hop: null, keeps: 60, text: { keeps: "60" } });
    expect(rows.reduce((sum, { text }) => sum + Number(text.keeps), 0)).toBe(100);
  });

  test.each(Array.from({ length: 40 }, (_, at) => at + 1))("whatever the amounts are (%i)", (seed) => {
    // Numbers that look random and are the same each time.
    const random = (at: number) => Math.abs(Math.sin(seed * 12.9898 + at * 78.233) * 43758.5453) % 1;
    const total = random(0) * 10 ** ((seed % 6) - 1);
    const shares = [0, 1, 2, 3, 4].map((at) => random(at + 1));
    const sum = shares.reduce((all, one) => all + one, 0);
    let adds = total;
    const path = shares.map((share, at) => {
      const passes = at === shares.length - 1 ? 0 : adds - (share / sum) * total;
      const hop = hopOf(`s${at}`, adds, passes);
      adds = passes;
      return hop;
    });
    const symptom = { ...verdictOf().symptom, baseline: 5, now: 5 + total };
    const funnel = funnelOf(verdictOf({ path, symptom, culprit: culpritOf("s4") }));
    const { places } = scaleOf(total, "latency");
    const kept = funnel.rows.reduce((all, { text }) => all + Number(text.keeps.replace("−", "-")), 0);
    expect(kept.toFixed(places)).toBe(Number(funnel.totalText.replaceAll(",", "")).toFixed(places));
  });

  test("nothing on the path is nothing to show but the rest", () => {
    expect(texts(verdictOf({ path: [], culprit: null }))).toEqual([[null, "100", "–", "100"]]);
  });

  test("errors are per cent", () => {
    const symptom = { ...verdictOf().symptom, sli: "errors" as const, baseline: 0.0012, now: 0.0642 };
    const path = [hopOf("edge", 0.063, 0.05), hopOf("pay", 0.05, 0)];
    const funnel = funnelOf(verdictOf({ symptom, path, culprit: culpritOf("pay") }));
    expect(funnel).toMatchObject({ totalText: "6.30", unit: "%" });
    expect(funnel.rows.map(({ text }) => text.keeps)).toEqual(["1.30", "5.00"]);
  });
});

describe("rounding to a sum", () => {
  test.each([
    [[1.4, 1.4, 1.2], 4, 0, [2, 1, 1]],
    [[0.5, 0.5], 1, 0, [1, 0]],
    [[2.25, 2.25], 4.5, 1, [2.3, 2.2]],
    [[-1.5, 3.5], 2, 0, [-1, 3]],
    // Not its parts: the difference stays.
    [[1, 1], 5, 0, [2, 2]],
  ])("%j of %d", (parts, whole, places, expected) => {
    expect(roundToSum(parts, whole, places)[1]).toEqual(expected);
  });
});

describe("what a hop keeps", () => {
  test("is divided; what is none of it is not explained", () => {
    const hop = hopOf("shop", 100, 60, { keeps_self: 10, keeps_queueing: 15, keeps_network: 5 });
    expect(partsOf(hop, false)).toEqual([
      { kind: "self", amount: 10 },
      { kind: "queueing", amount: 15 },
      { kind: "network", amount: 5 },
      { kind: "unexplained", amount: 10 },
    ]);
    expect(partsOf(hop, true)[0]).toEqual({ kind: "culprit", amount: 10 });
  });

  test("rounding leaves no part", () => {
    expect(partsOf(hopOf("db", 80, 0, { keeps_self: 79.99 }), true)).toEqual([
      { kind: "culprit", amount: 79.99 },
    ]);
  });

  test("sums by kind", () => {
    expect(sumsOf(funnelOf(verdictOf()), "latency")).toEqual([
      { kind: "culprit", amount: 80, text: "80" },
      { kind: "self", amount: 20, text: "20" },
    ]);
  });
});

test("the explained bar: of a culprit by kind, without one by candidate", () => {
  expect(segmentsOf(verdictOf()).map(({ kind, share }) => [kind, share])).toEqual([
    ["culprit", 0.8],
    ["self", 0.2],
  ]);
  const contributors = [
    { ...culpritOf("redis"), contribution: 19 },
    { ...culpritOf("a", { type: "edge", peer: "b" }), contribution: 9 },
  ];
  expect(
    segmentsOf(verdictOf({ culprit: null, contributors })).map(({ kind, share }) => [kind, share]),
  ).toEqual([
    ["self", 0.19],
    ["network", 0.09],
    ["unexplained", 0.72],
  ]);
  const symptom = { ...verdictOf().symptom, now: 20 };
  expect(segmentsOf(verdictOf({ symptom }))).toEqual([]);
});

test.each([
  [760, "latency", { unit: "ms", places: 0 }],
  [90, "latency", { unit: "ms", places: 1 }],
  [4.2, "latency", { unit: "ms", places: 2 }],
  [5200, "latency", { unit: "s", places: 2 }],
  [0.063, "errors", { unit: "%", places: 2 }],
  [0.4, "errors", { unit: "%", places: 1 }],
] as const)("%d of %s has three digits", (total, sli, expected) => {
  expect(scaleOf(total, sli)).toMatchObject(expected);
});
