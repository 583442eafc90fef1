import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { clockOf } from "../../lib/chart/describe";
import type { ChartSeries } from "../../lib/chart/series";
import type { Zone } from "../../lib/time/zone";
import { formatValue } from "../../lib/units";
import styles from "./ChartTable.module.css";

interface ChartTableProps {
  name: string;
  series: ChartSeries[];
  times: number[];
  unit: string;
  zone: Zone;
}

const rowPx = 24;
const columnLimit = 20;
const timePx = 132;
const columnPx = 112;

/** The chart's numbers, the newest first; only the visible rows are on the page. */
export function ChartTable({ name, series, times, unit, zone }: ChartTableProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: times.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowPx,
    overscan: 10,
  });
  const shown = series.slice(0, columnLimit);
  const clock = clockOf(times, zone);
  const grid = {
    gridTemplateColumns: `${timePx}px repeat(${shown.length}, minmax(${columnPx}px, 1fr))`,
    minWidth: timePx + columnPx * shown.length,
  };
  return (
    <>
      <div
        ref={scroll}
        className={styles.scroll}
        role="table"
        aria-label={`${name}, table`}
        aria-rowcount={times.length + 1}
        tabIndex={0}
      >
        <div className={styles.head} role="row" style={grid}>
          <span role="columnheader">Time</span>
          {shown.map(({ label }) => (
            <span key={label} role="columnheader" title={label}>
              {label}
            </span>
          ))}
        </div>
        <div role="rowgroup" className={styles.body} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((row) => {
            const at = times.length - 1 - row.index;
            return (
              <div
                key={row.key}
                role="row"
                aria-rowindex={row.index + 2}
                className={`${styles.row} tabular`}
                style={{ ...grid, transform: `translateY(${row.start}px)` }}
              >
                <span role="rowheader">{clock(times[at] ?? 0)}</span>
                {shown.map((one) => (
                  <span key={one.label} role="cell">
                    {formatValue(one.values[at], one.unit ?? unit)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {series.length > columnLimit && (
        <p className={styles.note}>
          The first {columnLimit} of {series.length} series; a click on a name below shows it alone.
        </p>
      )}
    </>
  );
}
