import styles from "./Spark.module.css";

interface SparkProps {
  values: (number | null)[];
  /** One sentence for who cannot see the line. */
  label: string;
  /** The top of the scale; without it, the highest value. */
  max?: number;
  level?: "warn" | "crit" | null;
  /** A tint below the line. */
  filled?: boolean;
  /** Where the onset is, 0 to 1 of the width. */
  onset?: number | null;
}

const width = 88;
const height = 20;

/** A line on its own scale from zero, gaps left open, the last point dotted; absent below three points. */
export function Spark({ values, label, max, level = null, filled = false, onset = null }: SparkProps) {
  const present = values.filter((value) => value !== null);
  if (present.length < 3) return null;
  const top = max ?? Math.max(1e-9, ...present);
  const x = (at: number) => 1 + (at / (values.length - 1)) * (width - 4);
  const y = (value: number) => height - 2 - (Math.min(value, top) / top) * (height - 5);
  let path = "";
  let area = "";
  let start = 0;
  let last: [number, number] | null = null;
  values.forEach((value, at) => {
    if (value === null) return;
    const broken = values[at - 1] === null || values[at - 1] === undefined;
    const point = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    path += `${broken ? "M" : "L"}${point}`;
    if (broken) start = x(at);
    area += `${broken ? `M${start.toFixed(1)} ${height}L` : "L"}${point}`;
    const ends = values[at + 1] === null || values[at + 1] === undefined;
    if (ends) area += `L${x(at).toFixed(1)} ${height}Z`;
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
      {filled && <path className={styles.area} d={area} />}
      {onset !== null && (
        <path className={styles.onset} d={`M${(1 + onset * (width - 4)).toFixed(1)} 0V${height}`} />
      )}
      <path className={styles.line} d={path} />
      <circle className={styles.last} cx={lastX} cy={lastY} r="1.75" />
    </svg>
  );
}
