import { useElementSize, useMergedRef } from "@mantine/hooks";
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Icon } from "../../../components/Icon";
import { useShortcuts } from "../../../components/useShortcuts";
import type { Painted } from "../../bottlenecks/match";
import { EdgeTip } from "./EdgeTip";
import type { Graph, GraphEdge, GraphNode } from "./graph";
import { boundsOf, type Layout, middleOf, nodeSize, routeOf, xOf } from "./layout";
import styles from "./Map.module.css";
import { MapEdges } from "./MapEdges";
import { MapNode } from "./MapNode";
import { nextNode } from "./move";
import { useViewport } from "./useViewport";

interface MapCanvasProps {
  graph: Graph;
  layout: Layout;
  selected: string | null;
  /** Nodes that are searched for; null: none in particular. */
  found: ReadonlySet<string> | null;
  /** The open verdicts' paths and culprits. */
  painted: Painted;
  onOpen: (node: GraphNode) => void;
  onArrange: () => void;
  children: ReactNode;
}

/** The drawing: pan, zoom, point, open. Arrows go from node to node, Enter opens. */
export function MapCanvas({
  graph,
  layout,
  selected,
  found,
  painted,
  onOpen,
  onArrange,
  children,
}: MapCanvasProps) {
  const { nodes, edges } = graph;
  const { ref: sized, width, height } = useElementSize<HTMLDivElement>();
  const ids = useMemo(() => nodes.map(({ id }) => id), [nodes]);
  const bounds = useMemo(() => boundsOf(ids, layout), [ids, layout]);
  const { frame, view, zoom, showAll, show, wasDragged, handlers } = useViewport(bounds, width, height);
  const box = useMergedRef(sized, frame);
  const [pointed, setPointed] = useState<string | null>(null);
  const [edge, setEdge] = useState<GraphEdge | null>(null);
  const [focused, setFocused] = useState<string | null>(null);
  useShortcuts({
    "+": () => zoom(1.25),
    "=": () => zoom(1.25),
    "-": () => zoom(0.8),
    "0": showAll,
  });

  const reveal = useCallback(
    (id: string) => {
      const place = layout.places.get(id);
      if (!place) return;
      const left = xOf(place.column);
      const top = place.y - nodeSize.height / 2;
      show({ left, top, right: left + nodeSize.width, bottom: top + nodeSize.height });
    },
    [layout, show],
  );
  // What is opened by a link or the search comes into sight, once.
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (width === 0 || selected === shown.current) return;
    shown.current = selected;
    if (selected !== null) reveal(selected);
  }, [selected, width, reveal]);

  const onKeyDown = useCallback(
    (event: KeyboardEvent<HTMLElement>) => {
      const at = event.currentTarget.dataset.node ?? "";
      const next = nextNode(event.key, at, ids, layout);
      if (next === null) return;
      event.preventDefault();
      const boxes = [...(frame.current?.querySelectorAll<HTMLElement>("[data-node]") ?? [])];
      boxes.find(({ dataset }) => dataset.node === next)?.focus();
      reveal(next);
    },
    [ids, layout, reveal, frame],
  );
  const open = useCallback(
    (node: GraphNode) => {
      if (!wasDragged()) onOpen(node);
    },
    [onOpen, wasDragged],
  );
  const lit = useCallback(
    (one: GraphEdge) => {
      if (edge) return one.id === edge.id;
      if (pointed !== null) return one.client === pointed || one.server === pointed;
      return null;
    },
    [edge, pointed],
  );
  const near = useMemo(() => {
    const around = edge ? [edge] : edges.filter((one) => one.client === pointed || one.server === pointed);
    return edge || pointed !== null
      ? new Set([...around.flatMap(({ client, server }) => [client, server]), pointed ?? ""])
      : null;
  }, [edge, edges, pointed]);
  const names = useMemo(() => new Map(nodes.map(({ id, name }) => [id, name])), [nodes]);
  const isFaint = (id: string) => (near ? !near.has(id) : found !== null && !found.has(id));
  const stop = focused !== null && ids.includes(focused) ? focused : ids[0];
  const middle = edge && middleOf(routeOf(edge.client, edge.server, layout));
  const dots = `${24 * view.scale}px ${24 * view.scale}px`;
  return (
    <div
      ref={box}
      className={styles.canvas}
      style={{ backgroundPosition: `${view.x}px ${view.y}px`, backgroundSize: dots }}
      data-found={found !== null && near === null}
      {...handlers}
    >
      <div
        className={styles.world}
        style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      >
        <MapEdges edges={edges} layout={layout} lit={lit} path={painted.edges} onPoint={setEdge} />
        {nodes.map((node) => {
          const place = layout.places.get(node.id);
          return (
            place && (
              <MapNode
                key={node.id}
                node={node}
                place={place}
                selected={node.id === selected}
                culprit={painted.culprits.has(node.id)}
                faint={isFaint(node.id)}
                tabIndex={node.id === stop ? 0 : -1}
                onOpen={open}
                onPoint={setPointed}
                onFocus={setFocused}
                onKeyDown={onKeyDown}
              />
            )
          );
        })}
      </div>
      {edge && middle && (
        <EdgeTip
          edge={edge}
          names={names}
          at={{ x: middle.x * view.scale + view.x, y: middle.y * view.scale + view.y }}
          width={width}
        />
      )}
      {children}
      <div className={styles.zoom}>
        <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoom(1.25)}>
          <Icon name="plus" small />
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => zoom(0.8)}>
          <Icon name="minus" small />
        </button>
        <button type="button" aria-label="Show all" title="Show all (0)" onClick={showAll}>
          <Icon name="full" small />
        </button>
        <button
          type="button"
          aria-label="Arrange anew"
          title="Arrange anew: nodes keep their places until then"
          onClick={() => {
            onArrange();
            showAll();
          }}
        >
          <Icon name="services" small />
        </button>
      </div>
    </div>
  );
}
