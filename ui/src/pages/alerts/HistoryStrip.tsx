import styles from "./HistoryStrip.module.css";
import { type Cell, stripSentence } from "./history";
import type { Severity } from "./model";

/** A day in half hours: full bars fired, half ones were pending. */
export function HistoryStrip({ cells, severity }: { cells: Cell[]; severity: Severity }) {
  return (
    <span
      className={styles.strip}
      data-severity={severity}
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
