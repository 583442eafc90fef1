import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef } from "react";
import { Icon } from "../../../components/Icon";
import { usePhone } from "../../../components/usePhone";
import { cssColour } from "../../../lib/chart/colours";
import { formatExact } from "../../../lib/number";
import { formatNanos, formatPercent } from "../../../lib/time/nanosText";
import { type Group, type GroupKey, groupsOf, sortGroups } from "../../../lib/trace/groups";
import { sizes } from "../../../theme/tokens";
import styles from "./SpanTable.module.css";
import type { OpenTrace } from "./useTrace";

interface SpanTableProps {
  trace: OpenTrace;
  sort: GroupKey;
  reverse: boolean;
  selectedRow: number;
  onSort: (key: GroupKey) => void;
  onSelect: (row: number) => void;
}

const columns: { key: GroupKey; name: string; title?: string }[] = [
  { key: "operation", name: "Service and operation" },
  { key: "count", name: "Spans" },
  { key: "total", name: "Total", title: "Sum of the durations" },
  { key: "self", name: "Self", title: "Without the time of what was called" },
  { key: "path", name: "On the path", title: "For how long the trace waited for it" },
  { key: "errors", name: "Errors" },
];

const rowPhonePx = 44;

/** The spans by service and operation; a row opens the longest of its spans. */
export function SpanTable({ trace, sort, reverse, selectedRow, onSort, onSelect }: SpanTableProps) {
  const { view, tree, colours } = trace;
  const groups = useMemo(() => groupsOf(view, tree), [view, tree]);
  const rows = useMemo(() => sortGroups(groups, sort, reverse), [groups, sort, reverse]);
  const whole = view.path.reduce((sum, { fromNs, toNs }) => sum + (toNs - fromNs), 0);
  const mostPath = Math.max(1, ...groups.map(({ pathNs }) => pathNs));
  const scroller = useRef<HTMLDivElement>(null);
  const rowPx = usePhone() ? rowPhonePx : sizes.tableRowPx;
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  const cells = (group: Group): ReactNode[] => [
    <span key="operation" className={styles.operation}>
      <span
        className="swatch"
        style={{ background: cssColour(colours[view.services.indexOf(group.service)] ?? 9) }}
      />
      <button type="button" className={styles.name} onClick={() => onSelect(group.longestRow)}>
        {group.name}
      </button>
      <span className={styles.service}>{group.service}</span>
    </span>,
    formatExact(group.count),
    formatNanos(group.totalNs),
    formatNanos(group.selfNs),
    <span key="path" className={styles.path}>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.bar} style={{ width: `${(group.pathNs / mostPath) * 100}%` }} />
      </span>
      <span className={styles.share}>
        {group.pathNs > 0 ? formatPercent(group.pathNs / Math.max(1, whole)) : "–"}
      </span>
      <span className={styles.pathTime}>{group.pathNs > 0 ? formatNanos(group.pathNs) : ""}</span>
    </span>,
    <span key="errors" className={group.errors > 0 ? styles.errors : undefined}>
      {group.errors > 0 ? formatExact(group.errors) : "–"}
    </span>,
  ];
  return (
    <div ref={scroller} className={styles.scroller} tabIndex={0} role="region" aria-label="Operations, list">
      <div role="table" aria-label="Operations" aria-rowcount={rows.length + 1} className={styles.table}>
        <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.header}`}>
          {columns.map(({ key, name, title }) => (
            <span
              key={key}
              role="columnheader"
              data-key={key}
              aria-sort={sort === key ? (isDown(key, reverse) ? "descending" : "ascending") : "none"}
            >
              <button type="button" className={styles.sort} title={title} onClick={() => onSort(key)}>
                {name}
                {sort === key && (
                  <span className={isDown(key, reverse) ? undefined : styles.up}>
                    <Icon name="down" small />
                  </span>
                )}
              </button>
            </span>
          ))}
        </div>
        <div role="rowgroup" className={styles.lines} style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const group = rows[item.index];
            if (!group) return null;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the button in it does the same by keyboard
              <div
                key={`${group.service}\n${group.name}`}
                role="row"
                aria-rowindex={item.index + 2}
                data-selected={group.longestRow === selectedRow}
                className={`${styles.row} ${styles.line}`}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => onSelect(group.longestRow)}
              >
                {cells(group).map((cell, at) => (
                  <span key={columns[at]?.key} role="cell" data-key={columns[at]?.key}>
                    {cell}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function isDown(key: GroupKey, reverse: boolean): boolean {
  return key === "operation" ? reverse : !reverse;
}
