import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { LogRecord, Order } from "../../api/logs";
import { usePhone } from "../../components/usePhone";
import { useShortcuts } from "../../components/useShortcuts";
import { needsDays } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { sizes } from "../../theme/tokens";
import { CellTools } from "./CellTools";
import type { Column } from "./columns";
import { Record } from "./Record";
import { Row } from "./Row";
import styles from "./Rows.module.css";
import { type ColumnChange, RowsHeader } from "./RowsHeader";
import { gridStyle, useRowLayout } from "./rowLayout";
import { useCellCursor } from "./useCellCursor";
import { useReveal } from "./useReveal";

interface RowsProps extends Omit<ColumnChange, "onDraft"> {
  records: LogRecord[];
  matched: number;
  /** Names the question that the records answer; a new question is read from its first row. */
  question: string;
  query: string;
  order: Order;
  zone: Zone;
  span: Span;
  openId: string | null;
  /** Do the records still answer the question before? */
  stale: boolean;
  hasMore: boolean;
  moreFailed: boolean;
  onMore: () => void;
  onOpen: (record: LogRecord | null) => void;
  onOrder: (order: Order) => void;
  /** Has the person scrolled away from the first row? */
  onReading: (reading: boolean) => void;
}

/** The records, only the visible ones in the page. An open record takes a line of its own below its row. */
export function Rows(props: RowsProps) {
  const { records, matched, zone, span, openId, hasMore, moreFailed, onMore, onOpen } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const phone = usePhone();
  const rowPx = phone ? sizes.logRowPhonePx : sizes.logRowPx;
  const headerPx = phone ? sizes.logHeaderPhonePx : sizes.logHeaderPx;
  const [draft, setDraft] = useState<Column[] | null>(null);
  const layout = useRowLayout({ ...props, withDay: needsDays(span, zone) });
  const openAt = openId === null ? -1 : records.findIndex((record) => record.id === openId);
  /** The record that the person opened here: it is in sight. */
  const toggled = useRef<string | null>(null);
  const [activeId, setActiveId] = useState<string | null>(openId);
  const activeAt = activeId === null ? -1 : records.findIndex((record) => record.id === activeId);

  const cursor = useCellCursor(scroller, layout.fields, activeAt < 0 ? null : activeId);

  // Lines: the records, and the open record's detail below its row.
  const detailAt = openAt >= 0 ? openAt + 1 : -1;
  const lineCount = records.length + (openAt >= 0 ? 1 : 0);
  const lineOf = (record: number) => (detailAt >= 0 && record >= detailAt ? record + 1 : record);
  const virtualizer = useVirtualizer({
    count: lineCount,
    getScrollElement: () => scroller.current,
    estimateSize: (line) => (line === detailAt ? 260 : rowPx),
    getItemKey: (line) => {
      if (line === detailAt) return `detail of ${openId}`;
      return records[detailAt >= 0 && line > detailAt ? line - 1 : line]?.id ?? line;
    },
    overscan: 12,
    // The header is above the lines in the scrolled content, and sticks over them.
    scrollMargin: headerPx,
    scrollPaddingStart: headerPx,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was measured holds until the rows are of another height
  useEffect(() => virtualizer.measure(), [rowPx, layout.wrap]);
  const reveal = useReveal(scroller, headerPx);

  const lines = virtualizer.getVirtualItems();
  const lastLine = lines.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !moreFailed && lastLine >= lineCount - 40) onMore();
  }, [hasMore, moreFailed, lastLine, lineCount, onMore]);

  const seen = useRef(props.question);
  useEffect(() => {
    if (seen.current === props.question) return;
    seen.current = props.question;
    scroller.current?.scrollTo({ top: 0 });
  }, [props.question]);
  // A link to a record shows it, however far down, once for each question.
  const found = openAt >= 0 && !props.stale ? `${openId} ${props.question}` : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the linked record is found, not when rows are added
  useEffect(() => {
    if (found === null || toggled.current === openId) return;
    setActiveId(openId);
    if (openAt > 0) virtualizer.scrollToIndex(lineOf(openAt), { align: "start" });
  }, [found]);
  // Rows that are gone are not being read.
  // biome-ignore lint/correctness/useExhaustiveDependencies: at the end
  useEffect(() => () => props.onReading(false), []);

  const move = (by: 1 | -1) => {
    const next = Math.min(Math.max(activeAt + by, 0), records.length - 1);
    setActiveId(records[next]?.id ?? null);
    cursor.take();
    virtualizer.scrollToIndex(lineOf(next), { align: "auto" });
  };
  const toggle = (record: LogRecord) => {
    setActiveId(record.id);
    toggled.current = record.id;
    if (record.id !== openId) reveal(record.id);
    onOpen(record.id === openId ? null : record);
  };
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => records[activeAt] && toggle(records[activeAt]),
  });
  return (
    <div className={styles.area} style={gridStyle(draft ?? props.columns, layout.withDay)}>
      <div
        ref={scroller}
        className={styles.scroller}
        role="treegrid"
        aria-label="Log records"
        aria-rowcount={(hasMore ? matched : records.length) + 1}
        aria-activedescendant={
          lines.some((line) => line.index === lineOf(activeAt)) ? (cursor.id ?? `row-${activeId}`) : undefined
        }
        tabIndex={0}
        onKeyDown={cursor.onKeyDown}
        onPointerDown={cursor.onPointerDown}
        onScroll={(event) => props.onReading(event.currentTarget.scrollTop > rowPx)}
      >
        <RowsHeader
          {...props}
          gridClass={styles.grid ?? ""}
          timeClass={styles.time}
          numeric={layout.numeric}
          onDraft={setDraft}
        />
        <CellTools onFilter={props.onFilter}>
          <div role="rowgroup" className={styles.lines} style={{ height: virtualizer.getTotalSize() }}>
            {lines.map((line) => {
              const style = { transform: `translateY(${line.start - headerPx}px)` };
              if (line.index === detailAt) {
                const record = records[openAt];
                return (
                  <div
                    key={line.key}
                    ref={virtualizer.measureElement}
                    data-index={line.index}
                    aria-level={2}
                    className={styles.line}
                    style={style}
                    role="row"
                  >
                    {record && (
                      <Record
                        record={record}
                        zone={zone}
                        terms={layout.terms}
                        columnCount={props.columns.length + 1}
                        onFilter={props.onFilter}
                        onClose={() => onOpen(null)}
                      />
                    )}
                  </div>
                );
              }
              const at = detailAt >= 0 && line.index > detailAt ? line.index - 1 : line.index;
              const record = records[at];
              return (
                record && (
                  <Row
                    key={line.key}
                    record={record}
                    rowIndex={at + 2}
                    layout={layout}
                    open={at === openAt}
                    active={at === activeAt}
                    cell={at === activeAt ? cursor.cell : null}
                    line={line.index}
                    measure={layout.wrap ? virtualizer.measureElement : undefined}
                    style={style}
                    onToggle={toggle}
                  />
                )
              );
            })}
          </div>
        </CellTools>
        {moreFailed && (
          <div className={styles.more}>
            <button type="button" className="button" onClick={onMore}>
              The next records did not come. Try again
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
