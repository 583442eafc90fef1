import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ApiError } from "../../api/http";
import { PromError } from "../../api/prometheus";
import { Message } from "../../components/Message";
import type { Range } from "../../lib/time/range";
import { headline, sentence } from "../../lib/words";
import styles from "./MetricsPage.module.css";
import type { MetricsView } from "./url";

interface AnswerStateProps {
  view: MetricsView;
  answers: UseQueryResult<unknown>[];
  /** How much came. */
  count: number;
  histograms?: number;
  /** The time that was looked at. */
  within: string;
  onChange: (change: Partial<MetricsView>) => void;
  onRetry: () => void;
  children: ReactNode;
}

const day: Range = { from: "now-24h", to: "now" };

/** What stands in the answer's place: nothing asked yet, on its way, refused, empty; or the answer. */
export function AnswerState(props: AnswerStateProps) {
  const { view, answers, count, histograms = 0, within, onChange, onRetry, children } = props;
  const asked = answers.filter((_, at) => {
    const query = view.queries[at];
    return query && !query.hidden && query.text.trim() !== "";
  });
  const failed = asked.find(({ error }) => error !== null)?.error ?? null;
  const unreadable = failed instanceof PromError && failed.status === 400;
  if (asked.length === 0) {
    return (
      <Message title="Write a query, or choose a metric">
        Enter runs the query. The list of metrics says what each one is; a click puts it into the query.
      </Message>
    );
  }
  const failure = failed && (
    <Message
      kind={unreadable ? "empty" : "error"}
      title={unreadable ? "A query cannot be read" : headline(failed.message)}
      actions={
        unreadable ? undefined : (
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        )
      }
    >
      {unreadable
        ? "The line under the query says what is wrong, and the underline where."
        : failed instanceof ApiError && failed.hint
          ? sentence(failed.hint)
          : null}
    </Message>
  );
  // What the other queries gave is shown nevertheless.
  if (count > 0)
    return (
      <>
        {failure}
        {children}
      </>
    );
  if (failure) return failure;
  if (asked.some(({ isPending }) => isPending)) {
    return (
      <div className={styles.loading}>
        <span className="visually-hidden" role="status">
          Asking
        </span>
        <div className={`skeleton ${styles.skeleton}`} />
      </div>
    );
  }
  return (
    <Message
      title={histograms > 0 ? "Only native histograms matched" : "No series matched"}
      actions={
        <>
          {view.range.from !== day.from && (
            <button type="button" className="button" onClick={() => onChange({ range: day })}>
              Look at the last 24 h
            </button>
          )}
          <Link to="/status" className="button">
            How to send metrics
          </Link>
        </>
      }
    >
      {histograms > 0
        ? "They are not drawn: ask for histogram_quantile or histogram_count of them."
        : `Nothing answers in ${within}. A metric's name or a label's value may be written otherwise: the list of metrics has those that there are.`}
    </Message>
  );
}
