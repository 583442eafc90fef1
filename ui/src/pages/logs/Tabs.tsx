import { type KeyboardEvent, useRef } from "react";
import type { SearchAnswer } from "../../api/logs";
import type { PatternsAnswer } from "../../api/patterns";
import { formatExact } from "../../lib/number";
import styles from "./Tabs.module.css";
import type { LogsView } from "./url";

type Tab = LogsView["tab"];

interface TabsProps {
  answer: SearchAnswer | undefined;
  patterns: PatternsAnswer | undefined;
  tab: Tab;
  onTab: (tab: Tab) => void;
}

const tabs: Tab[] = ["records", "patterns", "chart"];

/** Records, patterns or a chart; the arrow keys move between them. */
export function Tabs({ answer, patterns, tab, onTab }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);
  const fresh = patterns?.patterns.filter((row) => row.is_new).length ?? 0;
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = (tabs.indexOf(tab) + by + tabs.length) % tabs.length;
    onTab(tabs[next] ?? "records");
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  const props = (name: Tab) => ({
    type: "button" as const,
    role: "tab",
    "aria-selected": tab === name,
    tabIndex: tab === name ? 0 : -1,
    className: styles.tab,
    onClick: () => onTab(name),
    onKeyDown: onKey,
  });
  return (
    <div ref={list} className={styles.tabs} role="tablist" aria-label="Answer">
      <button {...props("records")}>
        {answer?.table ? "Result" : "Records"}
        {answer && <span className={styles.count}>{countOf(answer)}</span>}
      </button>
      <button {...props("patterns")}>
        Patterns
        {patterns && <span className={styles.count}>{formatExact(patterns.total)}</span>}
        {fresh > 0 && <span className={`tag ${styles.fresh}`}>{fresh} new</span>}
      </button>
      <button {...props("chart")}>Chart</button>
    </div>
  );
}

function countOf(answer: SearchAnswer): string {
  if (!answer.table) return formatExact(answer.matched);
  const rows = answer.table.rows.length;
  return `${formatExact(rows)} ${rows === 1 ? "row" : "rows"} from ${formatExact(answer.matched)} records`;
}
