import type { HistogramAnswer } from "../../api/logs";
import { formatExact } from "../../lib/number";
import type { Zone } from "../../lib/time/zone";
import styles from "./HistogramTable.module.css";
import { bucketTime, countsBySeverity, totalAt } from "./histogram";
import { type Marker, markersAt, markerText } from "./markers";

interface HistogramTableProps {
  answer: HistogramAnswer;
  markers: Marker[];
  zone: Zone;
}

/** The histogram's numbers and what happened; buckets without either are left out. */
export function HistogramTable({ answer, markers, zone }: HistogramTableProps) {
  const shown = countsBySeverity(answer).map(([severity]) => severity);
  const buckets = Array.from({ length: answer.buckets }, (_, bucket) => bucket).filter(
    (at) => totalAt(answer, at) > 0 || markersAt(markers, answer, at).length > 0,
  );
  const count = (severity: string, bucket: number) =>
    answer.series.find((series) => series.severity === severity)?.counts[bucket] ?? 0;
  return (
    <section className={styles.scroll} tabIndex={0} aria-label="Records over time, table">
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">From</th>
            {shown.map((severity) => (
              <th key={severity} scope="col">
                {severity}
              </th>
            ))}
            <th scope="col">all</th>
            {markers.length > 0 && <th scope="col">happened</th>}
          </tr>
        </thead>
        <tbody className="tabular">
          {buckets.map((bucket) => (
            <tr key={bucket}>
              <th scope="row">{bucketTime(answer, bucket, zone)}</th>
              {shown.map((severity) => (
                <td key={severity}>{formatExact(count(severity, bucket))}</td>
              ))}
              <td className="text1">{formatExact(totalAt(answer, bucket))}</td>
              {markers.length > 0 && (
                <td>
                  {markersAt(markers, answer, bucket)
                    .map((marker) => markerText(marker, zone))
                    .join("; ")}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
