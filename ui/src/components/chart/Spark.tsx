import styles from "./Spark.module.css";

interface SparkProps {
  values: (number | null)[];
  /** One sentence for who cannot see the line. */
  label: string;
  /** The top of the scale; without it, the highest value. */
  max?: number;
  level?: "warn" | "crit" | null;
}

const width = 88;
const height = 20;

/** A line on its own scale from zero, gaps left open, the last point dotted; absent below three points. */
export function Spark({ values, label, max, level = null }: SparkProps) {
  const present = values.filter((value) => value !== null);
  if (present.length < 3) return null;
  const top = max ?? Math.max(1e-9, ...present);
  const x = (at: number) => 1 + (at / (values.length - 1)) * (width - 4);
  const y = (value: number) => height - 2 - (Math.min(value, top) / top) * (height - 5);
  let path = "";
  let last: [number, number] | null = null;
  values.forEach((value, at) => {
    if (value === null) return;
    const broken = values[at - 1] === null || values[at - 1] === undefined;
    path += `${broken ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    last = [x(at), y(value)];
  });
  const [lastX, lastY] = last ?? [0, 0];
  return (
    <svg
      className={styles.spark}
      data-level={level ?? undefined}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
    >
      <path className={styles.line} d={path} />
      <circle className={styles.last} cx={lastX} cy={lastY} r="1.75" />
    </svg>
  );
}
