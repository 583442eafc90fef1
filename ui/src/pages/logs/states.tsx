import { ApiError } from "../../api/http";
import { Message } from "../../components/Message";
import { formatMoment, formatSpan } from "../../lib/time/format";
import { type Range, rangeName, type Span } from "../../lib/time/range";
import { zoneLabel } from "../../lib/time/zone";
import { headline, sentence } from "../../lib/words";
import styles from "./states.module.css";
import type { LogsView } from "./url";

/** The rows' shape, after 200 ms. */
export function LoadingRows() {
  return (
    <div className={styles.loading}>
      <span className="visually-hidden" role="status">
        Searching
      </span>
      {Array.from({ length: 18 }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars never change
        <div key={row} className={styles.row}>
          <span className="skeleton" />
          <span className="skeleton" />
          <span className={`skeleton ${styles[`w${row % 4}`]}`} />
        </div>
      ))}
    </div>
  );
}

interface SearchFailedProps {
  error: Error;
  onRetry: () => void;
}

export function SearchFailed({ error, onRetry }: SearchFailedProps) {
  const pointsIntoQuery = error instanceof ApiError && error.position !== null;
  if (pointsIntoQuery) {
    return (
      <Message title="The query cannot be read">
        The line under the query bar says what is wrong, and the underline where. Nothing was searched.
      </Message>
    );
  }
  return (
    <Message
      kind="error"
      title={headline(error.message)}
      actions={
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      }
    >
      {error instanceof ApiError && error.hint ? sentence(error.hint) : null}
    </Message>
  );
}

interface NothingMatchedProps {
  view: LogsView;
  span: Span;
  lastReceivedAt: string | null;
  onChange: (change: Partial<LogsView>) => void;
}

export function NothingMatched({ view, span, lastReceivedAt, onChange }: NothingMatchedProps) {
  const everything = view.query.trim() === "" || view.query.trim() === "*";
  const zone = zoneLabel(view.zone, span.endMs);
  const lastMs = lastReceivedAt === null ? Number.NaN : Date.parse(lastReceivedAt);
  const day: Range = { from: "now-24h", to: "now" };
  return (
    <Message
      title={`Nothing matched ${rangeWords(view.range)}`}
      actions={
        <>
          {view.range.from !== day.from && (
            <button type="button" className="button" onClick={() => onChange({ range: day })}>
              Search the last 24 h
            </button>
          )}
          {!everything && (
            <button type="button" className="button" onClick={() => onChange({ query: "" })}>
              Show every record
            </button>
          )}
        </>
      }
    >
      {everything ? (
        "No record has a time in "
      ) : (
        <>
          No record matches <code>{view.query}</code> in{" "}
        </>
      )}
      {formatSpan(span, view.zone, Date.now())} {zone}.
      {!Number.isNaN(lastMs) && ` The newest record arrived at ${formatMoment(lastMs, view.zone)} ${zone}.`}
    </Message>
  );
}

function rangeWords(range: Range): string {
  const name = rangeName(range);
  return name.startsWith("Last") ? `in the ${name.toLowerCase()}` : "in this time range";
}
