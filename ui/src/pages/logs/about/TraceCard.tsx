import { ApiError } from "../../../api/http";
import type { LogRecord } from "../../../api/logs";
import { TraceLink } from "../../../components/TraceLink";
import { plural } from "../../../lib/number";
import { formatNanos } from "../../../lib/time/nanosText";
import { errorStatus, nameOf, rootRow, serviceOf, type TraceView } from "../../../lib/trace/view";
import { sentence } from "../../../lib/words";
import { shortId } from "../../traces/trace/shortId";
import { useTraceView } from "../../traces/trace/useTrace";
import styles from "./About.module.css";
import { placeIn, traceBars } from "./traceBars";

const barLimit = 5;

/** The trace that the record was written in: what it was, how long it took, and where in it the record lies. */
export function TraceCard({ record, traceId }: { record: LogRecord; traceId: string }) {
  const { data: view, error } = useTraceView(traceId);
  const missing = (error instanceof ApiError && error.status === 404) || view?.spans.count === 0;
  return (
    <section className={styles.card} aria-label="Trace">
      {missing ? (
        <p className={styles.note}>
          Trace {shortId(traceId)} is not stored: it was not sampled, has not arrived yet, or is older than
          what is kept.
        </p>
      ) : error ? (
        <p className={styles.note} role="alert">
          The trace did not come: {sentence(error.message)}
        </p>
      ) : view ? (
        <Summary record={record} view={view} />
      ) : (
        <div className={`${styles.loading} skeleton`} />
      )}
    </section>
  );
}

function Summary({ record, view }: { record: LogRecord; view: TraceView }) {
  const { spans } = view;
  const root = rootRow(view);
  const own = record.span_id === null ? -1 : spans.id.indexOf(record.span_id);
  const failed = spans.status.filter((one) => one === errorStatus).length;
  const [slowest] = view.pathByService;
  return (
    <>
      <div className={styles.head}>
        <TraceLink traceId={view.traceId} spanId={record.span_id} className={`link ${styles.name}`}>
          {serviceOf(view, root)} {nameOf(view, root)}
        </TraceLink>
        <span className="text1">{formatNanos(view.durationNs)}</span>
        <span>
          {plural(spans.count, "span")}, {plural(view.services.length, "service")}
          {failed > 0 && <span className={styles.failed}>, {plural(failed, "error")}</span>}
        </span>
      </div>
      <Bars view={view} place={placeIn(view, record.timestamp)} />
      <p>
        {own >= 0 && own !== root && (
          <>
            This record: {serviceOf(view, own)} {nameOf(view, own)}, {formatNanos(spans.durationNs[own] ?? 0)}
            .{" "}
          </>
        )}
        {slowest && view.services.length > 1 && (
          <>
            {formatNanos(slowest.ns)} of {formatNanos(view.durationNs)} in {slowest.service}.
          </>
        )}
      </p>
    </>
  );
}

/** The text beside them says what can be said. */
function Bars({ view, place }: { view: TraceView; place: number | null }) {
  return (
    <div className={styles.bars} aria-hidden="true">
      {traceBars(view, barLimit).map(({ service, from, width, colour }) => (
        <span key={service} className={styles.track} title={service}>
          <span style={{ left: `${from * 100}%`, width: `${width * 100}%`, background: colour }} />
        </span>
      ))}
      {place !== null && <span className={styles.place} style={{ left: `${place * 100}%` }} />}
    </div>
  );
}
