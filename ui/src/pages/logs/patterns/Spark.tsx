import styles from "./Spark.module.css";

interface SparkProps {
  counts: number[];
  /** One sentence for who cannot see the line. */
  label: string;
}

const width = 112;
const height = 20;

/** A line on its own scale from zero, the last point dotted. */
export function Spark({ counts, label }: SparkProps) {
  if (counts.length < 3) return null;
  const max = Math.max(1, ...counts);
  const x = (at: number) => 1 + (at / (counts.length - 1)) * (width - 4);
  const y = (count: number) => height - 2 - (count / max) * (height - 5);
  const line = counts.map((count, at) => `${x(at).toFixed(1)} ${y(count).toFixed(1)}`).join("L");
  const last = counts.length - 1;
  return (
    <svg className={styles.spark} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <path className={styles.area} d={`M1 ${height - 2}L${line}L${x(last)} ${height - 2}Z`} />
      <path className={styles.line} d={`M${line}`} />
      <circle className={styles.last} cx={x(last)} cy={y(counts[last] ?? 0)} r="1.75" />
    </svg>
  );
}
