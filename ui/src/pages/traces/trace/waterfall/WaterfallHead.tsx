import type { ReactNode } from "react";
import { Icon } from "../../../../components/Icon";
import styles from "../TracePage.module.css";

interface WaterfallHeadProps {
  /** Where the bars begin and end below. */
  left: number;
  right: number;
  zoomed: boolean;
  onWhole: () => void;
  onZoom: (factor: number) => void;
  onOpenAll: () => void;
  onCloseAll: () => void;
  children: ReactNode;
}

/** Over the names what opens and closes them all, over the bars the minimap. */
export function WaterfallHead(props: WaterfallHeadProps) {
  const { left, right, zoomed, onWhole, onZoom, onOpenAll, onCloseAll, children } = props;
  return (
    <div className={styles.waterfallHead}>
      <div className={styles.folding} style={{ width: Math.max(0, left - 10) }}>
        <button type="button" className="link small" onClick={onOpenAll}>
          Open all
        </button>
        <button type="button" className="link small" onClick={onCloseAll}>
          Close all
        </button>
      </div>
      <div className={styles.minimap} style={{ left, width: Math.max(0, right - left) }}>
        {children}
      </div>
      <div className={styles.zooming} style={{ left: right + 16 }}>
        <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => onZoom(0.6)}>
          <Icon name="plus" small />
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out (−)" onClick={() => onZoom(1 / 0.6)}>
          <Icon name="minus" small />
        </button>
        {zoomed && (
          <button type="button" aria-label="Show all" title="Show all (0)" onClick={onWhole}>
            <Icon name="full" small />
          </button>
        )}
      </div>
    </div>
  );
}
