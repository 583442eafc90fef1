import { describe, expect, test } from "vitest";
import { acyclic, columnsOf, crossings, type Link, layersOf, orderColumns, type Slot } from "./layers";
import { boundsOf, type Layout, layoutOf, middleOf, nodeSize, pathOf, routeOf, spaced, xOf } from "./layout";

/** Reproducible numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Sample {
  ids: string[];
  links: Link[];
}

/** Calls that mostly go from earlier to later names; `back` is the share of those that lead back. */
function sample(seed: number, count: number, back: number): Sample {
  const next = numbers(seed);
  const ids = Array.from({ length: count }, (_, at) => `s${String(at).padStart(3, "0")}`);
  const links: Link[] = [];
  for (let at = 1; at < count; at += 1)
    for (let times = 0; times < 1 + next() * 1.6; times += 1) {
      const from = ids[Math.floor(next() * at)] ?? "";
      const to = ids[at] ?? "";
      links.push(next() < back ? { from: to, to: from } : { from, to });
    }
  return { ids, links };
}

function shuffled<T>(list: T[], seed: number): T[] {
  const next = numbers(seed);
  return list
    .map((one) => [next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

/** Pairs of nodes that lie upon each other, and lines that run through nodes. */
function faults({ ids, links }: Sample, layout: Layout): string[] {
  const found: string[] = [];
  for (const [at, one] of ids.entries())
    for (const other of ids.slice(at + 1)) {
      const [a, b] = [layout.places.get(one), layout.places.get(other)];
      if (!a || !b) found.push(`${one} or ${other} has no place`);
      else if (a.column === b.column && Math.abs(a.y - b.y) < nodeSize.height + 8)
        found.push(`${one} touches ${other}`);
    }
  for (const { from, to } of links)
    for (const point of layout.lanes.get(`${from}\n${to}`) ?? [])
      for (const id of ids) {
        const place = layout.places.get(id);
        if (place?.column === point.column && Math.abs(place.y - point.y) < nodeSize.height / 2 + 4)
          found.push(`${from} to ${to} runs through ${id}`);
      }
  return found;
}

const samples: [name: string, sample: Sample][] = [
  ["nothing", { ids: [], links: [] }],
  ["one", { ids: ["a"], links: [] }],
  ["calls itself", { ids: ["a"], links: [{ from: "a", to: "a" }] }],
  [
    "two that call each other",
    {
      ids: ["a", "b"],
      links: [
        { from: "a", to: "b" },
        { from: "b", to: "a" },
      ],
    },
  ],
  [
    "a ring",
    {
      ids: ["a", "b", "c", "d"],
      links: ["ab", "bc", "cd", "da"].map((pair) => ({ from: pair[0] ?? "", to: pair[1] ?? "" })),
    },
  ],
  ["strangers", { ids: ["a", "b", "c"], links: [] }],
  ...Array.from({ length: 12 }, (_, seed): [string, Sample] => [
    `${8 + seed * 6} nodes`,
    sample(seed + 1, 8 + seed * 6, seed % 3 === 0 ? 0.15 : 0),
  ]),
];

describe.each(samples)("%s", (_, { ids, links }) => {
  const layout = layoutOf(ids, links);

  test("no node lies upon another, no line runs through one", () => {
    expect(faults({ ids, links }, layout)).toEqual([]);
  });

  test("the same layout in whatever order it comes, and again", () => {
    expect(layoutOf(ids, links)).toEqual(layout);
    for (const seed of [3, 8])
      expect(layoutOf(shuffled(ids, seed), shuffled(links, seed + 1))).toEqual(layout);
  });

  test("a refresh with the same nodes moves nothing", () => {
    const again = layoutOf(shuffled(ids, 5), links, layout);
    expect([...again.places].sort()).toEqual([...layout.places].sort());
  });

  test("every call has a line from the one to the other", () => {
    for (const { from, to } of links) {
      if (from === to) continue;
      const points = routeOf(from, to, layout);
      expect(points.length % 2).toBe(0);
      expect(pathOf(points)).toMatch(/^M[-\d. CL]+$/);
      expect(middleOf(points)).not.toBeNull();
    }
  });

  test("one more node: the others stay, it lies free", () => {
    const [caller = "a", called = "a"] = [ids[0], ids.at(-1)];
    const more = {
      ids: [...ids, "new"],
      links: [...links, { from: caller, to: "new" }, { from: "new", to: called }],
    };
    if (ids.length === 0) return;
    const grown = layoutOf(more.ids, more.links, layout);
    for (const id of ids) expect(grown.places.get(id)).toEqual(layout.places.get(id));
    expect(faults(more, grown)).toEqual([]);
    // And from there on it stays, too.
    expect(layoutOf(more.ids, more.links, grown).places).toEqual(grown.places);
  });

  test("who goes and comes back is where it was", () => {
    const gone = ids[1];
    if (gone === undefined) return;
    const rest = ids.filter((id) => id !== gone);
    const without = layoutOf(
      rest,
      links.filter(({ from, to }) => from !== gone && to !== gone),
      layout,
    );
    for (const id of rest) expect(without.places.get(id)).toEqual(layout.places.get(id));
    expect(layoutOf(ids, links, without).places.get(gone)).toEqual(layout.places.get(gone));
  });
});

test("calls go to the right, as long as none leads back", () => {
  for (const seed of [1, 2, 3, 4]) {
    const { ids, links } = sample(seed, 40, 0);
    const { places } = layoutOf(ids, links);
    for (const { from, to } of links)
      expect(places.get(from)?.column ?? 0).toBeLessThan(places.get(to)?.column ?? 0);
  }
});

test("of a ring one call leads back", () => {
  const links = ["ab", "bc", "ca"].map((pair) => ({ from: pair[0] ?? "", to: pair[1] ?? "" }));
  const { places } = layoutOf(["a", "b", "c"], links);
  expect(["a", "b", "c"].map((id) => places.get(id)?.column)).toEqual([0, 1, 2]);
  const [start, ...rest] = routeOf("c", "a", { places, lanes: new Map() });
  expect(start?.x).toBe(xOf(2));
  expect(rest.at(-1)?.x).toBe(nodeSize.width);
});

test("columns are the longest way; a caller that nobody calls stands beside what it calls", () => {
  const ids = ["db", "edge", "job", "shop"];
  const links = [
    { from: "edge", to: "shop" },
    { from: "shop", to: "db" },
    { from: "edge", to: "db" },
    { from: "job", to: "db" },
  ];
  expect([...columnsOf(ids, acyclic(ids, links))].sort()).toEqual([
    ["db", 2],
    ["edge", 0],
    ["job", 1],
    ["shop", 1],
  ]);
});

test("the order has fewer crossings than the alphabet", () => {
  let [before, after] = [0, 0];
  for (let seed = 1; seed <= 20; seed += 1) {
    const { ids, links } = sample(seed, 30, 0);
    const layers = layersOf(ids, links, columnsOf(ids, links));
    const count = () => {
      const place = new Map<Slot, number>();
      for (const column of layers.columns) for (const [at, slot] of column.entries()) place.set(slot, at);
      return crossings(layers.columns, place);
    };
    for (const column of layers.columns) column.sort((a, b) => (a.key < b.key ? -1 : 1));
    before += count();
    orderColumns(layers);
    after += count();
  }
  expect(after).toBeLessThan(before / 3);
});

test("a plain tree has no crossing", () => {
  const ids = ["a", "b", "c", "d", "e", "f", "z"];
  const links = ["zb", "za", "bf", "bc", "ae", "ad"].map((pair) => ({
    from: pair[0] ?? "",
    to: pair[1] ?? "",
  }));
  const { places } = layoutOf(ids, links);
  const y = (id: string) => places.get(id)?.y ?? 0;
  // Whoever is above has its children above.
  expect(Math.sign(y("a") - y("b"))).toBe(Math.sign(Math.max(y("e"), y("d")) - Math.min(y("f"), y("c"))));
  const [upper, lower] =
    y("a") < y("b")
      ? [
          ["d", "e"],
          ["c", "f"],
        ]
      : [
          ["c", "f"],
          ["d", "e"],
        ];
  for (const one of upper ?? []) for (const other of lower ?? []) expect(y(one)).toBeLessThan(y(other));
});

test("another world begins anew", () => {
  const layout = layoutOf(["a", "b"], [{ from: "a", to: "b" }]);
  const links = [
    { from: "x", to: "y" },
    { from: "y", to: "a" },
  ];
  expect(layoutOf(["x", "y", "z", "a"], links, layout)).toEqual(layoutOf(["x", "y", "z", "a"], links));
});

test("heights: order and distances are kept, and nothing nearer to the wish is possible", () => {
  const next = numbers(7);
  for (let round = 0; round < 60; round += 1) {
    const count = 1 + Math.floor(next() * 8);
    const wanted = Array.from({ length: count }, () => Math.round(next() * 300));
    const weights = Array.from({ length: count }, () => (next() < 0.3 ? 3 : 1));
    const gaps = Array.from({ length: count - 1 }, () => 10 + Math.round(next() * 60));
    const found = spaced(wanted, weights, gaps);
    const fits = (values: number[]) =>
      gaps.every((gap, at) => (values[at + 1] ?? 0) - (values[at] ?? 0) >= gap - 1e-6);
    const cost = (values: number[]) =>
      values.reduce((sum, value, at) => sum + (weights[at] ?? 1) * (value - (wanted[at] ?? 0)) ** 2, 0);
    expect(fits(found)).toBe(true);
    for (let tries = 0; tries < 80; tries += 1) {
      const other = found.map((value) => value + (next() - 0.5) * 8);
      if (fits(other)) expect(cost(other)).toBeGreaterThanOrEqual(cost(found) - 1e-6);
    }
  }
});

test("bounds hold every node and line", () => {
  const { ids, links } = sample(9, 30, 0.1);
  const layout = layoutOf(ids, links);
  const bounds = boundsOf(ids, layout);
  if (!bounds) throw new Error("no bounds");
  for (const { column, y } of [...layout.places.values(), ...[...layout.lanes.values()].flat()]) {
    expect(xOf(column)).toBeGreaterThanOrEqual(bounds.left);
    expect(xOf(column) + nodeSize.width).toBeLessThanOrEqual(bounds.right);
    expect(y).toBeGreaterThanOrEqual(bounds.top);
    expect(y).toBeLessThanOrEqual(bounds.bottom);
  }
  expect(boundsOf([], layout)).toBeNull();
});

test("three hundred nodes take a moment", () => {
  const { ids, links } = sample(11, 300, 0.05);
  const startMs = performance.now();
  layoutOf(ids, links);
  expect(performance.now() - startMs).toBeLessThan(4000);
}, 20_000);
