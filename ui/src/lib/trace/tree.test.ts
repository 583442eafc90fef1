import { describe, expect, test } from "vitest";
import { queriesOf, traceOf, type Written } from "./sample";
import { callOf, closedAtFirst, foldLabel, foldsOf, selfIntervals, treeOf } from "./tree";

const shop: Written[] = [
  [0, "edge POST /checkout", 0, 100],
  [1, "edge auth", 2, 10],
  [1, "checkout PlaceOrder", 12, 96],
  [2, "catalog GET /products", 14, 80],
  [3, "db SELECT", 16, 70, { error: true }],
  [2, "mail send", 85, 120, { async: true }],
  [1, "edge log", 97, 99],
];

test("where subtrees end, what of them is on the path and what failed", () => {
  const view = traceOf(shop, [
    [0, 0, 12],
    [2, 12, 14],
    [3, 14, 16],
    [4, 16, 70],
    [3, 70, 80],
    [2, 80, 96],
    [0, 96, 100],
  ]);
  const tree = treeOf(view);
  expect([...tree.end]).toEqual([7, 2, 6, 5, 5, 6, 7]);
  expect([...tree.pathNs]).toEqual([16, 0, 18, 12, 54, 0, 0]);
  expect([...tree.holdsPath]).toEqual([1, 0, 1, 1, 1, 0, 0]);
  expect([...tree.errors]).toEqual([1, 0, 1, 1, 1, 0, 0]);
  const onPath = tree.pathNs.reduce((sum, ns) => sum + ns, 0);
  expect(onPath).toBe(view.durationNs - 20);
});

test("several roots, and orphans among them", () => {
  const tree = treeOf(
    traceOf([
      [0, "a one", 0, 10],
      [1, "a two", 1, 3],
      [0, "b orphan", 4, 8, { orphan: true }],
      [1, "b three", 5, 6],
    ]),
  );
  expect([...tree.end]).toEqual([2, 2, 4, 4]);
});

describe("self time is what no waited-for child covers", () => {
  test.each<[string, Written[], [number, number][]]>([
    ["alone", [[0, "a x", 5, 9]], [[5, 9]]],
    [
      "between children, also where they overlap",
      [
        [0, "a x", 0, 100],
        [1, "b y", 10, 40],
        [1, "b y", 30, 60],
        [1, "b y", 80, 90],
      ],
      [
        [0, 10],
        [60, 80],
        [90, 100],
      ],
    ],
    [
      "a child that runs on longer, and one that nobody waits for",
      [
        [0, "a x", 0, 50],
        [1, "b y", 20, 90],
        [1, "b z", 5, 10, { async: true }],
      ],
      [[0, 20]],
    ],
  ])("%s", (_, written, expected) => {
    const view = traceOf(written);
    expect(selfIntervals(view, treeOf(view), 0).map(({ fromNs, toNs }) => [fromNs, toNs])).toEqual(expected);
  });
});

describe("repeated calls", () => {
  test.each([
    [6, null],
    [7, 3],
    [11, 7],
  ])("of %d calls in a row so many are folded: %s", (count, folded) => {
    const view = queriesOf(count);
    const folds = [...foldsOf(view, treeOf(view), null).values()];
    expect(folds[0]?.rows.length ?? null).toBe(folded);
    if (folded === null) return;
    expect(folds[0]?.rows[0]).toBe(5);
    expect(folds[0]?.end).toBe(count + 1);
    expect(folds[0]?.startNs).toBe(45);
    expect(folds[0]?.endNs).toBe(count * 10 + 4);
  });

  test("only runs of one operation, with what is below each call", () => {
    const calls = (what: string, from: number): Written[] =>
      Array.from({ length: 8 }, (_, at): Written[] => [
        [1, what, from + at, from + at + 1],
        [2, "db inner", from + at, from + at + 1, { error: at === 6 }],
      ]).flat();
    const mixed: Written[] = Array.from(
      { length: 20 },
      (_, at): Written => [1, `a step ${at % 2}`, at, at + 1],
    );
    const view = traceOf([[0, "a root", 0, 40], ...calls("a one", 0), ...calls("b two", 10), ...mixed]);
    const folds = foldsOf(view, treeOf(view), null);
    expect([...folds.keys()]).toEqual([9, 25]);
    expect(folds.get(9)).toMatchObject({ rows: [9, 11, 13, 15], end: 17, errors: 1 });
  });

  test("what is not kept breaks no run and is not counted", () => {
    const view = queriesOf(11);
    const keep = new Uint8Array(view.spans.count).fill(1);
    keep[3] = 0;
    keep[8] = 0;
    expect(foldsOf(view, treeOf(view), keep).get(6)?.rows).toEqual([6, 7, 9, 10, 11]);
  });

  test("which call it is", () => {
    const view = queriesOf(11);
    const tree = treeOf(view);
    expect(callOf(view, tree, 3)).toEqual({ at: 3, of: 11 });
    expect(callOf(view, tree, 12)).toEqual({ at: 1, of: 1 });
    expect(callOf(view, tree, 0)).toEqual({ at: 1, of: 1 });
  });
});

test.each([
  ["SELECT products", 7, "7 more SELECTs"],
  ["GET /products/{id}", 9, "9 more: GET /products/{id}"],
  ["GET cart:1", 3, "3 more GETs"],
  ["resolve", 4, "4 more: resolve"],
])("a fold of %s is called so", (name, count, label) => {
  expect(foldLabel(name, count)).toBe(label);
});

test("a large trace begins with what is off the path closed, but never a failure hidden", () => {
  const side: Written[] = Array.from({ length: 40 }, (_, at): Written[] => [
    [1, `side work ${at}`, at, at + 1],
    [2, "side inner", at, at + 1, { error: at === 5 }],
  ]).flat();
  const view = traceOf(
    [[0, "a root", 0, 100], [1, "a slow", 0, 90], [2, "b slower", 1, 80], ...side],
    [[2, 0, 90]],
  );
  const closed = closedAtFirst(view, treeOf(view));
  expect(closed.size).toBe(39);
  expect(closed.has(1)).toBe(false);
  expect(closed.has(3)).toBe(true);
  expect(closed.has(13)).toBe(false);
  const small = queriesOf(3);
  expect(closedAtFirst(small, treeOf(small)).size).toBe(0);
});
