import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { searchLogs } from "../../../api/logs";
import { oneLine } from "../../../lib/json";
import { bounds } from "../../../lib/query/question";
import { severityOf, severityRole } from "../../../lib/severity";
import { formatClockMs } from "../../../lib/time/format";
import type { Span } from "../../../lib/time/range";
import type { Zone } from "../../../lib/time/zone";
import { sentence } from "../../../lib/words";
import styles from "./Panels.module.css";

interface LogsPanelProps {
  name: string;
  query: string;
  span: Span;
  zone: Zone;
  generation: number;
  enabled: boolean;
}

const shownRecords = 100;

/** The newest records of a query; the rest is a click away. */
export function LogsPanel({ name, query, span, zone, generation, enabled }: LogsPanelProps) {
  const request = { query, ...bounds(span), order: "newest" as const, limit: shownRecords };
  const logs = useQuery({
    queryKey: ["logs", "panel", request, generation],
    queryFn: ({ signal }) => searchLogs(request, signal),
    placeholderData: keepPreviousData,
    enabled,
  });
  const records = logs.data?.records ?? [];
  if (records.length === 0) {
    if (logs.error)
      return (
        <p className={styles.empty} role="alert">
          {sentence(logs.error.message)}
        </p>
      );
    return logs.isPending ? (
      <div className={`skeleton ${styles.skeleton}`} />
    ) : (
      <p className={styles.empty}>No record matches {query} in this time.</p>
    );
  }
  return (
    <section className={styles.scroll} tabIndex={0} aria-label={`${name}, records`}>
      <ol className={styles.logs}>
        {records.map((record) => {
          const severity = severityOf(record.severity_number);
          return (
            <li key={record.id} className={`mono ${styles.record}`}>
              <span className={styles.mark} style={{ background: `var(--${severityRole[severity]})` }} />
              <span className="visually-hidden">{severity}</span>
              <span className="text3">{formatClockMs(Date.parse(record.timestamp), zone)}</span>
              <span className={styles.service}>{record.service ?? ""}</span>
              <span className={styles.body}>{oneLine(record.body)}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
