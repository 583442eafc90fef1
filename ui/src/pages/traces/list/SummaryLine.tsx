import { type ReactNode, useState } from "react";
import type { PointsAnswer, TraceOrder, TracesAnswer } from "../../../api/traces";
import { Icon } from "../../../components/Icon";
import { formatCount, formatTook, plural } from "../../../lib/number";
import styles from "./SummaryLine.module.css";

interface SummaryLineProps {
  answer: TracesAnswer | undefined;
  points: PointsAnswer | undefined;
  /** What the answer is for; null while an older answer stands in. */
  question: string | null;
  order: TraceOrder;
  onOrder: (order: TraceOrder) => void;
  tools: ReactNode;
}

const orders: [order: TraceOrder, name: string][] = [
  ["newest", "Newest"],
  ["slowest", "Slowest"],
  ["oldest", "Oldest"],
];

/** How many traces and spans match, what was searched for it, and in which order they come. */
export function SummaryLine({ answer, points, question, order, onOrder, tools }: SummaryLineProps) {
  const partial = Boolean(answer?.partial || points?.partial);
  const warnings = [...new Set([...(answer?.warnings ?? []), ...(points?.warnings ?? [])])];
  return (
    <div className={styles.area}>
      <Announcement answer={answer} points={points} question={question} />
      <div className={styles.line}>
        <h2 className={styles.title}>
          {answer?.table ? "Result" : "Traces"}{" "}
          <span className={styles.count}>
            {answer?.table
              ? plural(answer.table.rows.length, "row")
              : points && answer
                ? formatCount(Math.max(points.total, answer.traces.length))
                : ""}
          </span>
        </h2>
        {answer && !answer.table && (
          <span className={styles.matched}>
            {answer.whole ? "" : "at least "}
            {plural(answer.matched_spans, "span matches", "spans match")}
          </span>
        )}
        <div className="grow" />
        {partial && (
          <span className="tag tag-warn">
            <Icon name="warning" small />
            partial
          </span>
        )}
        {answer && (
          <span className={styles.searched}>
            searched {formatCount(answer.searched)} spans in{" "}
            <span className="text1">{formatTook(answer.took_ms)}</span>
          </span>
        )}
        {tools}
        {!answer?.table && (
          <div className={styles.orders} role="group" aria-label="Order">
            {orders.map(([one, name]) => (
              <button
                key={one}
                type="button"
                className={styles.order}
                aria-pressed={one === order}
                onClick={() => onOrder(one)}
              >
                {name}
              </button>
            ))}
          </div>
        )}
      </div>
      {partial && (
        <p className={styles.reasons}>
          {warnings.length > 0
            ? `What came is shown. ${warnings.join(". ")}.`
            : "What came is shown; some traces or spans are missing."}
        </p>
      )}
    </div>
  );
}

/** Says the count once per question, not at every automatic refresh. */
function Announcement({
  answer,
  points,
  question,
}: Pick<SummaryLineProps, "answer" | "points" | "question">) {
  const [said, setSaid] = useState({ question: "", text: "" });
  if (answer && points && question !== null && said.question !== question)
    setSaid({ question, text: plural(points.total, "trace matches", "traces match") });
  return (
    <p role="status" className="visually-hidden">
      {said.text}
    </p>
  );
}
