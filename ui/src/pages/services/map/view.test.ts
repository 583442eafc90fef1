import { describe, expect, test } from "vitest";
import { edgeQueries, windowFor } from "./edgeQueries";
import { layoutOf } from "./layout";
import { widthOf } from "./MapEdges";
import { nextNode } from "./move";
import { fitted, moved, opening, showing, zoomed } from "./viewport";

const bounds = { left: 0, top: 0, right: 1000, bottom: 400 };

describe("the viewport", () => {
  test.each([[{ width: 1200, height: 800 }], [{ width: 500, height: 900 }], [{ width: 3000, height: 400 }]])(
    "shows all of it in %o",
    (size) => {
      const { x, y, scale } = fitted(bounds, size);
      for (const [at, far, limit] of [
        [bounds.left * scale + x, bounds.right * scale + x, size.width],
        [bounds.top * scale + y, bounds.bottom * scale + y, size.height],
      ]) {
        expect(at).toBeGreaterThanOrEqual(0);
        expect(far).toBeLessThanOrEqual(limit ?? 0);
      }
      expect(scale).toBeLessThanOrEqual(1.2);
    },
  );

  test("on a phone it opens where it can be read, at the callers", () => {
    const phone = opening(bounds, { width: 390, height: 700 });
    expect(phone.scale).toBeGreaterThan(fitted(bounds, { width: 390, height: 700 }).scale);
    expect(phone.x).toBeGreaterThanOrEqual(0);
    expect(opening(bounds, { width: 1200, height: 800 })).toEqual(
      fitted(bounds, { width: 1200, height: 800 }),
    );
  });

  test("a zoom keeps the point under the pointer", () => {
    const before = { x: 40, y: -20, scale: 0.8 };
    const at = { x: 300, y: 200 };
    for (const factor of [1.25, 0.8, 50, 0.001]) {
      const after = zoomed(before, factor, at);
      expect((at.x - after.x) / after.scale).toBeCloseTo((at.x - before.x) / before.scale);
      expect((at.y - after.y) / after.scale).toBeCloseTo((at.y - before.y) / before.scale);
      expect(after.scale).toBeGreaterThan(0.1);
      expect(after.scale).toBeLessThan(3);
    }
  });

  test("what is looked for comes into sight, what is in sight does not move", () => {
    const size = { width: 800, height: 600 };
    const view = { x: 0, y: 0, scale: 1 };
    expect(showing(view, { left: 100, top: 100, right: 236, bottom: 146 }, size)).toBe(view);
    const far = { left: 1500, top: -300, right: 1636, bottom: -254 };
    const after = showing(view, far, size);
    expect(far.right + after.x).toBeLessThan(size.width);
    expect(far.top + after.y).toBeGreaterThan(0);
    expect(moved(view, 3, 4)).toEqual({ x: 3, y: 4, scale: 1 });
  });
});

test("arrows go from node to node, and stop at the ends", () => {
  const links = [
    { from: "edge", to: "cart" },
    { from: "edge", to: "shop" },
    { from: "cart", to: "redis" },
    { from: "shop", to: "postgres" },
  ];
  const ids = ["edge", "cart", "shop", "redis", "postgres"];
  const layout = layoutOf(ids, links);
  const go = (from: string, ...keys: string[]) =>
    keys.reduce((at, key) => nextNode(key, at, ids, layout) ?? at, from);
  expect(["cart", "shop"]).toContain(go("edge", "ArrowRight"));
  expect(go("cart", "ArrowRight")).toBe("redis");
  expect(go("redis", "ArrowLeft", "ArrowLeft")).toBe("edge");
  expect([go("cart", "ArrowDown"), go("cart", "ArrowUp")]).toContain("shop");
  expect(nextNode("ArrowLeft", "edge", ids, layout)).toBeNull();
  expect(nextNode("x", "edge", ids, layout)).toBeNull();
});

test("a line is the wider the more calls there are, within limits", () => {
  expect([0, 1, 10, 100, 1000, 1e9].map(widthOf)).toEqual([1, 1, 1.6, 2.3, 2.9, 4]);
});

test("of a database: sums of ten seconds as rates, a share of errors also without any", () => {
  expect(windowFor(5)).toBe(30);
  expect(windowFor(60)).toBe(60);
  expect(windowFor(125)).toBe(130);
  expect(edgeQueries('pg"1', 30)).toEqual({
    rate: 'sum(sum_over_time(narrows_edge_calls{server="pg\\"1"}[30s])) / 30',
    errors:
      '(sum(sum_over_time(narrows_edge_calls{server="pg\\"1", status="error"}[30s])) or sum(sum_over_time(narrows_edge_calls{server="pg\\"1"}[30s])) * 0) / sum(sum_over_time(narrows_edge_calls{server="pg\\"1"}[30s]))',
    p95: 'histogram_quantile(0.95, sum(sum_over_time(narrows_edge_client_seconds{server="pg\\"1"}[30s])))',
  });
});
