import { describe, expect, test } from "vitest";
import { framesOf, groupsOf, placeFrames, sortGroups } from "./groups";
import { queriesOf, traceOf, type Written } from "./sample";
import { treeOf } from "./tree";

const shop: Written[] = [
  [0, "edge POST", 0, 100],
  [1, "cart get", 0, 40],
  [2, "db SELECT", 0, 30],
  [1, "cart get", 40, 60],
  [2, "db SELECT", 45, 55, { error: true }],
  [1, "stock get", 60, 90],
  [2, "db SELECT", 60, 80],
];
const view = traceOf(shop, [
  [2, 0, 30],
  [1, 30, 40],
  [0, 40, 100],
]);
const tree = treeOf(view);

describe("by operation", () => {
  test("summed up over the trace", () => {
    const select = groupsOf(view, tree).find(({ name }) => name === "SELECT");
    expect(select).toEqual({
      service: "db",
      name: "SELECT",
      count: 3,
      totalNs: 60,
      selfNs: 60,
      pathNs: 30,
      errors: 1,
      longestRow: 2,
    });
    const all = groupsOf(view, tree);
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(view.spans.count);
    expect(all.reduce((sum, { pathNs }) => sum + pathNs, 0)).toBe(100);
  });

  test.each([
    ["path", false, ["edge POST", "db SELECT", "cart get", "stock get"]],
    ["total", false, ["edge POST", "cart get", "db SELECT", "stock get"]],
    ["count", false, ["db SELECT", "cart get", "edge POST", "stock get"]],
    ["operation", false, ["cart get", "db SELECT", "edge POST", "stock get"]],
    ["errors", true, ["stock get", "edge POST", "cart get", "db SELECT"]],
  ] as const)("sorted by %s, reversed: %s", (key, reverse, expected) => {
    const sorted = sortGroups(groupsOf(view, tree), key, reverse);
    expect(sorted.map(({ service, name }) => `${service} ${name}`)).toEqual(expected);
  });
});

describe("as a flame graph", () => {
  const { frames, frameOf } = framesOf(view, tree);
  const called = (at: number) => `${frames[at]?.service} ${frames[at]?.name}`;

  test("spans called by the same way are one frame, and work adds up to the top", () => {
    expect(frames.length).toBe(6);
    expect(frameOf[1]).toBe(frameOf[3]);
    expect(frameOf[2]).toBe(frameOf[4]);
    expect(frameOf[2]).not.toBe(frameOf[6]);
    const carts = frames[frameOf[1] ?? 0];
    expect(carts).toMatchObject({ count: 2, selfNs: 20, totalNs: 60 });
    expect(frames[0]?.totalNs).toBe(view.spans.selfNs.reduce((sum, ns) => sum + ns, 0));
    for (const one of frames) {
      const below = one.children.reduce((sum, child) => sum + (frames[child]?.totalNs ?? 0), 0);
      expect(one.totalNs).toBe(one.selfNs + below);
    }
  });

  test("placed: children within their caller, the largest first", () => {
    const placed = placeFrames(frames, 0, 0);
    expect(placed.length).toBe(frames.length - 1);
    const of = (name: string) => placed.find(({ frame }) => called(frame) === name);
    expect(of("edge POST")).toMatchObject({ level: 0, from: 0, to: 1 });
    expect(of("cart get")).toMatchObject({ level: 1, from: 0, to: 0.6 });
    expect(of("stock get")?.from).toBeCloseTo(0.6);
    expect(placed.filter(({ level }) => level === 2).length).toBe(2);
  });

  test("zoomed: the frame has the whole width, its callers stand above", () => {
    const zoom = frameOf[2] ?? 0;
    const placed = placeFrames(frames, zoom, 0);
    expect(placed.map(({ frame, level }) => [called(frame), level])).toEqual([
      ["cart get", -1],
      ["edge POST", -2],
      ["db SELECT", 0],
    ]);
  });

  test("what is too narrow to be seen is left out", () => {
    const many = queriesOf(3);
    const all = framesOf(many, treeOf(many)).frames;
    expect(placeFrames(all, 0, 0.5).length).toBeLessThan(placeFrames(all, 0, 0).length);
  });

  test("a trace of no time is drawn all the same", () => {
    const still = traceOf([[0, "a x", 5, 5]]);
    const { frames: one } = framesOf(still, treeOf(still));
    expect(placeFrames(one, 1, 0.01)).toEqual([{ frame: 1, level: 0, from: 0, to: 1 }]);
  });
});
