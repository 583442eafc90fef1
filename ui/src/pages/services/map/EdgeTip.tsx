import { errorLevel } from "../rows";
import { errorsText, latencyText, rateWith } from "../words";
import type { GraphEdge } from "./graph";
import styles from "./Map.module.css";

interface EdgeTipProps {
  edge: GraphEdge;
  names: Map<string, string>;
  at: { x: number; y: number };
  /** Of the map, so that it stays within. */
  width: number;
}

/** The numbers of the calls that the pointer is on. */
export function EdgeTip({ edge, names, at, width }: EdgeTipProps) {
  const side = at.x > width / 2 ? { right: width - at.x + 14 } : { left: at.x + 14 };
  const name = (id: string) => names.get(id) ?? id;
  return (
    <div className={`${styles.tip} floating`} style={{ ...side, top: Math.max(8, at.y - 12) }}>
      <div className="text1">
        {name(edge.client)} → {name(edge.server)}
      </div>
      <dl className="tabular">
        <dt>rate</dt>
        <dd>{rateWith(edge.rate, edge.type)}</dd>
        <dt>errors</dt>
        <dd data-level={errorLevel(edge.errors) ?? undefined}>{errorsText(edge.errors)}</dd>
        <dt>p95, caller</dt>
        <dd>{latencyText(edge.client_p95_ns)}</dd>
        {edge.server_p95_ns !== null && (
          <>
            <dt>p95, called</dt>
            <dd>{latencyText(edge.server_p95_ns)}</dd>
          </>
        )}
        {edge.gap_p95_ns !== null && (
          <>
            <dt>p95, between</dt>
            <dd>{latencyText(edge.gap_p95_ns)}</dd>
          </>
        )}
      </dl>
      {edge.parts > 1 && <div className="text3">{edge.parts} calls as one, the slowest p95 of them</div>}
    </div>
  );
}
