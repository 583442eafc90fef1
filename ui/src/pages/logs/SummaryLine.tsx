import { type ReactNode, useState } from "react";
import type { HistogramAnswer, SearchAnswer } from "../../api/logs";
import type { PatternsAnswer } from "../../api/patterns";
import { Icon } from "../../components/Icon";
import { formatCount, formatTook, plural } from "../../lib/number";
import styles from "./SummaryLine.module.css";
import { Tabs } from "./Tabs";
import type { LogsView } from "./url";

interface SummaryLineProps {
  answer: SearchAnswer | undefined;
  histogram: HistogramAnswer | undefined;
  /** What the answer is for; null while an older answer stands in. */
  question: string | null;
  tab: LogsView["tab"];
  patterns: PatternsAnswer | undefined;
  onTab: (tab: LogsView["tab"]) => void;
  /** What can be done with the answer, at the right end. */
  tools?: ReactNode;
}

const headings = { records: "Answer", patterns: "Patterns", chart: "Chart" };

/** How many records match, how many were searched and how long it took; an incomplete answer says so and why. */
export function SummaryLine(props: SummaryLineProps) {
  const { answer, histogram, question, tab, patterns, onTab, tools } = props;
  const answers = [answer, histogram, ...(tab === "patterns" ? [patterns] : [])];
  const partial = answers.some((each) => each?.partial);
  return (
    <div className={styles.area}>
      <Announcement answer={answer} question={question} />
      <div className={styles.line}>
        <h2 className="visually-hidden">{headings[tab]}</h2>
        <Tabs answer={answer} patterns={patterns} tab={tab} onTab={onTab} />
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
        {tools}
      </div>
      {partial && <p className={styles.reasons}>{reasonsOf(answers)}</p>}
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

function reasonsOf(answers: ({ warnings: string[] } | undefined)[]): string {
  const warnings = [...new Set(answers.flatMap((answer) => answer?.warnings ?? []))];
  return warnings.length > 0
    ? `What came is shown. ${warnings.join(". ")}.`
    : "What came is shown; some records are missing.";
}
