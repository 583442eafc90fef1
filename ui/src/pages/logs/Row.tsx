import { type CSSProperties, type MouseEvent, memo, type Ref } from "react";
import type { LogRecord } from "../../api/logs";
import { TraceLink } from "../../components/TraceLink";
import { type Json, manyLines, oneLine } from "../../lib/json";
import { fieldCondition } from "../../lib/query/edit";
import { type MarkRange, markRanges } from "../../lib/query/terms";
import { severityOf, severityRole } from "../../lib/severity";
import { formatClockMs, formatDay } from "../../lib/time/format";
import { cellId } from "./cellCursor";
import { valueIn } from "./fields";
import styles from "./Rows.module.css";
import type { RowLayout } from "./rowLayout";

interface RowProps {
  record: LogRecord;
  rowIndex: number;
  layout: RowLayout;
  open: boolean;
  active: boolean;
  /** The column that the cell cursor is in, of the active row. */
  cell?: string | null;
  /** The line's number, for a virtual list that measures lines which wrap. */
  line?: number;
  measure?: Ref<HTMLDivElement> | undefined;
  style: CSSProperties;
  onToggle: (record: LogRecord) => void;
}

function RowView(props: RowProps) {
  const { record, rowIndex, layout, open, active, cell = null, line, measure, style, onToggle } = props;
  const severity = severityOf(record.severity_number);
  const onClick = (event: MouseEvent) => {
    if (event.target instanceof Element && event.target.closest("a")) return;
    // A click that ends a text selection is not a wish to open the record.
    if (window.getSelection()?.isCollapsed !== false) onToggle(record);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter on the grid do the same
    <div
      ref={measure}
      id={`row-${record.id}`}
      data-index={line}
      role="row"
      aria-level={1}
      aria-rowindex={rowIndex}
      aria-expanded={open}
      aria-selected={active}
      className={`${styles.grid} ${styles.row} mono`}
      data-severity={severity}
      data-open={open}
      data-active={active}
      data-wrap={layout.wrap}
      style={style}
      onClick={onClick}
    >
      <span
        className={styles.tick}
        style={{ background: `var(--${severityRole[severity]})` }}
        aria-hidden="true"
      />
      <span role="gridcell" className={styles.time}>
        {timeOf(record.timestamp, layout)}
      </span>
      {layout.fields.map((field) =>
        field === "body" ? (
          <Body key={field} record={record} layout={layout} />
        ) : (
          <Cell
            key={field}
            id={field === cell ? cellId(record.id, layout.fields, field) : undefined}
            field={field}
            value={valueIn(record, field)}
            numeric={layout.numeric.has(field)}
            spanId={record.span_id}
          />
        ),
      )}
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
    same("cell") &&
    same("rowIndex") &&
    same("line") &&
    same("layout") &&
    before.style.transform === after.style.transform
  );
});

function Body({ record, layout }: { record: LogRecord; layout: RowLayout }) {
  const flatten = layout.wrap ? manyLines : oneLine;
  const text = record.body === null ? (record.event_name ?? "–") : flatten(record.body);
  return (
    <span role="gridcell" className={styles.body}>
      <Marked text={text} ranges={markRanges(text, layout.terms)} />
    </span>
  );
}

interface CellProps {
  /** The cell cursor is in it. */
  id: string | undefined;
  field: string;
  value: Json;
  numeric: boolean;
  spanId: string | null;
}

function Cell({ id, field, value, numeric, spanId }: CellProps) {
  const text = value === null || value === "" ? null : oneLine(value);
  const scalar = value !== null && typeof value !== "object" ? value : null;
  const selects = scalar !== null && text !== null && text.length <= 256;
  const own = field === "severity" || field === "service" ? styles[field] : styles.host;
  return (
    <span
      id={id}
      role="gridcell"
      className={own}
      title={text ?? undefined}
      data-field={field}
      data-numeric={numeric || undefined}
      data-cursor={id !== undefined || undefined}
      data-condition={selects ? fieldCondition(field, scalar) : undefined}
    >
      {field === "trace_id" && text !== null ? (
        // The record has the same link for the keyboard.
        <TraceLink traceId={text} spanId={spanId} className={styles.trace} tabIndex={-1}>
          {text}
        </TraceLink>
      ) : (
        (text ?? "–")
      )}
    </span>
  );
}

function timeOf(timestamp: string, { zone, withDay }: RowLayout): string {
  const ms = Date.parse(timestamp);
  return withDay ? `${formatDay(ms, zone).slice(5)} ${formatClockMs(ms, zone)}` : formatClockMs(ms, zone);
}

export function Marked({ text, ranges }: { text: string; ranges: MarkRange[] }) {
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
