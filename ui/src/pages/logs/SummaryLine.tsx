import { useState } from "react";
import type { HistogramAnswer, SearchAnswer } from "../../api/logs";
import { Icon } from "../../components/Icon";
import { formatCount, formatExact, formatTook, plural } from "../../lib/number";
import styles from "./SummaryLine.module.css";

interface SummaryLineProps {
  answer: SearchAnswer | undefined;
  histogram: HistogramAnswer | undefined;
  /** What the answer is for; null while an older answer stands in. */
  question: string | null;
}

/** How many records match, how many were searched and how long it took; an incomplete answer says so and why. */
export function SummaryLine({ answer, histogram, question }: SummaryLineProps) {
  const partial = answer?.partial || histogram?.partial;
  return (
    <div className={styles.area}>
      <Announcement answer={answer} question={question} />
      <div className={styles.line}>
        <h2>
          {answer?.table ? "Result" : "Records"}
          {answer && <span className={styles.count}>{countOf(answer)}</span>}
        </h2>
        <div className="grow" />
        {partial && (
          <span className="tag tag-warn">
            <Icon name="warning" small />
            partial
          </span>
        )}
        {answer && (
          <span className={styles.searched}>
            searched {formatCount(answer.searched)} records in{" "}
            <span className="text1">{formatTook(answer.took_ms)}</span>
          </span>
        )}
      </div>
      {partial && <p className={styles.reasons}>{reasonsOf(answer, histogram)}</p>}
    </div>
  );
}

/** Says the count once per question, not at every automatic refresh. */
function Announcement({ answer, question }: Pick<SummaryLineProps, "answer" | "question">) {
  const [said, setSaid] = useState({ question: "", text: "" });
  if (answer && question !== null && said.question !== question) {
    setSaid({ question, text: `${plural(answer.matched, "record matches", "records match")}` });
  }
  return (
    <p role="status" className="visually-hidden">
      {said.text}
    </p>
  );
}

function countOf(answer: SearchAnswer): string {
  if (!answer.table) return formatExact(answer.matched);
  const rows = answer.table.rows.length;
  return `${formatExact(rows)} ${rows === 1 ? "row" : "rows"} from ${formatExact(answer.matched)} records`;
}

function reasonsOf(answer: SearchAnswer | undefined, histogram: HistogramAnswer | undefined): string {
  const warnings = [...new Set([...(answer?.warnings ?? []), ...(histogram?.warnings ?? [])])];
  return warnings.length > 0
    ? `What came is shown. ${warnings.join(". ")}.`
    : "What came is shown; some records are missing.";
}
