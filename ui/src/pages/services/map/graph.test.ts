import { describe, expect, test } from "vitest";
import type { Edge, EdgeType, MapAnswer } from "../../../api/services";
import { readableNodes, shownGraph } from "./graph";

function edge(
  client: string,
  server: string,
  rate = 1,
  errors: number | null = 0,
  type: EdgeType = "service",
): Edge {
  return {
    client,
    server,
    type,
    rate,
    errors,
    client_p95_ns: rate * 10,
    server_p95_ns: null,
    gap_p95_ns: null,
  };
}

function answer(nodes: [id: string, type?: EdgeType][], edges: Edge[]): MapAnswer {
  return {
    nodes: nodes.map(([id, type = "service"]) => ({ id, type, rate: 2, errors: 0.5, p95_ns: id.length })),
    edges,
    until: null,
    warnings: [],
  };
}

const none: ReadonlySet<string> = new Set();
const shop = answer(
  [
    ["edge"],
    ["shop"],
    ["postgres", "database"],
    ["redis", "database"],
    ["mail", "external"],
    ["shared", "database"],
  ],
  [
    edge("edge", "shop"),
    edge("shop", "postgres", 3, 0, "database"),
    edge("shop", "redis", 1, 1, "database"),
    edge("shop", "mail", 1, null, "external"),
    edge("shop", "shared", 1, 0, "database"),
    edge("edge", "shared", 1, 0, "database"),
  ],
);

test("few nodes are shown one by one, in the order of their names", () => {
  const { graph, grouping, total } = shownGraph(shop, "auto", none);
  expect(grouping).toBe("none");
  expect(total).toBe(6);
  expect(graph.nodes.map(({ id }) => id)).toEqual(["edge", "mail", "postgres", "redis", "shared", "shop"]);
});

test("whoever is only in a call has a node, too", () => {
  const { graph } = shownGraph(
    answer([["a"]], [edge("a", "b", 1, 0, "database"), edge("c", "a")]),
    "none",
    none,
  );
  expect(graph.nodes.map(({ id, type }) => [id, type])).toEqual([
    ["a", "service"],
    ["b", "database"],
    ["c", "service"],
  ]);
});

describe("leaves", () => {
  const { graph } = shownGraph(shop, "leaves", none);

  test("what one service alone calls and what calls nobody is one node", () => {
    expect(graph.nodes.map(({ name, members }) => [name, members])).toEqual([
      ["edge", []],
      ["3 leaves", ["mail", "postgres", "redis"]],
      ["shared", []],
      ["shop", []],
    ]);
  });

  test("with the rates, errors and the slowest latency of all of them", () => {
    expect(graph.nodes[1]).toMatchObject({ type: "group", rate: 6, errors: 0.5, p95_ns: 8 });
    const call = graph.edges.find(({ server }) => server === "leaves of shop");
    expect(call).toMatchObject({ client: "shop", rate: 5, parts: 3, client_p95_ns: 30, type: "service" });
    // 1 of 4 calls whose outcome is known.
    expect(call?.errors).toBeCloseTo(0.25);
  });

  test("an opened one is shown by its members", () => {
    const opened = shownGraph(shop, "leaves", new Set(["leaves of shop"]));
    expect(opened.graph.nodes).toHaveLength(6);
  });

  test("of one kind they are called by it", () => {
    const two = answer(
      [["a"], ["b", "database"], ["c", "database"]],
      [edge("a", "b", 1, 0, "database"), edge("a", "c", 1, 0, "database")],
    );
    const names = shownGraph(two, "leaves", none).graph.nodes.map(({ name }) => name);
    expect(names).toEqual(["a", "2 databases"]);
  });
});

describe("names that begin alike", () => {
  const many = answer(
    [["edge"], ...Array.from({ length: 40 }, (_, at): [string] => [`${at % 2 ? "billing" : "media"}-${at}`])],
    Array.from({ length: 40 }, (_, at) =>
      at < 2
        ? edge("edge", `${at % 2 ? "billing" : "media"}-${at}`)
        : edge(`media-${at - (at % 2)}`, `${at % 2 ? "billing" : "media"}-${at}`),
    ),
  );

  test("are one node when leaves are not enough", () => {
    const { graph, grouping, total } = shownGraph(many, "auto", none);
    expect(total).toBeGreaterThan(readableNodes);
    expect(grouping).toBe("prefix");
    expect(graph.nodes.map(({ name, members }) => [name, members.length])).toEqual([
      ["edge", 0],
      ["billing-*", 20],
      ["media-*", 20],
    ]);
  });

  test("calls within one are not shown, calls of a node to itself are", () => {
    const own = answer([["a"]], [edge("a", "a")]);
    expect(shownGraph(own, "prefix", none).graph.edges).toHaveLength(1);
    const { graph } = shownGraph(many, "prefix", none);
    expect(graph.edges.map(({ client, server }) => `${client} → ${server}`)).toEqual([
      "edge → names with billing-",
      "edge → names with media-",
      "names with media- → names with billing-",
    ]);
  });

  test("one that is opened leaves the others as they are", () => {
    const { graph, grouping } = shownGraph(many, "auto", new Set(["names with billing-"]));
    expect(grouping).toBe("prefix");
    expect(graph.nodes).toHaveLength(22);
    expect(graph.nodes.filter(({ type }) => type === "group").map(({ name }) => name)).toEqual(["media-*"]);
  });

  test("all of them by hand", () => {
    expect(shownGraph(many, "none", none).graph.nodes).toHaveLength(41);
  });
});
