import type { ReactNode } from "react";
import { Spark } from "../../components/chart/Spark";
import type { Level } from "./rows";
import styles from "./Trend.module.css";

interface TrendProps {
  values: (number | null)[];
  label: string;
  level?: Level;
  /** The least top of the scale, so that next to nothing looks like it. */
  least?: number;
  children: ReactNode;
}

/** A number and the line that it comes from. */
export function Trend({ values, label, level = null, least = 0, children }: TrendProps) {
  const top = Math.max(least, ...values.filter((value) => value !== null));
  return (
    <span className={styles.trend}>
      <span className={styles.spark}>
        <Spark values={values} label={label} level={level} filled {...(top > 0 && { max: top * 1.2 })} />
      </span>
      <span className={`tabular ${styles.value}`} data-level={level ?? undefined}>
        {children}
      </span>
    </span>
  );
}
