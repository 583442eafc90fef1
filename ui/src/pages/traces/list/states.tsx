import { useQuery } from "@tanstack/react-query";
import { fetchStatus } from "../../../api/status";
import { CodeBlock } from "../../../components/CodeBlock";
import { Message } from "../../../components/Message";
import { formatSpan } from "../../../lib/time/format";
import { type Range, rangeName, type Span } from "../../../lib/time/range";
import { zoneLabel } from "../../../lib/time/zone";
import type { TracesView } from "../url";
import styles from "./TraceRows.module.css";

/** The rows' shape, after 200 ms. */
export function LoadingRows() {
  return (
    <div className={styles.loading}>
      <span className="visually-hidden" role="status">
        Searching
      </span>
      {Array.from({ length: 9 }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars never change
        <span key={row} className="skeleton" style={{ width: `${92 - ((row * 23) % 40)}%` }} />
      ))}
    </div>
  );
}

interface NothingMatchedProps {
  view: TracesView;
  span: Span;
  onChange: (change: Partial<TracesView>) => void;
}

/** Why there is nothing, and the next step. Without a query, that is how to send spans. */
export function NothingMatched({ view, span, onChange }: NothingMatchedProps) {
  const everything = view.query.trim() === "" || view.query.trim() === "*";
  const day: Range = { from: "now-24h", to: "now" };
  const named = rangeName(view.range);
  const where = named.startsWith("Last") ? `in the ${named.toLowerCase()}` : "in this time range";
  return (
    <div className={styles.nothing}>
      <Message
        title={everything ? `No trace began ${where}` : `Nothing matched ${where}`}
        actions={
          <>
            {view.range.from !== day.from && (
              <button type="button" className="button" onClick={() => onChange({ range: day })}>
                Search the last 24 h
              </button>
            )}
            {!everything && (
              <button type="button" className="button" onClick={() => onChange({ query: "" })}>
                Show every trace
              </button>
            )}
          </>
        }
      >
        {everything ? (
          "No span has a time in "
        ) : (
          <>
            No span matches <code>{view.query}</code> in{" "}
          </>
        )}
        {formatSpan(span, view.zone, Date.now())} {zoneLabel(view.zone, span.endMs)}.
      </Message>
      {everything && <SendSpans />}
    </div>
  );
}

function SendSpans() {
  const status = useQuery({ queryKey: ["status"], queryFn: ({ signal }) => fetchStatus(signal) });
  if (!status.data) return null;
  const { otlp } = status.data;
  const token = otlp.token_required
    ? '\nexport OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer YOUR_TOKEN"'
    : "";
  return (
    <section className={styles.send} aria-label="Send spans">
      <h2>Send spans</h2>
      <p>
        A program with an OpenTelemetry SDK sends its traces here, or to an agent on its host, which passes
        them on and says which host they come from.
      </p>
      <CodeBlock
        label="OTLP settings"
        code={`export OTEL_EXPORTER_OTLP_ENDPOINT=${otlp.http}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_TRACES_EXPORTER=otlp\nexport OTEL_SERVICE_NAME=my-service${token}`}
      />
    </section>
  );
}
