import { useEffect, useMemo } from "react";
import type { Graph } from "./graph";
import { type Layout, layoutOf } from "./layout";

/** Of this visit, by what is shown: who comes back to the map finds every node where it was. */
const memory = new Map<string, Layout>();
const memoryLimit = 20;

/** The layout of a graph; it goes on from the one that the same view had before. */
export function useMapLayout(graph: Graph, key: string): Layout {
  const layout = useMemo(
    () =>
      layoutOf(
        graph.nodes.map(({ id }) => id),
        graph.edges.map(({ client, server }) => ({ from: client, to: server })),
        memory.get(key) ?? null,
      ),
    [graph, key],
  );
  useEffect(() => {
    memory.delete(key);
    memory.set(key, layout);
    const oldest = memory.keys().next();
    if (memory.size > memoryLimit && !oldest.done) memory.delete(oldest.value);
  }, [key, layout]);
  return layout;
}

/** The next layout begins from nothing. */
export function forgetLayout(key: string): void {
  memory.delete(key);
}
