import { type CSSProperties, type KeyboardEvent, memo } from "react";
import { Icon } from "../../../components/Icon";
import { errorLevel } from "../rows";
import { errorsText, latencyText, rateWith, typeNames } from "../words";
import type { GraphNode } from "./graph";
import { nodeSize, type Place, xOf } from "./layout";
import styles from "./Map.module.css";

interface MapNodeProps {
  node: GraphNode;
  place: Place;
  selected: boolean;
  /** An open verdict says that it is the bottleneck. */
  culprit: boolean;
  faint: boolean;
  tabIndex: number;
  onOpen: (node: GraphNode) => void;
  onPoint: (id: string | null) => void;
  onFocus: (id: string) => void;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/** A box: what it is called, how much it does, how long it takes; its border says when it fails. */
function MapNodeView(props: MapNodeProps) {
  const { node, place, selected, culprit, faint, tabIndex, onOpen, onPoint, onFocus, onKeyDown } = props;
  const level = errorLevel(node.errors);
  return (
    <button
      type="button"
      data-node={node.id}
      data-type={node.type}
      data-level={level ?? undefined}
      data-selected={selected}
      data-culprit={culprit}
      data-faint={faint}
      className={styles.node}
      style={
        {
          left: xOf(place.column),
          top: place.y - nodeSize.height / 2,
          width: nodeSize.width,
          height: nodeSize.height,
        } as CSSProperties
      }
      tabIndex={tabIndex}
      aria-pressed={node.type === "group" ? undefined : selected}
      onClick={() => onOpen(node)}
      onPointerEnter={() => onPoint(node.id)}
      onPointerLeave={() => onPoint(null)}
      onFocus={() => onFocus(node.id)}
      onKeyDown={onKeyDown}
    >
      <span className={styles.line}>
        <span className={styles.name} title={node.name}>
          {node.name}
        </span>
        {culprit ? (
          <span className={styles.culprit} title="The bottleneck of an open verdict">
            <Icon name="bottleneck" small />
            <span className="visually-hidden">bottleneck</span>
          </span>
        ) : level ? (
          <span className={styles.failing} data-level={level}>
            {errorsText(node.errors)}
            <span className="visually-hidden"> fail</span>
          </span>
        ) : (
          <Kind node={node} />
        )}
      </span>
      <span className={styles.line}>
        <span className={styles.rate}>{rateWith(node.rate, node.type)}</span>
        {node.p95_ns !== null && (
          <span className={styles.latency}>
            <span className="visually-hidden">p95 </span>
            {latencyText(node.p95_ns)}
          </span>
        )}
      </span>
    </button>
  );
}

export const MapNode = memo(MapNodeView);

function Kind({ node: { type, members } }: { node: GraphNode }) {
  if (type === "service") return null;
  if (type === "group")
    return (
      <span className={styles.kind}>
        {members.length}
        <span className="visually-hidden"> as one, opens on the map</span>
      </span>
    );
  if (type === "external") return <span className={styles.kind}>external</span>;
  return (
    <span className={styles.kind} title={typeNames[type]}>
      <Icon name={type === "database" ? "database" : "queue"} small />
      <span className="visually-hidden">{typeNames[type]}</span>
    </span>
  );
}
