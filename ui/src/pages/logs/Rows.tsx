import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import type { LogRecord, Order } from "../../api/logs";
import { usePhone } from "../../components/usePhone";
import { useShortcuts } from "../../components/useShortcuts";
import { termsOf } from "../../lib/query/terms";
import { needsDays } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { sizes } from "../../theme/tokens";
import { Record } from "./Record";
import { Row } from "./Row";
import styles from "./Rows.module.css";

interface RowsProps {
  records: LogRecord[];
  matched: number;
  /** Names the question that the records answer; a new question is read from its first row. */
  question: string;
  query: string;
  order: Order;
  zone: Zone;
  span: Span;
  openId: string | null;
  hasMore: boolean;
  moreFailed: boolean;
  onMore: () => void;
  onOpen: (record: LogRecord | null) => void;
  onOrder: (order: Order) => void;
  onFilter: (condition: string, exclude: boolean) => void;
  /** Has the person scrolled away from the first row? */
  onReading: (reading: boolean) => void;
}

/** The records, only the visible ones in the page. An open record takes a line of its own below its row. */
export function Rows(props: RowsProps) {
  const { records, matched, query, order, zone, span, openId, hasMore, moreFailed, onMore, onOpen, onOrder } =
    props;
  const scroller = useRef<HTMLDivElement>(null);
  const phone = usePhone();
  const rowPx = phone ? sizes.logRowPhonePx : sizes.logRowPx;
  const headerPx = phone ? sizes.logHeaderPhonePx : sizes.logHeaderPx;
  const terms = useMemo(() => termsOf(query), [query]);
  const openAt = openId === null ? -1 : records.findIndex((record) => record.id === openId);
  const [activeId, setActiveId] = useState<string | null>(openId);
  const activeAt = activeId === null ? -1 : records.findIndex((record) => record.id === activeId);

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
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the row height or the open row changes
  useEffect(() => virtualizer.measure(), [rowPx, detailAt]);

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
  // A link to a record shows it, however far down; and rows that are gone are not being read.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the rows appear
  useEffect(() => {
    if (openAt > 0) virtualizer.scrollToIndex(lineOf(openAt), { align: "start" });
    return () => props.onReading(false);
  }, []);

  const move = (by: 1 | -1) => {
    const next = Math.min(Math.max(activeAt + by, 0), records.length - 1);
    setActiveId(records[next]?.id ?? null);
    virtualizer.scrollToIndex(lineOf(next), { align: "auto" });
  };
  const toggle = (record: LogRecord) => {
    setActiveId(record.id);
    onOpen(record.id === openId ? null : record);
  };
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => records[activeAt] && toggle(records[activeAt]),
  });
  const columns = { withDay: needsDays(span, zone), zone, terms };
  return (
    <div className={styles.area} data-days={columns.withDay}>
      <div
        ref={scroller}
        className={styles.scroller}
        role="treegrid"
        aria-label="Log records"
        aria-rowcount={(hasMore ? matched : records.length) + 1}
        aria-activedescendant={
          lines.some((line) => line.index === lineOf(activeAt)) ? `row-${activeId}` : undefined
        }
        tabIndex={0}
        onScroll={(event) => props.onReading(event.currentTarget.scrollTop > rowPx)}
      >
        <Header order={order} zone={zone} span={span} onOrder={onOrder} />
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
                  columns={columns}
                  open={at === openAt}
                  active={at === activeAt}
                  style={style}
                  onToggle={toggle}
                />
              )
            );
          })}
        </div>
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

interface HeaderProps {
  order: Order;
  zone: Zone;
  span: Span;
  onOrder: (order: Order) => void;
}

function Header({ order, zone, span, onOrder }: HeaderProps) {
  const newest = order === "newest";
  return (
    <div role="row" className={`${styles.grid} ${styles.header}`} aria-rowindex={1}>
      <span role="columnheader" className={styles.time} aria-sort={newest ? "descending" : "ascending"}>
        <button
          type="button"
          className={styles.order}
          title={newest ? "Newest first" : "Oldest first"}
          onClick={() => onOrder(newest ? "oldest" : "newest")}
        >
          Time {zoneLabel(zone, span.endMs)} {newest ? "↓" : "↑"}
          <span className={styles.orderWords}>{newest ? " newest first" : " oldest first"}</span>
        </button>
      </span>
      {["Severity", "Service", "Host", "Body"].map((name) => (
        <span key={name} role="columnheader" className={styles.name}>
          {name}
        </span>
      ))}
    </div>
  );
}
