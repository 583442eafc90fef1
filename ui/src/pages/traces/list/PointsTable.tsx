import { Link } from "@tanstack/react-router";
import type { TracePoint } from "../../../api/traces";
import { formatClockMs } from "../../../lib/time/format";
import { formatNanos } from "../../../lib/time/nanosText";
import type { Zone } from "../../../lib/time/zone";
import styles from "./Scatter.module.css";

const shownPoints = 100;

/** The points as a table, the slowest first. */
export function PointsTable({ points, zone }: { points: TracePoint[]; zone: Zone }) {
  const slowest = [...points].sort((a, b) => b.duration_ns - a.duration_ns).slice(0, shownPoints);
  return (
    <section className={styles.scroll} tabIndex={0} aria-label="Durations over time, table">
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Span</th>
            <th scope="col">Start</th>
            <th scope="col">Duration</th>
            <th scope="col">Failed</th>
          </tr>
        </thead>
        <tbody className="tabular">
          {slowest.map((point) => (
            <tr key={point.trace_id}>
              <td>
                <Link to="/traces/$traceId" params={{ traceId: point.trace_id }} className="link">
                  {point.service} {point.name}
                </Link>
              </td>
              <td>{formatClockMs(Date.parse(point.start), zone)}</td>
              <td>{formatNanos(point.duration_ns)}</td>
              <td>{point.error ? "yes" : "no"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {points.length > shownPoints && (
        <p className={styles.empty}>
          The {shownPoints} slowest of {points.length}.
        </p>
      )}
    </section>
  );
}
