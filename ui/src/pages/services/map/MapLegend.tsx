import type { Graph } from "./graph";
import styles from "./Map.module.css";

/** What lines and borders mean, of those that are on the map. */
export function MapLegend({ graph: { nodes, edges }, hasPath }: { graph: Graph; hasPath: boolean }) {
  const hasQueues = edges.some(({ type }) => type === "messaging");
  const hasExternals = nodes.some(({ type }) => type === "external");
  return (
    <div className={styles.legend}>
      {hasPath && (
        <span>
          <Line stroke="var(--accent)" />
          path of the open verdict
        </span>
      )}
      <span>
        <Line stroke="var(--line-strong)" />
        calls, width = rate
      </span>
      <span>
        <Line stroke="var(--crit-mark)" />
        fails, from 5&nbsp;%
      </span>
      {hasQueues && (
        <span>
          <Line stroke="var(--line-strong)" dashed />
          queue
        </span>
      )}
      {hasExternals && (
        <span>
          <svg width="20" height="10" aria-hidden="true">
            <rect
              x="0.5"
              y="0.5"
              width="19"
              height="9"
              rx="2"
              fill="none"
              stroke="var(--text-3)"
              strokeDasharray="3 2"
            />
          </svg>
          external
        </span>
      )}
      <span className="text3">p95 in each box</span>
    </div>
  );
}

function Line({ stroke, dashed = false }: { stroke: string; dashed?: boolean }) {
  return (
    <svg width="20" height="8" aria-hidden="true">
      <path d="M0 4H20" stroke={stroke} strokeWidth="2" strokeDasharray={dashed ? "5 4" : undefined} />
    </svg>
  );
}
