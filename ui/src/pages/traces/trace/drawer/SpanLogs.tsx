import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { searchLogs } from "../../../../api/logs";
import { oneLine } from "../../../../lib/json";
import { formatCount } from "../../../../lib/number";
import { bounds } from "../../../../lib/query/question";
import { severityOf, severityRole } from "../../../../lib/severity";
import { formatClockMs } from "../../../../lib/time/format";
import { absoluteRange, type Span } from "../../../../lib/time/range";
import type { Zone } from "../../../../lib/time/zone";
import type { TraceView } from "../../../../lib/trace/view";
import { sentence } from "../../../../lib/words";
import { encodeLogsView, plainView } from "../../../logs/url";
import styles from "./SpanDrawer.module.css";

const shownRecords = 20;
/** Records are written a little before and after what they tell of. */
const marginMs = 60_000;

/** The trace's time as the logs are searched in. */
export function logsSpan(view: TraceView): Span {
  const startMs = Date.parse(view.start);
  return {
    startMs: Math.floor(startMs - marginMs),
    endMs: Math.ceil(startMs + view.durationNs / 1e6 + marginMs),
  };
}

/** The records that carry the span's ids, oldest first. */
export function SpanLogs({ view, spanId, zone }: { view: TraceView; spanId: string; zone: Zone }) {
  const span = logsSpan(view);
  const ofTrace = `trace_id:${view.traceId}`;
  const query = `${ofTrace} span_id:${spanId}`;
  const request = { query, ...bounds(span), order: "oldest" as const, limit: shownRecords };
  const logs = useQuery({
    queryKey: ["logs", "span", request],
    queryFn: ({ signal }) => searchLogs(request, signal),
  });
  const records = logs.data?.records ?? [];
  const link = (text: string) =>
    encodeLogsView({ ...plainView, query: text, range: absoluteRange(span), zone });
  return (
    <section className={styles.section} aria-label="Logs in this span">
      <div className={styles.sectionHead}>
        <h3>Logs in this span</h3>
        {logs.data && <span className={styles.count}>{formatCount(logs.data.matched)}</span>}
        <span className="grow" />
        {records.length > 0 && (
          <Link to="/logs" search={link(query)} className="link small">
            Open in Logs
          </Link>
        )}
        <Link to="/logs" search={link(ofTrace)} className="link small">
          Of the trace
        </Link>
      </div>
      {records.length > 0 ? (
        <ol className={`${styles.logs} mono`}>
          {records.map((record) => {
            const severity = severityOf(record.severity_number);
            const text = oneLine(record.body);
            return (
              <li key={record.id} className={styles.record}>
                <span className={styles.mark} style={{ background: `var(--${severityRole[severity]})` }} />
                <span className="visually-hidden">{severity}</span>
                <span className="text3">{formatClockMs(Date.parse(record.timestamp), zone)}</span>
                <Link
                  to="/logs"
                  search={encodeLogsView({
                    ...plainView,
                    query,
                    range: absoluteRange(span),
                    zone,
                    record: { id: record.id, time: record.timestamp },
                  })}
                  className={styles.body}
                  title={text}
                >
                  {text || "–"}
                </Link>
              </li>
            );
          })}
        </ol>
      ) : logs.error ? (
        <p className={styles.note} role="alert">
          {sentence(logs.error.message)}{" "}
          <button type="button" className="link" onClick={() => void logs.refetch()}>
            Try again
          </button>
        </p>
      ) : logs.isPending ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : (
        <p className={styles.note}>No record carries this span's id.</p>
      )}
    </section>
  );
}
