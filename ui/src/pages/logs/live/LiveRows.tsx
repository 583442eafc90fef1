import { useVirtualizer } from "@tanstack/react-virtual";
import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { LogRecord } from "../../../api/logs";
import { Icon } from "../../../components/Icon";
import { usePhone } from "../../../components/usePhone";
import { useShortcuts } from "../../../components/useShortcuts";
import { plural } from "../../../lib/number";
import type { Zone } from "../../../lib/time/zone";
import { sizes } from "../../../theme/tokens";
import type { Column } from "../columns";
import { Record } from "../Record";
import { Row } from "../Row";
import rowStyles from "../Rows.module.css";
import { gridStyle, useRowLayout } from "../rowLayout";
import { useCellCursor } from "../useCellCursor";
import styles from "./Live.module.css";
import type { LiveTail } from "./useLiveTail";

interface LiveRowsProps {
  tail: LiveTail;
  query: string;
  zone: Zone;
  columns: Column[];
  onFilter: (condition: string, exclude: boolean) => void;
}

/**
 * Rows in order of arrival, the newest last. The end stays in view until a person scrolls up, opens a record or
 * points at a row: then nothing moves, and a button says how many are new below.
 */
export function LiveRows({ tail, query, zone, columns, onFilter }: LiveRowsProps) {
  const { buffer, hold, catchUp } = tail;
  const { rows } = buffer;
  const scroller = useRef<HTMLDivElement>(null);
  const rowPx = usePhone() ? sizes.logRowPhonePx : sizes.logRowPx;
  const [openId, setOpenId] = useState<string | null>(null);
  const [activeId, setActiveId] = useState<string | null>(null);
  const [following, setFollowing] = useState(true);
  const [pointing, setPointing] = useState(false);
  const openAt = openId === null ? -1 : rows.findIndex(({ id }) => id === openId);
  const detailAt = openAt < 0 ? -1 : openAt + 1;
  const held = !following || pointing || openAt >= 0;
  useEffect(() => {
    hold(held);
    return () => hold(false);
  }, [hold, held]);

  const recordAt = (line: number) => rows[detailAt >= 0 && line > detailAt ? line - 1 : line];
  const virtualizer = useVirtualizer({
    count: rows.length + (openAt < 0 ? 0 : 1),
    getScrollElement: () => scroller.current,
    estimateSize: (line) => (line === detailAt ? 260 : rowPx),
    getItemKey: (line) => (line === detailAt ? `detail of ${openId}` : (recordAt(line)?.id ?? line)),
    overscan: 12,
    useFlushSync: false,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the row height or the open row changes
  useEffect(() => virtualizer.measure(), [rowPx, detailAt]);

  const toEnd = () => {
    const element = scroller.current;
    if (!element) return;
    element.scrollTop = element.scrollHeight;
    // The virtual list hears of it now, not a frame later, so that the new rows are drawn with the old ones.
    element.dispatchEvent(new Event("scroll"));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever rows came
  useLayoutEffect(() => {
    if (!held) toEnd();
  }, [rows, held]);
  const follow = () => {
    setOpenId(null);
    setFollowing(true);
    catchUp();
    requestAnimationFrame(toEnd);
  };
  const onScroll = () => {
    const element = scroller.current;
    if (!element || openAt >= 0) return;
    const gap = element.scrollHeight - element.scrollTop - element.clientHeight;
    // While the pointer rests on the rows they may grow below; only who scrolls up stops following.
    if (gap < rowPx) setFollowing(true);
    else if (element.scrollTop < lastTop.current) setFollowing(false);
    lastTop.current = element.scrollTop;
  };
  const lastTop = useRef(0);
  // A finger does not hover.
  const point = (event: PointerEvent, inside: boolean) => {
    if (event.pointerType === "mouse") setPointing(inside);
  };

  const activeAt = activeId === null ? -1 : rows.findIndex(({ id }) => id === activeId);
  const move = (by: 1 | -1) => {
    const from = activeAt < 0 ? rows.length : activeAt;
    const next = Math.min(Math.max(from + by, 0), rows.length - 1);
    setFollowing(false);
    setActiveId(rows[next]?.id ?? null);
    cursor.take();
    virtualizer.scrollToIndex(detailAt >= 0 && next >= detailAt ? next + 1 : next, { align: "auto" });
  };
  const toggle = (record: LogRecord) => {
    setActiveId(record.id);
    setOpenId(record.id === openId ? null : record.id);
    setFollowing(false);
  };
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => rows[activeAt] && toggle(rows[activeAt]),
    Escape: () => (openId === null ? follow() : setOpenId(null)),
  });
  const layout = useRowLayout({ records: rows, query, zone, withDay: false, columns, wrap: false });
  const cursor = useCellCursor(scroller, layout.fields, activeAt < 0 ? null : activeId);
  const lines = virtualizer.getVirtualItems();
  const overflows = virtualizer.getTotalSize() > (scroller.current?.clientHeight ?? 0);
  return (
    <div className={`${rowStyles.area} ${styles.rows}`} style={gridStyle(columns, false)}>
      <div
        ref={scroller}
        className={rowStyles.scroller}
        role="treegrid"
        aria-label="Live records"
        aria-rowcount={rows.length}
        aria-activedescendant={
          activeAt >= 0 && lines.some((line) => recordAt(line.index)?.id === activeId)
            ? (cursor.id ?? `row-${activeId}`)
            : undefined
        }
        tabIndex={0}
        onKeyDown={cursor.onKeyDown}
        onPointerDown={cursor.onPointerDown}
        onScroll={onScroll}
        onPointerEnter={(event) => point(event, true)}
        onPointerLeave={(event) => point(event, false)}
      >
        <div role="rowgroup" className={rowStyles.lines} style={{ height: virtualizer.getTotalSize() }}>
          {lines.map((line) => {
            const style = { transform: `translateY(${line.start}px)` };
            const record = line.index === detailAt ? rows[openAt] : recordAt(line.index);
            if (!record) return null;
            if (line.index !== detailAt) {
              const at = detailAt >= 0 && line.index > detailAt ? line.index - 1 : line.index;
              return (
                <Row
                  key={line.key}
                  record={record}
                  rowIndex={at + 1}
                  layout={layout}
                  open={at === openAt}
                  active={at === activeAt}
                  cell={at === activeAt ? cursor.cell : null}
                  style={style}
                  onToggle={toggle}
                />
              );
            }
            return (
              <div
                key={line.key}
                ref={virtualizer.measureElement}
                data-index={line.index}
                role="row"
                aria-level={2}
                className={rowStyles.line}
                style={style}
              >
                <Record record={record} zone={zone} onFilter={onFilter} onClose={() => setOpenId(null)} />
              </div>
            );
          })}
        </div>
      </div>
      {held && buffer.below > 0 && overflows && (
        <button type="button" className={`button ${styles.below}`} onClick={follow}>
          <Icon name="down" small />
          {plural(buffer.below, "new below", "new below")}
          {buffer.skipped > 0 && `, ${plural(buffer.skipped, "skipped", "skipped")}`}
        </button>
      )}
    </div>
  );
}
