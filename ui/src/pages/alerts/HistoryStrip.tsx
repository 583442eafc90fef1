import styles from "./HistoryStrip.module.css";
import { type Cell, stripSentence } from "./history";

/** A day in half hours: full bars fired, half ones were pending. */
export function HistoryStrip({ cells, severe }: { cells: Cell[]; severe: boolean }) {
  return (
    <span
      className={styles.strip}
      data-level={severe ? "crit" : "warn"}
      role="img"
      aria-label={stripSentence(cells)}
      title={stripSentence(cells)}
    >
      {cells.map((cell, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
        <span key={at} className={styles.cell} data-state={cell ?? undefined} />
      ))}
    </span>
  );
}
