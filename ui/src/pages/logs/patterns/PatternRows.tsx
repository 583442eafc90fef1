import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { Pattern, PatternsAnswer } from "../../../api/patterns";
import { usePhone } from "../../../components/usePhone";
import { useShortcuts } from "../../../components/useShortcuts";
import type { Zone } from "../../../lib/time/zone";
import { sizes } from "../../../theme/tokens";
import { PatternDetail } from "./PatternDetail";
import { PatternRow } from "./PatternRow";
import styles from "./Patterns.module.css";

interface PatternRowsProps {
  patterns: Pattern[];
  answer: PatternsAnswer;
  zone: Zone;
  openId: string | null;
  onOpen: (id: string | null) => void;
  onFilter: (pattern: Pattern, exclude: boolean) => void;
  /** A condition from an example's record. */
  onCondition: (condition: string, exclude: boolean) => void;
}

const columns = ["Count", "Over the range", "Pattern", "Severity", "Services", "First seen"];

/** The patterns, only the visible ones in the page. An open one takes a line of its own below its row. */
export function PatternRows(props: PatternRowsProps) {
  const { patterns, answer, zone, openId, onOpen, onFilter } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const phone = usePhone();
  const rowPx = phone ? sizes.patternRowPhonePx : sizes.tableRowPx;
  const headerPx = phone ? 0 : sizes.logHeaderPx;
  const openAt = patterns.findIndex(({ id }) => id === openId);
  const detailAt = openAt < 0 ? -1 : openAt + 1;
  const [activeId, setActiveId] = useState(openId);
  const activeAt = patterns.findIndex(({ id }) => id === activeId);
  const lineOf = (at: number) => (detailAt >= 0 && at >= detailAt ? at + 1 : at);
  const patternOf = (line: number) => patterns[detailAt >= 0 && line > detailAt ? line - 1 : line];
  const virtualizer = useVirtualizer({
    count: patterns.length + (openAt < 0 ? 0 : 1),
    getScrollElement: () => scroller.current,
    estimateSize: (line) => (line === detailAt ? 220 : rowPx),
    getItemKey: (line) => (line === detailAt ? `detail of ${openId}` : (patternOf(line)?.id ?? line)),
    overscan: 10,
    scrollMargin: headerPx,
    scrollPaddingStart: headerPx,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the row height or the open row changes
  useEffect(() => virtualizer.measure(), [rowPx, detailAt]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a link to a pattern shows it, once
  useEffect(() => {
    if (openAt > 0) virtualizer.scrollToIndex(openAt, { align: "start" });
  }, []);

  const move = (by: 1 | -1) => {
    const next = Math.min(Math.max(activeAt + by, 0), patterns.length - 1);
    setActiveId(patterns[next]?.id ?? null);
    virtualizer.scrollToIndex(lineOf(next), { align: "auto" });
  };
  const toggle = ({ id }: Pattern) => {
    setActiveId(id);
    onOpen(id === openId ? null : id);
  };
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => patterns[activeAt] && toggle(patterns[activeAt]),
  });
  const lines = virtualizer.getVirtualItems();
  const activeShown = lines.some((line) => line.index === lineOf(activeAt));
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      role="treegrid"
      aria-label="Patterns"
      aria-rowcount={patterns.length + 1}
      aria-activedescendant={activeShown ? `pattern-${activeId}` : undefined}
      tabIndex={0}
    >
      <div role="row" aria-rowindex={1} className={`${styles.grid} ${styles.header}`}>
        {columns.map((name) => (
          <span key={name} role="columnheader">
            {name}
          </span>
        ))}
      </div>
      <div role="rowgroup" className={styles.lines} style={{ height: virtualizer.getTotalSize() }}>
        {lines.map((line) => {
          const style = { transform: `translateY(${line.start - headerPx}px)` };
          const pattern = line.index === detailAt ? patterns[openAt] : patternOf(line.index);
          if (!pattern) return null;
          if (line.index !== detailAt) {
            return (
              <PatternRow
                key={line.key}
                pattern={pattern}
                rowIndex={patterns.indexOf(pattern) + 2}
                zone={zone}
                startMs={Date.parse(answer.start)}
                bucketMs={answer.bucket_ms}
                open={pattern.id === openId}
                active={pattern.id === activeId}
                style={style}
                onToggle={toggle}
                onFilter={onFilter}
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
              className={styles.line}
              style={style}
            >
              <PatternDetail
                pattern={pattern}
                zone={zone}
                onFilter={(exclude) => onFilter(pattern, exclude)}
                onCondition={props.onCondition}
                onClose={() => onOpen(null)}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
