import { getRouteApi, Link } from "@tanstack/react-router";
import { ApiError } from "../../../api/http";
import { PageHeader } from "../../../app/PageHeader";
import { Icon } from "../../../components/Icon";
import { Message } from "../../../components/Message";
import { useShortcuts } from "../../../components/useShortcuts";
import { formatClockMs, formatDay } from "../../../lib/time/format";
import { zoneLabel } from "../../../lib/time/zone";
import { headline, sentence } from "../../../lib/words";
import { encodeLogsView, plainView as plainLogs } from "../../logs/url";
import { lastSearch } from "../lastSearch";
import { shortId } from "./shortId";
import { TraceBody } from "./TraceBody";
import styles from "./TracePage.module.css";
import { decodeTraceView, encodeTraceView, type TraceViewState } from "./url";
import { useTraceView } from "./useTrace";

const route = getRouteApi("/traces/$traceId");

/** One trace, the whole way: its critical path, its spans as waterfall, flame graph or table, and one span in detail. */
export function TracePage() {
  const { traceId } = route.useParams();
  const state = decodeTraceView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const trace = useTraceView(traceId);
  const refresh = () => void trace.refetch();
  useShortcuts({ r: refresh });
  // Another tab is a step to come back from; what is looked at within one is not.
  const update = (change: Partial<TraceViewState>) =>
    void navigate({
      search: (before: Record<string, unknown>) => encodeTraceView({ ...decodeTraceView(before), ...change }),
      replace: change.tab === undefined && change.frame === undefined,
    });
  const startMs = trace.data ? Date.parse(trace.data.start) : null;
  return (
    <>
      <PageHeader
        title={shortId(traceId)}
        lead={
          <Link to="/traces" search={lastSearch()} className={styles.crumb}>
            Traces
            <Icon name="right" small />
          </Link>
        }
      >
        {startMs !== null && (
          <button
            type="button"
            className={`button ${styles.moment}`}
            title={state.zone === "utc" ? "Show local times" : "Show times in UTC"}
            onClick={() => update({ zone: state.zone === "utc" ? "local" : "utc" })}
          >
            <Icon name="clock" small />
            {formatClockMs(startMs, state.zone)}
            <span className="text3">
              {formatDay(startMs, state.zone)} {zoneLabel(state.zone, startMs)}
            </span>
          </button>
        )}
        <button
          type="button"
          className="button button-icon"
          aria-label="Refresh"
          aria-keyshortcuts="r"
          title="Ask again: spans may have come since (r)"
          onClick={refresh}
        >
          <Icon name="refresh" small />
        </button>
      </PageHeader>
      {trace.data ? (
        <TraceBody
          key={`${traceId} ${trace.dataUpdatedAt}`}
          view={trace.data}
          state={state}
          onChange={update}
        />
      ) : (
        <main className={styles.page}>
          {trace.error ? <Failed traceId={traceId} error={trace.error} onRetry={refresh} /> : <Loading />}
        </main>
      )}
    </>
  );
}

function Failed({ traceId, error, onRetry }: { traceId: string; error: Error; onRetry: () => void }) {
  const missing = error instanceof ApiError && error.status === 404;
  const logs = encodeLogsView({
    ...plainLogs,
    query: `trace_id:${traceId}`,
    range: { from: "now-7d", to: "now" },
  });
  return (
    <Message
      kind={missing ? "empty" : "error"}
      title={missing ? "This trace is not here" : headline(error.message)}
      actions={
        <>
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
          {missing && (
            <>
              <Link to="/logs" search={logs} className="button">
                Search its logs
              </Link>
              <Link to="/traces" className="button">
                Find other traces
              </Link>
            </>
          )}
        </>
      }
    >
      {missing ? (
        <>
          No span carries the id <code>{traceId}</code>. It may not have been sampled, not have arrived yet,
          or be older than what is kept.
        </>
      ) : error instanceof ApiError && error.hint ? (
        sentence(error.hint)
      ) : null}
    </Message>
  );
}

const loadingBars = [96, 12, 90, 8, 76, 6, 22, 24, 20, 30, 12, 18];

function Loading() {
  return (
    <div className={styles.loading}>
      <span className="visually-hidden" role="status">
        Loading the trace
      </span>
      {loadingBars.map((percent, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars never change
        <div key={at} className={styles.loadingRow}>
          <span className="skeleton" style={{ width: `${40 + ((at * 37) % 50)}%` }} />
          <span
            className="skeleton"
            style={{ width: `${percent}%`, marginLeft: `${Math.min(at * 3, 40)}%` }}
          />
        </div>
      ))}
    </div>
  );
}
