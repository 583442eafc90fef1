import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { searchLogs } from "../../api/logs";
import { oneLine } from "../../lib/json";
import { formatCount } from "../../lib/number";
import { bounds } from "../../lib/query/question";
import { severityOf, severityRole } from "../../lib/severity";
import { formatClockMs } from "../../lib/time/format";
import { absoluteRange, type Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { sentence } from "../../lib/words";
import { encodeLogsView, plainView } from "../logs/url";
import styles from "./HostPage.module.css";

interface HostLogsProps {
  host: string;
  span: Span;
  zone: Zone;
  generation: number;
}

const shownRecords = 20;

/** The newest records of the host in the same time. */
export function HostLogs({ host, span, zone, generation }: HostLogsProps) {
  const query = `host:${JSON.stringify(host)}`;
  const request = { query, ...bounds(span), order: "newest" as const, limit: shownRecords };
  const logs = useQuery({
    queryKey: ["logs", "host", request, generation],
    queryFn: ({ signal }) => searchLogs(request, signal),
    placeholderData: keepPreviousData,
  });
  const records = logs.data?.records ?? [];
  const link = encodeLogsView({ ...plainView, query, range: absoluteRange(span), zone });
  return (
    <section className={`panel ${styles.chart}`} data-width={12} aria-label="Logs">
      <div className={styles.head}>
        <h2>Logs</h2>
        <span className={styles.sub}>
          {logs.data && records.length > 0
            ? `${query}, the newest ${records.length} of ${formatCount(logs.data.matched)}`
            : query}
        </span>
        <span className="grow" />
        <Link to="/logs" search={link} className="link small">
          Open in Logs
        </Link>
      </div>
      {records.length > 0 ? (
        <ol className={styles.logs}>
          {records.map((record) => {
            const severity = severityOf(record.severity_number);
            return (
              <li key={record.id} className={`mono ${styles.record}`}>
                <span className={styles.mark} style={{ background: `var(--${severityRole[severity]})` }} />
                <span className="visually-hidden">{severity}</span>
                <span className={styles.time}>{formatClockMs(Date.parse(record.timestamp), zone)}</span>
                <span className={styles.service}>{record.service ?? ""}</span>
                <span className={styles.body}>{oneLine(record.body)}</span>
              </li>
            );
          })}
        </ol>
      ) : logs.error ? (
        <p className={styles.empty} role="alert">
          {sentence(logs.error.message)}
        </p>
      ) : logs.isPending ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : (
        <p className={styles.empty}>No record of this host has a time in this range.</p>
      )}
    </section>
  );
}
