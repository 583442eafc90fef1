import { memo, useMemo } from "react";
import { errorLevel, type Level } from "../rows";
import { errorsText } from "../words";
import type { GraphEdge } from "./graph";
import { type Layout, loopOf, middleOf, pathOf, routeOf } from "./layout";
import styles from "./Map.module.css";

interface MapEdgesProps {
  edges: GraphEdge[];
  layout: Layout;
  /** Of the node or the edge that is pointed at; null: all of them are. */
  lit: (edge: GraphEdge) => boolean | null;
  /** Of the open verdicts' paths: "client server" and what goes along it. */
  path: ReadonlyMap<string, string>;
  onPoint: (edge: GraphEdge | null) => void;
}

const heads: Exclude<Level, null>[] = ["warn", "crit"];

/** Calls as curves: the more there are the wider, dashed through queues, coloured when they fail. */
function MapEdgesView({ edges, layout, lit, path: along, onPoint }: MapEdgesProps) {
  const drawn = useMemo(() => edges.map((edge) => drawnEdge(edge, layout)), [edges, layout]);
  return (
    <svg className={styles.edges} aria-hidden="true">
      <defs>
        <marker id="map-head" {...head}>
          <path d="M0 0L8 4L0 8z" className={styles.head} />
        </marker>
        <marker id="map-head-path" {...head}>
          <path d="M0 0L8 4L0 8z" className={styles.head} data-path="true" />
        </marker>
        {heads.map((level) => (
          <marker key={level} id={`map-head-${level}`} {...head}>
            <path d="M0 0L8 4L0 8z" className={styles.head} data-level={level} />
          </marker>
        ))}
      </defs>
      {drawn.map(({ edge, path, level, key }) => (
        <g
          key={edge.id}
          className={styles.edge}
          data-edge={key}
          data-path={along.has(key) || undefined}
          data-level={level ?? undefined}
          data-lit={lit(edge) ?? undefined}
        >
          <path
            d={path}
            className={styles.curve}
            strokeWidth={widthOf(edge.rate)}
            strokeDasharray={edge.type === "messaging" ? "5 4" : undefined}
            markerEnd={`url(#map-head${along.has(key) ? "-path" : level ? `-${level}` : ""})`}
          />
          <path
            d={path}
            className={styles.hit}
            onPointerEnter={() => onPoint(edge)}
            onPointerLeave={() => onPoint(null)}
          />
        </g>
      ))}
      {drawn.map(({ edge, middle, level, key }) => {
        const added = along.get(key);
        const text = added ?? (level ? errorsText(edge.errors) : null);
        if (text === null || !middle) return null;
        const half = Math.max(26, text.length * 3.5 + 6);
        return (
          <g
            key={edge.id}
            className={styles.word}
            data-level={added === undefined ? (level ?? undefined) : undefined}
            data-path={added !== undefined || undefined}
            data-lit={lit(edge) ?? undefined}
          >
            <rect x={middle.x - half} y={middle.y - 9} width={2 * half} height="18" rx="4" />
            <text x={middle.x} y={middle.y + 4}>
              {text}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

export const MapEdges = memo(MapEdgesView);

function drawnEdge(edge: GraphEdge, layout: Layout) {
  const loop = edge.client === edge.server;
  const points = loop ? [] : routeOf(edge.client, edge.server, layout);
  const path = loop ? loopOf(edge.client, layout) : pathOf(points);
  const key = `${edge.client} ${edge.server}`;
  return { edge, path, key, middle: middleOf(points), level: errorLevel(edge.errors) };
}

const head = {
  viewBox: "0 0 8 8",
  refX: 7,
  refY: 4,
  markerUnits: "userSpaceOnUse",
  markerWidth: 8,
  markerHeight: 8,
  orient: "auto",
} as const;

/** Ten times the calls, about half a pixel more. */
export function widthOf(rate: number): number {
  return Math.round(10 * Math.min(4, Math.max(1, 1 + Math.log10(Math.max(rate, 0.1)) / 1.6))) / 10;
}
