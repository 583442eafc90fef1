import { type CSSProperties, memo } from "react";
import type { LogRecord } from "../../api/logs";
import { oneLine } from "../../lib/json";
import { fieldCondition } from "../../lib/query/edit";
import { type MarkRange, markRanges, type Term } from "../../lib/query/terms";
import { severityOf, severityRole } from "../../lib/severity";
import { formatClockMs, formatDay } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import styles from "./Rows.module.css";

export interface RowColumns {
  zone: Zone;
  withDay: boolean;
  terms: Term[];
}

interface RowProps {
  record: LogRecord;
  rowIndex: number;
  columns: RowColumns;
  open: boolean;
  active: boolean;
  style: CSSProperties;
  onToggle: (record: LogRecord) => void;
}

function RowView({ record, rowIndex, columns, open, active, style, onToggle }: RowProps) {
  const severity = severityOf(record.severity_number);
  const body = record.body === null ? (record.event_name ?? "–") : oneLine(record.body);
  const onClick = () => {
    // A click that ends a text selection is not a wish to open the record.
    if (window.getSelection()?.isCollapsed !== false) onToggle(record);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter on the grid do the same
    <div
      id={`row-${record.id}`}
      role="row"
      aria-level={1}
      aria-rowindex={rowIndex}
      aria-expanded={open}
      aria-selected={active}
      className={`${styles.grid} ${styles.row} mono`}
      data-severity={severity}
      data-open={open}
      data-active={active}
      style={style}
      onClick={onClick}
    >
      <span
        className={styles.tick}
        style={{ background: `var(--${severityRole[severity]})` }}
        aria-hidden="true"
      />
      <span role="gridcell" className={styles.time}>
        {timeOf(record.timestamp, columns)}
      </span>
      <span
        role="gridcell"
        className={styles.severity}
        data-condition={severity === "unset" ? undefined : `severity:${severity}`}
      >
        {severity === "unset" ? "–" : severity}
      </span>
      <span
        role="gridcell"
        className={styles.service}
        title={record.service ?? undefined}
        data-condition={record.service ? fieldCondition("service", record.service) : undefined}
      >
        {record.service ?? "–"}
      </span>
      <span
        role="gridcell"
        className={styles.host}
        title={record.host ?? undefined}
        data-condition={record.host ? fieldCondition("host", record.host) : undefined}
      >
        {record.host ?? "–"}
      </span>
      <span role="gridcell" className={styles.body}>
        <Marked text={body} ranges={markRanges(body, columns.terms)} />
      </span>
    </div>
  );
}

/** Rows are many and their props seldom change; the inline style is compared by its one value. */
export const Row = memo(RowView, (before, after) => {
  const same = (name: keyof RowProps) => before[name] === after[name];
  return (
    same("record") &&
    same("open") &&
    same("active") &&
    same("rowIndex") &&
    before.style.transform === after.style.transform &&
    before.columns.zone === after.columns.zone &&
    before.columns.withDay === after.columns.withDay &&
    before.columns.terms === after.columns.terms
  );
});

function timeOf(timestamp: string, { zone, withDay }: RowColumns): string {
  const ms = Date.parse(timestamp);
  return withDay ? `${formatDay(ms, zone).slice(5)} ${formatClockMs(ms, zone)}` : formatClockMs(ms, zone);
}

function Marked({ text, ranges }: { text: string; ranges: MarkRange[] }) {
  if (ranges.length === 0) return text;
  return (
    <>
      {ranges.map((range, index) => (
        <span key={range.start}>
          {text.slice(ranges[index - 1]?.end ?? 0, range.start)}
          <mark className={styles.mark}>{text.slice(range.start, range.end)}</mark>
        </span>
      ))}
      {text.slice(ranges.at(-1)?.end)}
    </>
  );
}
