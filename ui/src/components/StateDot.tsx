import type { ReactNode } from "react";
import styles from "./List.module.css";

/** A state as a dot and a word; `none` is quiet. */
export function StateDot({ level, children }: { level: "crit" | "warn" | "none"; children: ReactNode }) {
  return (
    <span className={styles.dotted} data-level={level}>
      <span className={styles.dot} />
      {children}
    </span>
  );
}
