import type { ReactNode } from "react";
import styles from "./List.module.css";

interface StateDotProps {
  /** `some` is in force but nothing is wrong, `none` is quiet. */
  level: "crit" | "warn" | "some" | "none";
  children: ReactNode;
}

/** A state as a dot and a word. */
export function StateDot({ level, children }: StateDotProps) {
  return (
    <span className={styles.dotted} data-level={level}>
      <span className={styles.dot} />
      {children}
    </span>
  );
}
